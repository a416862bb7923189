/**
 * Patients, consents and overrides, read ahead from clinical.events by whoever writes to a destination, so that the last question before
 * a write is answered by what the log holds at that moment and not by what it held when the gates decided.
 */
import { events } from "../../schemas/topics.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { type ConsentEvidence, supersedes } from "../../topologies/gates/consented.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import type { BodyOf } from "../core/stage.ts";
import { schemaIdOf, type Wire } from "../core/wire.ts";
import type { Log, LogRecord, Reader } from "../log/log.ts";

/** What the log holds of one patient's consents, and when each source of consents was last heard. */
export interface KnownConsents extends ConsentEvidence {
  /** By the source's name, in the ward's time. */
  readonly heard: ReadonlyMap<string, number>;
}

/** One patient's records. */
class Person {
  patient: Patient | undefined;
  readonly #consents = new Map<string, Consent | FhirConsent>();
  readonly #overrides = new Map<string, AccessOverride>();

  take(body: Patient | Consent | FhirConsent | AccessOverride): void {
    switch (body.kind) {
      case "patient":
        if (supersedes(this.patient, body)) this.patient = body;
        return;
      case "accessOverride":
        if (supersedes(this.#overrides.get(body.id), body)) this.#overrides.set(body.id, body);
        return;
      default: {
        const id = `${body.kind}/${body.id}`;
        if (supersedes(this.#consents.get(id), body)) this.#consents.set(id, body);
      }
    }
  }

  evidence(): ConsentEvidence {
    return {
      patient: this.patient,
      consents: [...this.#consents.values()],
      overrides: [...this.#overrides.values()],
    };
  }
}

/** Reads one partition up to what the log holds now. */
class Partition {
  readonly #log: Log;
  readonly #wire: Wire;
  readonly #partition: number;
  /** By patient key. */
  readonly people = new Map<string, Person>();
  readonly heard = new Map<string, number>();
  #next = 0;
  #reader: Reader | undefined;
  #catchingUp: Promise<void> | undefined;

  constructor(log: Log, wire: Wire, partition: number) {
    this.#log = log;
    this.#wire = wire;
    this.#partition = partition;
  }

  /** Every call sees at least what the log held when it was made: one already under way may have looked before. */
  async catchUp(): Promise<void> {
    const before = this.#catchingUp;
    const mine = (before?.catch(() => undefined) ?? Promise.resolve()).then(() => this.#read());
    this.#catchingUp = mine;
    await mine;
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    this.#reader = undefined;
  }

  async #read(): Promise<void> {
    const { end } = await this.#log.bounds(events.name, this.#partition);
    try {
      while (this.#next < end) {
        this.#reader ??= await this.#log.reader(events.name, this.#partition, this.#next === 0 ? "start" : this.#next);
        const records = await this.#reader.next(1000);
        if (records.length === 0)
          throw new OperatingError(
            "log-unavailable",
            `${events.name}/${this.#partition}: holds ${end}, gives nothing`,
            {
              retry: true,
            },
          );
        for (const record of records) await this.#take(record);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #take(record: LogRecord): Promise<void> {
    let decoded = this.#wire.decode(events, record.value);
    if (!decoded.ok && decoded.problem.reason === "unknown-schema-id") {
      const id = schemaIdOf(record.value);
      if (id !== null && (await this.#wire.learn(id))) decoded = this.#wire.decode(events, record.value);
    }
    // What can't be read is quarantined by the gates; a schema that is not known yet must be waited for, for it may be a consent.
    if (!decoded.ok && decoded.problem.reason === "unknown-schema-id")
      throw new OperatingError("unknown-schema-id", `${events.name}/${this.#partition}/${record.offset}`, {
        retry: true,
      });
    this.#next = record.offset + 1;
    if (decoded.ok) this.#know(decoded.value.body, record.key);
  }

  #know(body: BodyOf<typeof events>, key: string): void {
    switch (body.kind) {
      case "consentSource":
        this.heard.set(body.source, Math.max(body.heardAt, this.heard.get(body.source) ?? 0));
        return;
      case "patient":
      case "consent":
      case "fhirConsent":
      case "accessOverride":
        if (body.patientKey === key) this.people.getOrInsertComputed(key, () => new Person()).take(body);
    }
  }
}

export interface ConsentTable {
  /** One patient's, as the log has them now. Codes: `log-unavailable`, `unknown-schema-id` (both retry). */
  of(patientKey: string): Promise<KnownConsents>;
  /** Every patient's, by key, as the log has them now. Codes as above. */
  everybody(): Promise<ReadonlyMap<string, ConsentEvidence>>;
  /** When a source was last heard, as the log has it now; undefined: never. Codes as above. */
  heard(source: string): Promise<number | undefined>;
  close(): Promise<void>;
}

const nobody = new Person();

export const consentTable = (log: Log, wire: Wire): ConsentTable => {
  const partitions = Array.from({ length: events.partitions }, (_, p) => new Partition(log, wire, p));
  const allCaughtUp = async (): Promise<void> => {
    await Promise.all(partitions.map((p) => p.catchUp()));
  };
  return {
    async of(patientKey) {
      const partition = partitions[partitionOf(patientKey, partitions.length)];
      await partition?.catchUp();
      const person = partition?.people.get(patientKey) ?? nobody;
      return { ...person.evidence(), heard: partition?.heard ?? new Map() };
    },
    async everybody() {
      await allCaughtUp();
      return new Map(
        partitions.flatMap((p) => [...p.people].map(([key, person]) => [key, person.evidence()] as const)),
      );
    },
    async heard(source) {
      await allCaughtUp();
      const times = partitions.map((p) => p.heard.get(source));
      return times.some((time) => time === undefined) ? undefined : Math.min(...times.map((time) => time ?? 0));
    },
    async close() {
      await Promise.all(partitions.map((p) => p.close()));
    },
  };
};
