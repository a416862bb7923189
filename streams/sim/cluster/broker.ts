/**
 * What the simulated processes share: topics, state stores and consumer groups, as a broker keeps them. Everything here happens at once
 * and takes effect whole; the network in between (process-log.ts) is what delays, repeats and loses.
 */
import type { Append, LogRecord } from "../../log/log.ts";
import { offsetOutOfRange, partitionCountChanged, unknownTopic } from "../../log/refusal.ts";
import { SimGroup } from "./group.ts";
import type { Schedule, SimProcess } from "./schedule.ts";
import { StatePartition } from "./state-partition.ts";

/** One partition of a topic. Retention moves `start`; the oracle still sees what was before it. */
export class TopicPartition {
  readonly history: LogRecord[] = [];
  readonly #parked = new Set<() => void>();
  readonly #name: string;
  readonly #partition: number;
  start = 0;

  constructor(name: string, partition: number) {
    this.#name = name;
    this.#partition = partition;
  }

  get end(): number {
    return this.history.length;
  }

  append(key: string, value: Uint8Array, stampMs: number): void {
    this.history.push({ offset: this.end, key, value, stampMs });
    const woken = [...this.#parked];
    this.#parked.clear();
    for (const wake of woken) wake();
  }

  /** At most so many records from there on. Throws `offset-out-of-range`. */
  read(from: number, most: number): readonly LogRecord[] {
    if (from < this.start || from > this.end) throw offsetOutOfRange(this.#name, this.#partition, from);
    return this.history.slice(from, from + most);
  }

  /** Wakes once something is appended. Gives a function that takes it back. */
  park(wake: () => void): () => void {
    this.#parked.add(wake);
    return () => this.#parked.delete(wake);
  }
}

export class Broker {
  readonly schedule: Schedule;
  readonly topics = new Map<string, readonly TopicPartition[]>();
  readonly stores = new Map<string, readonly StatePartition[]>();
  readonly #groups = new Map<string, SimGroup>();

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }

  ensure(name: string, partitions: number): void {
    const stands = this.topics.get(name);
    if (stands === undefined)
      this.topics.set(
        name,
        Array.from({ length: partitions }, (_, p) => new TopicPartition(name, p)),
      );
    else if (stands.length !== partitions) throw partitionCountChanged(name, stands.length, partitions);
  }

  partition(topic: string, partition: number): TopicPartition {
    const found = this.topics.get(topic)?.[partition];
    if (found === undefined) throw unknownTopic(topic, partition);
    return found;
  }

  append(records: readonly Append[], stampMs = this.schedule.nowMs): void {
    for (const { topic, partition, key, value } of records)
      this.partition(topic, partition).append(key, value, stampMs);
  }

  state(store: string, partition: number, partitions: number): StatePartition {
    const stands = this.stores.getOrInsertComputed(store, () =>
      Array.from({ length: partitions }, () => new StatePartition()),
    );
    if (stands.length !== partitions) throw partitionCountChanged(store, stands.length, partitions);
    const found = stands[partition];
    if (found === undefined) throw unknownTopic(store, partition);
    return found;
  }

  group(name: string, topic: string): SimGroup {
    return this.#groups.getOrInsertComputed(
      `${name} of ${topic}`,
      () => new SimGroup(this.topics.get(topic)?.length ?? 0, this.schedule),
    );
  }

  /** Every group's coordinator gives up on a process, dead or only silent. */
  expel(process: SimProcess): void {
    for (const group of this.#groups.values()) group.expel(process);
  }
}
