/**
 * The Log in one SQLite file, for the embedded way, edge gateways and the alert circuit. Readers are woken at once by this
 * process's appends and within {@link pollMs} by those of other processes that have the file open.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Append, Appender, Log, Reader, Retention, TopicSpec, TrimmableLog } from "./log.ts";
import { isFatal } from "./pump.ts";
import * as refusal from "./refusal.ts";
import { SharedSubscription } from "./shared-subscription.ts";
import { realTimer, Signal } from "./signal.ts";
import { openDatabase } from "./sqlite-database.ts";
import { beatMs, SqliteGroups } from "./sqlite-group.ts";
import { SqliteStates } from "./sqlite-owner.ts";
import { SqlitePartitions } from "./sqlite-partitions.ts";
import { SqliteProgress } from "./sqlite-progress.ts";
import { SqliteWriter } from "./sqlite-writer.ts";

export interface SqliteLogOptions {
  /** Path of the file; created when missing. Beside it come FILE-wal and FILE-shm. */
  readonly file: string;
  /** Stamps records, in ms. */
  readonly clock?: () => number;
  readonly retain?: Retention;
}

const pollMs = 25;

/** Throws `log-unavailable` when the file cannot be opened. */
export const sqliteLog = (options: SqliteLogOptions): TrimmableLog => new SqliteLog(options);

class SqliteLog implements TrimmableLog {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #writer: SqliteWriter;
  readonly #partitions: SqlitePartitions;
  readonly #states: SqliteStates;
  readonly #groups: SqliteGroups;
  readonly #progress: SqliteProgress;
  readonly #arrived = new Map<number, Signal>();
  readonly #appended = new Set<number>();
  readonly #subscriptions = new Set<SharedSubscription>();
  readonly #version;
  #poll: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  #seenVersion: unknown;
  #closed = false;

  constructor({ file, clock = Date.now, retain = () => undefined }: SqliteLogOptions) {
    this.#file = file;
    this.#db = openDatabase(file);
    this.#writer = new SqliteWriter(this.#db, file, () => this.#wakeAppended());
    this.#partitions = new SqlitePartitions(this.#db, clock, retain);
    this.#states = new SqliteStates(this.#db, this.#writer);
    this.#groups = new SqliteGroups(this.#db, this.#writer);
    this.#progress = new SqliteProgress(this.#db);
    this.#version = this.#db.prepare("pragma data_version");
  }

  async ensure(topics: readonly TopicSpec[]): Promise<void> {
    await this.#writer.run(() => this.#partitions.ensure(topics));
  }

  async appender(name: string): Promise<Appender> {
    this.#assertOpen();
    let open = true;
    return {
      append: async (records) => {
        if (!open) throw refusal.closed(`appender ${name}`);
        await this.#append(records);
      },
      close: async () => {
        open = false;
      },
    };
  }

  async reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader> {
    const id = this.#id(topic, partition);
    const { start, end } = this.#partitions.bounds(id);
    const arrived = this.#arrived.getOrInsertComputed(id, () => new Signal());
    let next = from === "start" ? start : from === "end" ? end : from;
    let open = true;
    this.#watch();
    return {
      next: async (waitMs) => {
        if (!open) throw refusal.closed(`reader of ${topic}/${partition}`);
        this.#assertOpen();
        const look = () => (open && !this.#closed ? this.#partitions.read(topic, partition, next) : []);
        const records = (await arrived.wait(look, waitMs, realTimer)) ?? [];
        next = (records.at(-1)?.offset ?? next - 1) + 1;
        return records;
      },
      close: async () => {
        open = false;
        arrived.notify();
      },
    };
  }

  async bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    return this.#partitions.bounds(this.#id(topic, partition));
  }

  async firstSince(topic: string, partition: number, stampMs: number): Promise<number> {
    return this.#partitions.firstSince(this.#id(topic, partition), stampMs);
  }

  async trim(topic: string, partition: number, beforeOffset: number): Promise<void> {
    const id = this.#id(topic, partition);
    await this.#writer.run(() => this.#partitions.trim(id, beforeOffset));
  }

  async subscribe(...[group, topic, handler]: Parameters<Log["subscribe"]>): ReturnType<Log["subscribe"]> {
    this.#assertOpen();
    const membership = await this.#groups.join(group, topic, this.#partitions.count(topic));
    const subscription = new SharedSubscription({
      membership,
      handler,
      read: (partition, from) => this.reader(topic, partition, from),
      timer: realTimer,
    });
    this.#subscriptions.add(subscription);
    this.#watch();
    this.#beat ??= setInterval(() => this.#beatNow(), beatMs);
    return subscription;
  }

  async claim(store: string, partition: number, partitions: number): ReturnType<Log["claim"]> {
    return this.#states.claim(store, partition, partitions);
  }

  async snapshot(store: string, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#assertOpen();
    return this.#states.snapshot(store, partition);
  }

  async progress(group: string, topic: string): Promise<readonly (number | undefined)[]> {
    this.#assertOpen();
    return this.#progress.read(group, topic, this.#partitions.count(topic));
  }

  async report(group: string, topic: string, partition: number, next: number): Promise<void> {
    this.#id(topic, partition);
    if (!this.#progress.put(group, topic, partition, next)) return;
    // One write for many reports, and nobody waits for it: it only shows lag.
    setTimeout(() => {
      if (!this.#closed) this.#writer.run(() => this.#progress.write()).catch(throwFatal);
    }, beatMs);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.all([...this.#subscriptions].map((one) => one.close()));
    if (this.#closed) return;
    clearInterval(this.#poll);
    clearInterval(this.#beat);
    this.#writer.run(() => this.#progress.write()).catch(throwFatal);
    this.#writer.close();
    this.#closed = true;
    for (const arrived of this.#arrived.values()) arrived.notify();
    this.#db.close();
  }

  async #append(records: readonly Append[]): Promise<void> {
    const ids = new Set<number>();
    for (const { topic, partition, key, value } of records) {
      const bytes = value.length + key.length;
      if (bytes > refusal.recordBytesMax) throw refusal.recordTooLarge(topic, key, bytes);
      ids.add(this.#id(topic, partition));
    }
    await this.#writer.run(() => {
      this.#partitions.append(records);
      for (const id of ids) this.#appended.add(id);
    }, records.length);
  }

  #id(topic: string, partition: number): number {
    this.#assertOpen();
    return this.#partitions.id(topic, partition);
  }

  #wakeAppended(): void {
    for (const id of this.#appended) this.#arrived.get(id)?.notify();
    this.#appended.clear();
  }

  #watch(): void {
    this.#poll ??= setInterval(() => this.#look(), pollMs);
  }

  /** `data_version` moves when another connection has committed. */
  #look(): void {
    const version = this.#version.get()?.["data_version"];
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    for (const arrived of this.#arrived.values()) arrived.notify();
    if (this.#groups.stale()) this.#beatNow();
  }

  /** A beat that fails for now is made up for by the next one; one missed too often costs the lease. */
  #beatNow(): void {
    this.#groups.beat().catch(throwFatal);
  }

  #assertOpen(): void {
    if (this.#closed) throw refusal.closed(this.#file);
  }
}

const throwFatal = (error: unknown): void => {
  if (isFatal(error)) throw error;
};
