/**
 * The Log port: partitioned, ordered, durable topics, and the state of tasks. Three implementations (memory, SQLite, Kafka)
 * pass one conformance suite. Everything rejects with OperatingError; codes are listed at each call, and any call may meet `unknown-topic`
 * (never ensured) or `closed`.
 */

export interface LogRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array;
  /** The log's own append stamp in wall-clock ms. */
  readonly stampMs: number;
}

export interface Append {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Uint8Array;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
}

/** Sends in order with one request in flight. A rejected append may have been stored: repeat it or give up, but know that. */
export interface Appender {
  /** Resolves when every record is durable; records of one partition keep their order. Codes: `log-unavailable`, `record-too-large`. */
  append(records: readonly Append[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads one partition from an offset, without a group. For state, boards, taps and tests. */
export interface Reader {
  /** The next records, or [] after `waitMs` with nothing new. Codes: `log-unavailable`, `offset-out-of-range`. */
  next(waitMs: number): Promise<readonly LogRecord[]>;
  close(): Promise<void>;
}

/** What one owner of a task may do. A newer claim fences it: from then on every commit rejects with `fenced`. */
export interface Owner {
  /** The committed state up to this owner's claim, by key. Codes: `fenced`, `log-unavailable`. */
  load(): Promise<ReadonlyMap<string, Uint8Array>>;
  /** The second claim: only an owner that is not fenced may step (counterexample C11). Codes: `fenced`. */
  confirm(): Promise<void>;
  /** All or nothing, once `confirm` has resolved. A null value removes the key. Codes: `fenced`, `commit-unsure`: either ends the owner. */
  commit(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void>;
  close(): Promise<void>;
}

/** What handles one partition of a subscription while this process has it. */
export interface PartitionHandler {
  /** Takes over; gives the offset to read from, 0 for the first one kept. Also called again after a rejection, then behind `close`. */
  open(): Promise<number>;
  /**
   * Consecutive records from that offset on. The next batch comes when this resolves. After a rejection that is retryable, `fenced` or
   * `commit-unsure` the partition is reopened after a pause; any other one ends the subscription, whose `done` rejects with it.
   */
  process(records: readonly LogRecord[]): Promise<void>;
  /** The partition was lost or the subscription closes: stop at once, start nothing new. May come more than once, and while `open` or `process` run. */
  close(): Promise<void>;
  /** Told once of each error that closes the partition, to be reopened or not: a rejection of `open`, `process` or `close`, or of the reading. */
  failed?(error: unknown): void;
}

export interface Subscription {
  /** Partitions that this process has now. */
  readonly partitions: readonly number[];
  /** Resolves when closed; rejects if it can't go on. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

export interface Log {
  /** Creates what is missing. Codes: `partition-count-changed`, `log-unavailable`. */
  ensure(topics: readonly TopicSpec[]): Promise<void>;
  appender(name: string): Promise<Appender>;
  reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader>;
  /** First offset kept and the next one to be written. */
  bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }>;
  /** The first offset kept that was appended at a stamp (ms) or later; the end where there is none. Reads no record. Codes: `log-unavailable`. */
  firstSince(topic: string, partition: number, stampMs: number): Promise<number>;
  /** Members of one group share the partitions of a topic; each partition has one handler at a time. `group` is also where lag is shown. */
  subscribe(group: string, topic: string, handler: (partition: number) => PartitionHandler): Promise<Subscription>;
  /**
   * Becomes the owner of a task's state. `store` names the state store (a compacted topic, of `partitions` partitions, created when missing).
   * Codes: `log-unavailable`.
   */
  claim(store: string, partition: number, partitions: number): Promise<Owner>;
  /** A task's state as last committed, without a claim: to be looked at, never to step from. Empty where there is none. Codes: `log-unavailable`. */
  snapshot(store: string, partition: number): Promise<ReadonlyMap<string, Uint8Array>>;
  /** How far a group has come, for lag: the next offset it would read, per partition; undefined where it has none. */
  progress(group: string, topic: string): Promise<readonly (number | undefined)[]>;
  /** Publishes how far a group has come. Only shows lag: restarts never read it. */
  report(group: string, topic: string, partition: number, next: number): Promise<void>;
  close(): Promise<void>;
}

/** How many records a partition keeps, by topic; undefined keeps all. Older ones are trimmed as new ones come. */
export type Retention = (topic: string) => number | undefined;

export interface TrimmableLog extends Log {
  /** Forgets the records below an offset (at most up to the end): `bounds().start` moves there. */
  trim(topic: string, partition: number, beforeOffset: number): Promise<void>;
}
