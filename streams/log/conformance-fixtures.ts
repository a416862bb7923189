/** What the parts of the conformance suite share: short ways to write, read and wait. */
import { expect, vi } from "vitest";
import type { Append, Log, LogRecord, PartitionHandler } from "./log.ts";
import type { Subject, Storage } from "./conformance.ts";
import type { TrimmableLog } from "./log.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array): string => new TextDecoder().decode(value);

export const record = (topic: string, partition: number, value: string, key = "monitor-1"): Append => ({
  topic,
  partition,
  key,
  value: bytes(value),
});

export const numbers = (topic: string, partition: number, from: number, to: number): Append[] =>
  Array.from({ length: to - from }, (_, i) => record(topic, partition, String(from + i)));

/** Runs a story on a fresh subject and closes every log that it opened. */
export const withLogs = async (
  subject: () => Subject,
  story: (open: Storage, subject: Subject) => Promise<void>,
): Promise<void> => {
  const opened = new Set<TrimmableLog>();
  const one = subject();
  try {
    await story(async () => {
      const log = await one.open();
      opened.add(log);
      return log;
    }, one);
  } finally {
    await Promise.all([...opened].map((log) => log.close()));
  }
};

export const append = async (log: Log, records: readonly Append[]): Promise<void> => {
  const appender = await log.appender("test");
  await appender.append(records);
  await appender.close();
};

/** Everything from an offset up to the end as it is now. */
export const readAll = async (
  log: Log,
  topic: string,
  partition: number,
  from: number | "start" = "start",
): Promise<LogRecord[]> => {
  const { end } = await log.bounds(topic, partition);
  const reader = await log.reader(topic, partition, from);
  const records: LogRecord[] = [];
  while ((records.at(-1)?.offset ?? -1) + 1 < end) {
    const next = await reader.next(5_000);
    if (next.length === 0) break;
    records.push(...next);
  }
  await reader.close();
  return records;
};

export const values = (records: readonly LogRecord[]): string[] => records.map(({ value }) => text(value));

export const refusesWith = async (promise: Promise<unknown>, code: string): Promise<void> => {
  await expect(promise).rejects.toMatchObject({ name: "OperatingError", code });
};

export const eventually = (check: () => void | Promise<void>, timeoutMs: number): Promise<void> =>
  vi.waitFor(check, { timeout: timeoutMs, interval: 20 });

/** A subscriber that notes what happens to each partition and keeps its own offsets, like a task with a checkpoint. */
export class Subscriber {
  readonly seen = new Map<number, LogRecord[]>();
  readonly events: string[] = [];
  /** Where each partition starts; what has been processed moves it. Shared between subscribers that take over from each other. */
  readonly offsets: Map<number, number>;
  /** Called before a batch is taken; may reject. */
  beforeBatch: (partition: number, records: readonly LogRecord[]) => Promise<void> = async () => {};

  constructor(offsets = new Map<number, number>()) {
    this.offsets = offsets;
  }

  readonly handler = (partition: number): PartitionHandler => ({
    open: async () => {
      this.events.push(`open ${partition}`);
      return this.offsets.get(partition) ?? 0;
    },
    process: async (records) => {
      await this.beforeBatch(partition, records);
      this.seen.getOrInsertComputed(partition, () => []).push(...records);
      this.offsets.set(partition, (records.at(-1)?.offset ?? -1) + 1);
    },
    close: async () => {
      this.events.push(`close ${partition}`);
    },
  });

  values(partition: number): string[] {
    return values(this.seen.get(partition) ?? []);
  }
}
