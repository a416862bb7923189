/** Topics and their records in the SQLite file: append, read, bounds, trim. All calls are synchronous. */
import type { DatabaseSync } from "node:sqlite";
import { OperatingError } from "../core/failure.ts";
import { firstFrom } from "./first-from.ts";
import type { Append, LogRecord, Retention, TopicSpec } from "./log.ts";
import * as refusal from "./refusal.ts";
import { offsetOf, recordId } from "./sqlite-database.ts";

interface Edge {
  readonly first: number;
  readonly next: number;
  readonly stamp_ms: number;
}

const readRecordsMax = 1_000;
const readBytesMax = 4 * 1024 * 1024;

export class SqlitePartitions {
  readonly #ids = new Map<string, readonly number[]>();
  readonly #now: () => number;
  readonly #retain: Retention;
  readonly #sql;

  constructor(db: DatabaseSync, now: () => number, retain: Retention) {
    this.#now = now;
    this.#retain = retain;
    this.#sql = {
      topic: db.prepare("select partitions from topics where name = ?"),
      addTopic: db.prepare("insert into topics (name, partitions) values (?, ?)"),
      addPartition: db.prepare("insert into partitions (topic, partition) values (?, ?)"),
      ids: db.prepare("select id from partitions where topic = ? order by partition"),
      edge: db.prepare("select first, next, stamp_ms from partitions where id = ?"),
      setEdge: db.prepare("update partitions set first = ?, next = ?, stamp_ms = ? where id = ?"),
      add: db.prepare("insert into records (id, stamp_ms, key, value) values (?, ?, ?, ?)"),
      read: db.prepare("select id, stamp_ms, key, value from records where id >= ? and id < ? order by id"),
      stamp: db.prepare("select stamp_ms from records where id = ?"),
      drop: db.prepare("delete from records where id >= ? and id < ?"),
    };
  }

  /** Inside a transaction. Codes: `partition-count-changed`. */
  ensure(topics: readonly TopicSpec[]): void {
    const missing = topics.filter(({ name, partitions }) => {
      const row = this.#sql.topic.get(name);
      if (row !== undefined && row["partitions"] !== partitions)
        throw refusal.partitionCountChanged(name, Number(row["partitions"]), partitions);
      return row === undefined;
    });
    for (const { name, partitions } of missing) {
      this.#sql.addTopic.run(name, partitions);
      for (let p = 0; p < partitions; p++) this.#sql.addPartition.run(name, p);
    }
  }

  count(topic: string): number {
    return this.#idsOf(topic).length;
  }

  id(topic: string, partition: number): number {
    const id = this.#idsOf(topic)[partition];
    if (id === undefined) throw refusal.unknownTopic(topic, partition);
    return id;
  }

  bounds(id: number): { readonly start: number; readonly end: number } {
    const { first, next } = this.#edge(id);
    return { start: first, end: next };
  }

  /** What another process trims meanwhile was appended before what it keeps. */
  firstSince(id: number, stampMs: number): number {
    const { first, next } = this.#edge(id);
    return firstFrom(first, next, (offset) => {
      const row = this.#sql.stamp.get(recordId(id, offset));
      return row !== undefined && Number(row["stamp_ms"]) >= stampMs;
    });
  }

  /** Inside a transaction. Stamps never go back within a partition. */
  append(records: readonly Append[]): void {
    const nowMs = this.#now();
    const edges = new Map<number, { first: number; next: number; stampMs: number; topic: string }>();
    for (const { topic, partition, key, value } of records) {
      const id = this.id(topic, partition);
      const edge = edges.getOrInsertComputed(id, () => {
        const { first, next, stamp_ms } = this.#edge(id);
        return { first, next, stampMs: Math.max(stamp_ms, nowMs), topic };
      });
      this.#sql.add.run(recordId(id, edge.next++), edge.stampMs, key, value);
    }
    for (const [id, { first, next, stampMs, topic }] of edges)
      this.#sql.setEdge.run(this.#retained(id, topic, first, next), next, stampMs, id);
  }

  /** What there is from an offset on, bounded in count and bytes; undefined if nothing. Codes: `offset-out-of-range`. */
  read(topic: string, partition: number, from: number): readonly LogRecord[] | undefined {
    const id = this.id(topic, partition);
    try {
      const records = this.#rows(id, from);
      if (records[0]?.offset === from) return records;
      const { start, end } = this.bounds(id);
      if (from < start || from > end)
        throw refusal.offsetOutOfRange(topic, partition, from, `: it holds ${start} to ${end}`);
      return undefined;
    } catch (error) {
      throw error instanceof OperatingError ? error : refusal.unavailable(`${topic}/${partition}`, error);
    }
  }

  #rows(id: number, from: number): readonly LogRecord[] {
    const records: LogRecord[] = [];
    let bytes = 0;
    for (const row of this.#sql.read.iterate(recordId(id, from), recordId(id + 1, 0))) {
      const value = row["value"] as Uint8Array;
      records.push({
        offset: offsetOf(Number(row["id"])),
        key: String(row["key"]),
        value,
        stampMs: Number(row["stamp_ms"]),
      });
      bytes += value.length;
      if (records.length >= readRecordsMax || bytes >= readBytesMax) break;
    }
    return records;
  }

  /** Inside a transaction. */
  trim(id: number, beforeOffset: number): void {
    const { first, next, stamp_ms } = this.#edge(id);
    const start = Math.min(Math.max(beforeOffset, first), next);
    this.#sql.drop.run(recordId(id, first), recordId(id, start));
    this.#sql.setEdge.run(start, next, stamp_ms, id);
  }

  /** Trims a tenth at a time, so that not every append deletes. */
  #retained(id: number, topic: string, first: number, next: number): number {
    const keep = this.#retain(topic);
    if (keep === undefined || next - first <= keep * 1.1 + 1) return first;
    this.#sql.drop.run(recordId(id, first), recordId(id, next - keep));
    return next - keep;
  }

  #edge(id: number): Edge {
    return this.#sql.edge.get(id) as unknown as Edge;
  }

  #idsOf(topic: string): readonly number[] {
    const known = this.#ids.get(topic);
    if (known !== undefined) return known;
    const ids = this.#sql.ids.all(topic).map((row) => Number(row["id"]));
    if (ids.length === 0) throw refusal.unknownTopic(topic);
    this.#ids.set(topic, ids);
    return ids;
  }
}
