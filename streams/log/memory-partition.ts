/** One partition in memory: records with gapless offsets, bounds, and readers that are woken by an append. */
import { firstFrom } from "./first-from.ts";
import type { LogRecord, Reader } from "./log.ts";
import { closed, offsetOutOfRange } from "./refusal.ts";
import { Signal, type Timer } from "./signal.ts";

/** What is made of one reading must die young: of 5,000 at once V8 keeps it all, and collects for longer than it works (test/bench, promotion). */
const readRecordsMax = 1_000;

export class MemoryPartition {
  readonly arrived = new Signal();
  readonly #topic: string;
  readonly #partition: number;
  readonly #retain: number | undefined;
  readonly #records: LogRecord[] = [];
  #start = 0;
  #stampMs = Number.NEGATIVE_INFINITY;

  constructor(topic: string, partition: number, retain: number | undefined) {
    this.#topic = topic;
    this.#partition = partition;
    this.#retain = retain;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#records.length;
  }

  firstSince(stampMs: number): number {
    return firstFrom(this.#start, this.end, (offset) => (this.#records[offset - this.#start]?.stampMs ?? 0) >= stampMs);
  }

  append(key: string, value: Uint8Array, nowMs: number): void {
    this.#stampMs = Math.max(this.#stampMs, nowMs);
    this.#records.push({ offset: this.end, key, value, stampMs: this.#stampMs });
    if (this.#retain !== undefined && this.#records.length > this.#retain * 1.1 + 1) this.trim(this.end - this.#retain);
  }

  trim(beforeOffset: number): void {
    const start = Math.min(Math.max(beforeOffset, this.#start), this.end);
    this.#records.splice(0, start - this.#start);
    this.#start = start;
  }

  /** Reads from there on for as long as `logOpen` says so. */
  reader(from: number | "start" | "end", timer: Timer, logOpen: () => boolean): Reader {
    let next = from === "start" ? this.#start : from === "end" ? this.end : from;
    let open = true;
    return {
      next: async (waitMs) => {
        if (!(open && logOpen())) throw closed(`reader of ${this.#topic}/${this.#partition}`);
        const look = (): readonly LogRecord[] | undefined => (open && logOpen() ? this.#read(next) : []);
        const records = (await this.arrived.wait(look, waitMs, timer)) ?? [];
        next = (records.at(-1)?.offset ?? next - 1) + 1;
        return records;
      },
      close: async () => {
        open = false;
        this.arrived.notify();
      },
    };
  }

  #read(from: number): readonly LogRecord[] | undefined {
    if (from < this.#start || from > this.end)
      throw offsetOutOfRange(this.#topic, this.#partition, from, `: it holds ${this.#start} to ${this.end}`);
    const index = from - this.#start;
    return index === this.#records.length ? undefined : this.#records.slice(index, index + readRecordsMax);
  }
}
