/**
 * What each destination has taken so far, folded from clinical.deliveries. Read from the log's start at the first question and from then on
 * only what is new: it is asked about retractions and about what a person has sent again, not about each write.
 */
import { deliveries } from "../../schemas/topics.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { schemaIdOf, type Wire } from "../core/wire.ts";
import { nothingStands, resourceKey, standingAfter, type Standing, type StandingOf } from "../io/outbox/standing.ts";
import type { Log, LogRecord, Reader } from "../log/log.ts";

export interface Delivered {
  /** As the log has it now. Codes: `log-unavailable`, `unknown-schema-id` (both may be tried again). */
  readonly standingOf: StandingOf;
  close(): Promise<void>;
}

export const delivered = (log: Log, wire: Wire): Delivered => {
  const partitions = Array.from({ length: deliveries.partitions }, (_, p) => new Partition(log, wire, p));
  return {
    async standingOf(intent) {
      const partition = partitions[partitionOf(intent.patientKey, partitions.length)];
      await partition?.catchUp();
      return partition?.of(resourceKey(intent)) ?? nothingStands;
    },
    close: async () => void (await Promise.all(partitions.map((partition) => partition.close()))),
  };
};

class Partition {
  readonly #log: Log;
  readonly #wire: Wire;
  readonly #partition: number;
  readonly #standing = new Map<string, Standing>();
  #next = 0;
  #reader: Reader | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(log: Log, wire: Wire, partition: number) {
    this.#log = log;
    this.#wire = wire;
    this.#partition = partition;
  }

  of(resource: string): Standing | undefined {
    return this.#standing.get(resource);
  }

  /** Every call sees at least what the log held when it was made. */
  catchUp(): Promise<void> {
    const mine = this.#turn.catch(() => undefined).then(() => this.#read());
    this.#turn = mine;
    return mine;
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    this.#reader = undefined;
  }

  async #read(): Promise<void> {
    const { end } = await this.#log.bounds(deliveries.name, this.#partition);
    try {
      while (this.#next < end) {
        this.#reader ??= await this.#log.reader(deliveries.name, this.#partition, this.#next || "start");
        const records = await this.#reader.next(1000);
        if (records.length === 0) throw away(`${deliveries.name}/${this.#partition}: holds ${end}, gives nothing`);
        for (const record of records) await this.#take(record);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #take(record: LogRecord): Promise<void> {
    let decoded = this.#wire.decode(deliveries, record.value);
    const id = decoded.ok ? null : schemaIdOf(record.value);
    if (!decoded.ok && decoded.problem.reason === "unknown-schema-id" && id !== null && (await this.#wire.learn(id)))
      decoded = this.#wire.decode(deliveries, record.value);
    // what it says may be that something was taken: nothing is guessed
    if (!decoded.ok) throw new OperatingError(decoded.problem.reason, decoded.problem.detail, { retry: true });
    this.#next = record.offset + 1;
    const { body } = decoded.value;
    if (body.kind !== "delivery") return;
    const key = resourceKey(body);
    this.#standing.set(key, standingAfter(this.#standing.get(key) ?? nothingStands, body));
  }
}

const away = (detail: string): OperatingError => new OperatingError("log-unavailable", detail, { retry: true });
