/**
 * Looks at a stage from outside: its state as committed or as it was before an offset, one entry stepped alone, and how far each partition
 * has come. Nothing is claimed and nothing is written, so it is safe beside a stage that runs.
 */
import { type Checkpoint, checkpointOf, storedStateOf, type StoredState, storeOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { AnyStage, AnyTopic } from "../core/stage.ts";
import { type InputRecord, type OutputRecord, Task } from "../core/task.ts";
import { scaleTime } from "../core/time.ts";
import type { Topology } from "../core/topology.ts";
import type { Wire } from "../core/wire.ts";
import type { Log, LogRecord } from "./log.ts";
import { decodeAll } from "./decode.ts";

export interface Viewed {
  readonly log: Log;
  readonly wire: Wire;
  readonly topology: Topology;
}

/** A task's stored entries as they were when it was about to read `next`. */
export interface TaskView {
  readonly next: number;
  readonly stored: ReadonlyMap<string, Uint8Array>;
  /** `replayed`: stepped again from the start of the log by the code at hand; else as some owner committed it. */
  readonly from: "committed" | "replayed";
}

const readMs = 2_000;

/** What the task last committed. */
export const committedView = async ({ log }: Viewed, stage: AnyStage, partition: number): Promise<TaskView> => {
  const stored = await log.snapshot(storeOf(stage), partition);
  return { next: checkpointOf(stored)?.next ?? 0, stored, from: "committed" };
};

/**
 * The task before it read `offset`, by stepping on from what is committed or, for the past, from the log's start.
 * Codes: `input-trimmed` where the log no longer holds its start, `offset-out-of-range` beyond its end.
 */
export const viewBefore = async (
  viewed: Viewed,
  stage: AnyStage,
  partition: number,
  offset: number,
): Promise<TaskView> => {
  const { start, end } = await viewed.log.bounds(stage.reads.name, partition);
  if (offset > end)
    throw new OperatingError("offset-out-of-range", `${stage.reads.name}/${partition} ends at ${end}`, {
      retry: false,
    });
  const committed = await committedView(viewed, stage, partition);
  if (committed.next === offset) return committed;
  if (committed.next < offset) return await stepOn(viewed, stage, partition, committed, offset);
  if (start > 0)
    throw new OperatingError(
      "input-trimmed",
      `${stage.reads.name}/${partition} begins at ${start}: what a state before ${committed.next} came from is no longer kept`,
      { retry: false },
    );
  return await stepOn(viewed, stage, partition, { next: 0, stored: new Map(), from: "replayed" }, offset);
};

const stepOn = async (
  viewed: Viewed,
  stage: AnyStage,
  partition: number,
  from: TaskView,
  offset: number,
): Promise<TaskView> => {
  const stored = new Map(from.stored);
  const task = taskOf(viewed, stage, partition, stored);
  const reader = await viewed.log.reader(stage.reads.name, partition, from.next);
  try {
    while (task.next < offset) {
      const records = (await reader.next(readMs)).filter((record) => record.offset < offset);
      if (records.length === 0) break;
      task.process(await decodeAll(stage.reads, records, viewed.wire));
      store(task, stored);
    }
  } finally {
    await reader.close();
  }
  return { next: task.next, stored, from: "replayed" };
};

const taskOf = (
  { topology }: Viewed,
  stage: AnyStage,
  partition: number,
  stored: ReadonlyMap<string, Uint8Array>,
): Task => {
  const task = new Task(stage, partition, topology.upstreams(stage.reads.name));
  task.restore(stored);
  return task;
};

const store = (task: Task, stored: Map<string, Uint8Array>): ReadonlySet<string> => {
  const changes = task.checkpoint();
  for (const [key, bytes] of changes)
    if (bytes === null) stored.delete(key);
    else stored.set(key, bytes);
  return new Set(changes.keys());
};

/** One entry, stepped alone. */
export interface SteppedEntry {
  readonly input: InputRecord;
  readonly before: StoredState;
  readonly after: StoredState;
  readonly outputs: readonly OutputRecord[];
}

/** What the stage at hand makes of one entry, from the state before it. Codes: those of `viewBefore`, `offset-out-of-range`. */
export const stepAlone = async (
  viewed: Viewed,
  stage: AnyStage,
  partition: number,
  offset: number,
): Promise<SteppedEntry> => {
  const record = await recordAt(viewed.log, stage.reads, partition, offset);
  const [input] = record === undefined ? [] : await decodeAll(stage.reads, [record], viewed.wire);
  if (input === undefined)
    throw new OperatingError("offset-out-of-range", `${stage.reads.name}/${partition}: no record at ${offset}`, {
      retry: false,
    });
  const stored = new Map((await viewBefore(viewed, stage, partition, offset)).stored);
  const before = storedStateOf(stored, input.key);
  const task = taskOf(viewed, stage, partition, stored);
  const outputs = task.process([input]);
  store(task, stored);
  return { input, before, after: storedStateOf(stored, input.key), outputs };
};

const recordAt = async (
  log: Log,
  topic: AnyTopic,
  partition: number,
  offset: number,
): Promise<LogRecord | undefined> => {
  const { start, end } = await log.bounds(topic.name, partition);
  if (offset < start || offset >= end) return undefined;
  const reader = await log.reader(topic.name, partition, offset);
  try {
    return (await reader.next(readMs))[0];
  } finally {
    await reader.close();
  }
};

/** How far one partition of a stage is behind its input, in entries and in log time, and what holds its time back. */
export interface PartitionLag {
  readonly partition: number;
  readonly next: number;
  readonly end: number;
  /** Newest log time in the input less that of the first entry not yet stepped; 0 when none waits. */
  readonly behindMs: number;
  /** What windows and timers go by; null before the first tick from everywhere. */
  readonly streamTime: number | null;
  /** Newest log time in the input less stream time: how long a window stays open past its end. */
  readonly heldMs: number | null;
  /** The upstream whose ticks are oldest (or never came): it holds stream time back. Null on a raw topic. */
  readonly heldBy: string | null;
}

export const lagOf = async (viewed: Viewed, stage: AnyStage, partition: number): Promise<PartitionLag> => {
  const { stored, next } = await committedView(viewed, stage, partition);
  const checkpoint = checkpointOf(stored);
  const { start, end } = await viewed.log.bounds(stage.reads.name, partition);
  const timeAt = async (offset: number): Promise<number | null> => {
    const record = await recordAt(viewed.log, stage.reads, partition, offset);
    return record === undefined ? null : await logTimeOf(record, stage.reads, viewed.wire, checkpoint);
  };
  const newest = await timeAt(end - 1);
  const waiting = next < end ? await timeAt(Math.max(next, start)) : newest;
  const streamTime = checkpoint?.streamTime ?? null;
  return {
    partition,
    next,
    end,
    behindMs: Math.max(0, (newest ?? 0) - (waiting ?? newest ?? 0)),
    streamTime,
    heldMs: streamTime === null || newest === null ? null : Math.max(0, newest - streamTime),
    heldBy: slowest(viewed.topology.upstreams(stage.reads.name), checkpoint),
  };
};

const logTimeOf = async (
  record: LogRecord,
  topic: AnyTopic,
  wire: Wire,
  checkpoint: Checkpoint | null,
): Promise<number | null> => {
  if (topic.raw) return checkpoint === null ? record.stampMs : scaleTime(checkpoint.scale, record.stampMs);
  const [input] = await decodeAll(topic, [record], wire);
  return input?.decoded.ok ? input.decoded.value.logTime : null;
};

const slowest = (upstreams: readonly string[], checkpoint: Checkpoint | null): string | null => {
  const times = new Map(checkpoint?.times);
  const at = (upstream: string): number => times.get(upstream) ?? Number.NEGATIVE_INFINITY;
  return upstreams.reduce<string | null>(
    (least, upstream) => (least === null || at(upstream) < at(least) ? upstream : least),
    null,
  );
};
