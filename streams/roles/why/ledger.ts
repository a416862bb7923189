/**
 * Reads a log as a ledger: one record at its place, all of a topic or of a key, and what was appended about a time. Nothing is claimed and
 * nobody is fenced. A record that was trimmed or can't be read is not found.
 */
import { partitionOf } from "../../core/hash.ts";
import type { Position } from "../../core/position.ts";
import type { AnyTopic, BodyOf } from "../../core/stage.ts";
import type { InputRecord } from "../../core/task.ts";
import type { LogTime } from "../../core/time.ts";
import type { Wire } from "../../core/wire.ts";
import { heldRecords } from "../../log/held-records.ts";
import type { Log } from "../../log/log.ts";
import type { Place } from "../../../schemas/why.ts";

export interface Page<B> {
  readonly at: Place;
  readonly key: string;
  readonly stampMs: number;
  /** Null where a source appended it. */
  readonly position: Position | null;
  /** Null on a raw topic, whose log stamps it. */
  readonly logTime: LogTime | null;
  readonly body: B;
}

export class Ledger {
  readonly #log: Log;
  readonly #wire: Wire;

  constructor(log: Log, wire: Wire) {
    this.#log = log;
    this.#wire = wire;
  }

  /** The record at a place; undefined where it is trimmed or can't be read. */
  async at<T extends AnyTopic>(topic: T, partition: number, offset: number): Promise<Page<BodyOf<T>> | undefined> {
    for await (const page of this.from(topic, partition, offset, offset + 1)) return page;
    return undefined;
  }

  /** What came out of a record is traced back to it: the record at a position. */
  async behind<T extends AnyTopic>(topic: T, position: Position | null): Promise<Page<BodyOf<T>> | undefined> {
    return position === null || position.topic !== topic.name
      ? undefined
      : this.at(topic, position.partition, position.offset);
  }

  /** Every record of a key, in order; where a stamp (ms) is given, those appended since. */
  ofKey<T extends AnyTopic>(topic: T, key: string, sinceMs?: number): Promise<readonly Page<BodyOf<T>>[]> {
    return this.#those(topic, [partitionOf(key, topic.partitions)], (page) => page.key === key, sinceMs);
  }

  /** Every record of a topic that is asked for, partition by partition; where a stamp (ms) is given, of those appended since. */
  those<T extends AnyTopic>(
    topic: T,
    wanted: (body: BodyOf<T>) => boolean,
    sinceMs?: number,
  ): Promise<readonly Page<BodyOf<T>>[]> {
    return this.#those(topic, partitionsOf(topic), ({ body }) => wanted(body), sinceMs);
  }

  /** Records of a partition from an offset up to an end, as far as they are kept and can be read. */
  async *from<T extends AnyTopic>(
    topic: T,
    partition: number,
    offset: number,
    endOffset = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Page<BodyOf<T>>> {
    const ports = { log: this.#log, wire: this.#wire };
    for await (const record of heldRecords(ports, topic, partition, { from: offset, before: endOffset })) {
      const page = pageOf<BodyOf<T>>(topic, partition, record);
      if (page !== undefined) yield page;
    }
  }

  /**
   * The first offset whose record was told at or after a log time, by halving: log times of a partition go up but for what its upstreams are apart,
   * so leave a margin. The end where there is none.
   */
  async seek(topic: AnyTopic, partition: number, logTime: number): Promise<number> {
    const { start, end } = await this.#log.bounds(topic.name, partition);
    let [low, high] = [start, end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const told = await this.#timeFrom(topic, partition, middle, high);
      if (told === undefined || told >= logTime) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The log time of the first record from an offset on that has one. */
  async #timeFrom(topic: AnyTopic, partition: number, from: number, to: number): Promise<number | undefined> {
    for await (const { logTime, stampMs } of this.from(topic, partition, from, to)) return logTime ?? stampMs;
    return undefined;
  }

  async #those<T extends AnyTopic>(
    topic: T,
    partitions: readonly number[],
    wanted: (page: Page<BodyOf<T>>) => boolean,
    sinceMs: number | undefined,
  ): Promise<readonly Page<BodyOf<T>>[]> {
    const found: Page<BodyOf<T>>[] = [];
    for (const partition of partitions) {
      const first = sinceMs === undefined ? 0 : await this.#log.firstSince(topic.name, partition, sinceMs);
      for await (const page of this.from(topic, partition, first))
        if (page.key !== "" && wanted(page)) found.push(page);
    }
    return found;
  }
}

const partitionsOf = (topic: AnyTopic): readonly number[] => Array.from({ length: topic.partitions }, (_, p) => p);

const pageOf = <B>(topic: AnyTopic, partition: number, record: InputRecord): Page<B> | undefined => {
  const { decoded, offset, key, stampMs } = record;
  if (!decoded.ok) return undefined;
  const { position, logTime, body } = decoded.value;
  return { at: { topic: topic.name, partition, offset }, key, stampMs, position, logTime, body: body as B };
};
