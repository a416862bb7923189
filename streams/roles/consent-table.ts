/**
 * The newest consents, read ahead from clinical.events by whoever writes to a destination, so that the last question before a
 * write is answered by what the log holds at that moment and not by what it held when the gates decided.
 */
import { events } from "../../schemas/topics.ts";
import type { Consent } from "../../schemas/records.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { schemaIdOf, type Wire } from "../core/wire.ts";
import type { Log, LogRecord, Reader } from "../log/log.ts";

/** Reads one partition up to what the log holds now. */
class Partition {
  readonly #log: Log;
  readonly #wire: Wire;
  readonly #partition: number;
  /** By patient key, then by consent id. */
  readonly #consents = new Map<string, Map<string, Consent>>();
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

  of(patientKey: string): readonly Consent[] {
    return [...(this.#consents.get(patientKey)?.values() ?? [])];
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
    if (!decoded.ok || decoded.value.body.kind !== "consent") return;
    const consent = decoded.value.body;
    if (consent.patientKey !== record.key) return;
    const known = this.#consents.getOrInsertComputed(consent.patientKey, () => new Map());
    const before = known.get(consent.id);
    if (before === undefined || consent.version >= before.version) known.set(consent.id, consent);
  }
}

export interface ConsentTable {
  /** The newest version of each of a patient's consents, as the log has them now. Codes: `log-unavailable`, `unknown-schema-id` (both retry). */
  of(patientKey: string): Promise<readonly Consent[]>;
  close(): Promise<void>;
}

export const consentTable = (log: Log, wire: Wire): ConsentTable => {
  const partitions = Array.from({ length: events.partitions }, (_, p) => new Partition(log, wire, p));
  return {
    async of(patientKey) {
      const partition = partitions[partitionOf(patientKey, partitions.length)];
      await partition?.catchUp();
      return partition?.of(patientKey) ?? [];
    },
    async close() {
      await Promise.all(partitions.map((p) => p.close()));
    },
  };
};
