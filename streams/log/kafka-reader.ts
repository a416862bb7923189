/** Reads one partition of Kafka without a group, in slices, through short absences of the broker. */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../core/failure.ts";
import type { PartitionFetch } from "./kafka-fetch.ts";
import type { RawMessage } from "./kafka-protocol.ts";
import type { LogRecord, Reader } from "./log.ts";
import { closed, unavailable } from "./refusal.ts";

const pollMsMax = 1_000;
/** How long the broker may be away before the reader says so. */
const awayMsMax = 10_000;
const retryPauseMs = 200;
const sliceMax = 5_000;

export class KafkaReader implements Reader {
  readonly #fetch: PartitionFetch;
  readonly #name: string;
  readonly #closing = Promise.withResolvers<void>();
  #next: number;
  #fetched: readonly RawMessage[] = [];
  #at = 0;
  #open = true;

  constructor(fetch: PartitionFetch, name: string, from: number) {
    this.#fetch = fetch;
    this.#name = name;
    this.#next = from;
  }

  async next(waitMs: number): Promise<readonly LogRecord[]> {
    if (!this.#open) throw closed(`reader of ${this.#name}`);
    const untilMs = performance.now() + waitMs;
    while (this.#open && this.#at === this.#fetched.length) {
      const leftMs = Math.max(0, untilMs - performance.now());
      await Promise.race([this.#fetchMore(Math.ceil(Math.min(leftMs, pollMsMax))), this.#closing.promise]);
      if (performance.now() >= untilMs) break;
    }
    return this.#open ? this.#slice() : [];
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#closing.resolve();
    await this.#fetch.close();
  }

  #slice(): readonly LogRecord[] {
    const slice = this.#fetched.slice(this.#at, this.#at + sliceMax);
    this.#at += slice.length;
    return slice.map(toRecord);
  }

  async #fetchMore(waitMs: number): Promise<void> {
    const sinceMs = performance.now();
    while (this.#open)
      try {
        const { messages, next } = await this.#fetch.fetch(this.#next, waitMs);
        if (!this.#open) return;
        this.#fetched = messages;
        this.#at = 0;
        this.#next = next;
        return;
      } catch (error) {
        if (!this.#open) return;
        if (error instanceof OperatingError) throw error;
        if (performance.now() - sinceMs > awayMsMax) throw unavailable(`reading ${this.#name}`, error);
        await Promise.race([sleep(retryPauseMs), this.#closing.promise]);
      }
  }
}

const toRecord = ({ offset, key, value, timestamp }: RawMessage): LogRecord => ({
  offset: Number(offset),
  key: key?.toString("utf8") ?? "",
  value: value ?? new Uint8Array(0),
  stampMs: Number(timestamp),
});
