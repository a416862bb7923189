/**
 * Runs a stage over a log: claims each partition's task, loads and confirms it, steps batches, appends the outputs and
 * then stores state and checkpoint in one transaction (docs/design.md, "Exactly once"). The pure part is core/task.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { storeOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { AnyStage, AnyTopic } from "../core/stage.ts";
import { type InputRecord, Task, type TaskCounts } from "../core/task.ts";
import type { Topology } from "../core/topology.ts";
import { schemaIdOf, type Wire } from "../core/wire.ts";
import type { Appender, Log, LogRecord, Owner, PartitionHandler, Subscription } from "./log.ts";
import { encodeOutputs } from "./outputs.ts";

export interface RunnerOptions {
  readonly log: Log;
  readonly wire: Wire;
  /** A short batch waits this long for company: fewer, larger transactions for a little latency. */
  readonly lingerMs: number;
  /** Told after each stored checkpoint. */
  onProgress?(stage: string, partition: number, next: number, counts: Readonly<TaskCounts>): void;
  /** Told for each input that a stage or sink refused, and for each output that could not be written (`poison-output`). */
  onQuarantined?(stage: string, reason: string): void;
  /** Told once of each error that stops or reopens a partition, and of each failed attempt at a sink's write. */
  onError(stage: string, partition: number, error: unknown): void;
}

const smallBatch = 64;
const largestBatch = 1000;

/** Resolves when the group has been joined. The subscription's `done` rejects when the stage can't go on. */
export const runStage = (stage: AnyStage, topology: Topology, options: RunnerOptions): Promise<Subscription> =>
  options.log.subscribe(stage.name, stage.reads.name, (partition) => stageHandler(stage, partition, topology, options));

/** Decodes a batch, asking the registry once for schema ids that are new to this process. */
export const decodeAll = async (
  topic: AnyTopic,
  records: readonly LogRecord[],
  wire: Wire,
): Promise<readonly InputRecord[]> => {
  const decoded: InputRecord[] = [];
  for (const record of records) {
    let result = wire.decode(topic, record.value);
    if (!result.ok && result.problem.reason === "unknown-schema-id") {
      const id = schemaIdOf(record.value);
      if (id !== null && (await wire.learn(id))) result = wire.decode(topic, record.value);
    }
    decoded.push({ ...record, decoded: result });
  }
  return decoded;
};

/** Where a log no longer holds what a checkpoint still needs, going on would silently skip input. */
export const refuseLostInput = async (log: Log, topic: string, partition: number, next: number): Promise<void> => {
  const { start, end } = await log.bounds(topic, partition);
  if (next < start && next > 0)
    throw new OperatingError(
      "checkpoint-below-log-start",
      `${topic}/${partition}: the log starts at ${start}, the checkpoint needs ${next}: reset the stage by name or restore the log`,
      { retry: false },
    );
  if (next > end)
    throw new OperatingError(
      "log-ends-below-checkpoint",
      `${topic}/${partition}: the log ends at ${end}, the checkpoint is at ${next}: the log was replaced or truncated`,
      { retry: false },
    );
};

const stageHandler = (
  stage: AnyStage,
  partition: number,
  topology: Topology,
  options: RunnerOptions,
): PartitionHandler => {
  const { log, wire } = options;
  const name = storeOf(stage);
  let owner: Owner | undefined;
  let appender: Appender | undefined;
  let task: Task | undefined;
  let open = false;

  const close = async (): Promise<void> => {
    open = false;
    const [oldOwner, oldAppender] = [owner, appender];
    [owner, appender, task] = [undefined, undefined, undefined];
    await oldAppender?.close();
    await oldOwner?.close();
  };

  const step = async (batch: readonly LogRecord[], claimed: Claimed): Promise<void> => {
    const inputs = await decodeAll(stage.reads, batch, wire);
    const outputs = claimed.task.process(inputs);
    const { appends, quarantined, poisoned } = encodeOutputs(stage, partition, inputs, outputs, wire);
    claimed.task.counts.quarantined += poisoned;
    if (appends.length > 0) await claimed.appender.append(appends);
    await claimed.owner.commit(claimed.task.checkpoint());
    for (const reason of quarantined) options.onQuarantined?.(stage.name, reason);
    options.onProgress?.(stage.name, partition, claimed.task.next, claimed.task.counts);
  };

  return {
    async open() {
      await close();
      owner = await log.claim(name, partition, stage.reads.partitions);
      const stored = await owner.load();
      await owner.confirm();
      task = new Task(stage, partition, topology.upstreams(stage.reads.name));
      task.restore(stored);
      await refuseLostInput(log, stage.reads.name, partition, task.next);
      appender = await log.appender(`${name}/${partition}`);
      open = true;
      return task.next;
    },
    async process(records) {
      if (owner === undefined || appender === undefined || task === undefined || !open)
        throw new OperatingError("task-not-open", `${name}/${partition}: records came while it was closed`, {
          retry: true,
        });
      const claimed: Claimed = { owner, appender, task };
      for (let i = 0; i < records.length; i += largestBatch) await step(records.slice(i, i + largestBatch), claimed);
      await log.report(stage.name, stage.reads.name, partition, claimed.task.next);
      if (records.length < smallBatch && options.lingerMs > 0) await sleep(options.lingerMs);
    },
    close,
    failed: (error) => options.onError(stage.name, partition, error),
  };
};

interface Claimed {
  readonly owner: Owner;
  readonly appender: Appender;
  readonly task: Task;
}
