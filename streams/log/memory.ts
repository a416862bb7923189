/**
 * The Log in memory, for tests and the simulator. The clock that stamps and the timer that ends a reader's waiting are
 * injected; everything else moves by promises alone, so that a run is repeatable.
 */
import * as refusal from "./refusal.ts";
import type { Append, Appender, Log, Reader, Retention, TopicSpec, TrimmableLog } from "./log.ts";
import { MemoryGroup } from "./memory-group.ts";
import { MemoryPartition } from "./memory-partition.ts";
import { MemoryStore } from "./memory-store.ts";
import { Slab } from "./slab.ts";
import { SharedSubscription } from "./shared-subscription.ts";
import { realTimer, type Timer } from "./signal.ts";

export interface MemoryLogOptions {
  /** Stamps records, in ms. Stamps of a partition never go back even if this does. */
  readonly now?: () => number;
  readonly timer?: Timer;
  readonly retain?: Retention;
}

export const memoryLog = (options: MemoryLogOptions = {}): TrimmableLog => new MemoryLog(options);

class MemoryLog implements TrimmableLog {
  readonly #now: () => number;
  readonly #timer: Timer;
  readonly #retain: Retention;
  readonly #topics = new Map<string, readonly MemoryPartition[]>();
  readonly #stores = new Map<string, MemoryStore>();
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #progress = new Map<string, number>();
  readonly #slab = new Slab();
  readonly #subscriptions = new Set<SharedSubscription>();
  readonly #isOpen = (): boolean => !this.#closed;
  #closed = false;

  constructor(options: MemoryLogOptions) {
    this.#now = options.now ?? Date.now;
    this.#timer = options.timer ?? realTimer;
    this.#retain = options.retain ?? (() => undefined);
  }

  async ensure(topics: readonly TopicSpec[]): Promise<void> {
    this.#assertOpen();
    for (const { name, partitions } of topics) {
      const stands = this.#topics.get(name)?.length ?? partitions;
      if (stands !== partitions) throw refusal.partitionCountChanged(name, stands, partitions);
    }
    for (const { name, partitions } of topics)
      this.#topics.getOrInsertComputed(name, () =>
        Array.from({ length: partitions }, (_, p) => new MemoryPartition(name, p, this.#retain(name))),
      );
  }

  async appender(name: string): Promise<Appender> {
    this.#assertOpen();
    let open = true;
    return {
      append: async (records) => {
        if (!open) throw refusal.closed(`appender ${name}`);
        this.#append(records);
      },
      close: async () => {
        open = false;
      },
    };
  }

  async reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader> {
    return this.#partition(topic, partition).reader(from, this.#timer, this.#isOpen);
  }

  async bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const { start, end } = this.#partition(topic, partition);
    return { start, end };
  }

  async firstSince(topic: string, partition: number, stampMs: number): Promise<number> {
    return this.#partition(topic, partition).firstSince(stampMs);
  }

  async trim(topic: string, partition: number, beforeOffset: number): Promise<void> {
    this.#partition(topic, partition).trim(beforeOffset);
  }

  async subscribe(...[group, topic, handler]: Parameters<Log["subscribe"]>): ReturnType<Log["subscribe"]> {
    const partitions = this.#partitions(topic).length;
    const shared = this.#groups.getOrInsertComputed(`${group}\n${topic}`, () => new MemoryGroup(partitions));
    const subscription = new SharedSubscription({
      membership: shared.join(),
      handler,
      read: (partition, from) => this.reader(topic, partition, from),
      timer: this.#timer,
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async claim(store: string, partition: number, partitions: number): ReturnType<Log["claim"]> {
    this.#assertOpen();
    const stands = this.#stores.getOrInsertComputed(store, () => new MemoryStore(store, partitions));
    return stands.claim(partition, partitions);
  }

  async snapshot(store: string, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#assertOpen();
    return this.#stores.get(store)?.snapshot(partition) ?? new Map();
  }

  async progress(group: string, topic: string): Promise<readonly (number | undefined)[]> {
    return this.#partitions(topic).map((_, p) => this.#progress.get(`${group}\n${topic}\n${p}`));
  }

  async report(group: string, topic: string, partition: number, next: number): Promise<void> {
    this.#partition(topic, partition);
    this.#progress.set(`${group}\n${topic}\n${partition}`, next);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((one) => one.close()));
    this.#closed = true;
    for (const partition of [...this.#topics.values()].flat()) partition.arrived.notify();
  }

  /** Checks every record before the first is taken. */
  #append(records: readonly Append[]): void {
    const taken = records.map((record) => {
      const bytes = record.value.length + record.key.length;
      if (bytes > refusal.recordBytesMax) throw refusal.recordTooLarge(record.topic, record.key, bytes);
      return { partition: this.#partition(record.topic, record.partition), record };
    });
    const now = this.#now();
    for (const { partition, record } of taken) partition.append(record.key, this.#slab.copied(record.value), now);
    for (const partition of new Set(taken.map((one) => one.partition))) partition.arrived.notify();
  }

  #partitions(topic: string): readonly MemoryPartition[] {
    this.#assertOpen();
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw refusal.unknownTopic(topic);
    return partitions;
  }

  #partition(topic: string, partition: number): MemoryPartition {
    const found = this.#partitions(topic)[partition];
    if (found === undefined) throw refusal.unknownTopic(topic, partition);
    return found;
  }

  #assertOpen(): void {
    if (this.#closed) throw refusal.closed("the log");
  }
}
