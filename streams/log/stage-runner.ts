/**
 * Runs a stage over a log: each partition that this process has is one ownership of a task after another (log/task-run.ts; docs/design.md,
 * "The engine"). The pure part is core/task.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { groupOf } from "../core/checkpoint.ts";
import type { AnyStage } from "../core/stage.ts";
import type { Topology } from "../core/topology.ts";
import type { PartitionHandler, Subscription } from "./log.ts";
import type { RunnerOptions } from "./runner-options.ts";
import { notOpen, TaskRun } from "./task-run.ts";

const smallBatch = 64;

/** Resolves when the group has been joined. The subscription's `done` rejects when the stage can't go on. */
export const runStage = (stage: AnyStage, topology: Topology, options: RunnerOptions): Promise<Subscription> =>
  options.log.subscribe(groupOf(stage), stage.reads.name, (partition) =>
    stageHandler(stage, partition, topology, options),
  );

const stageHandler = (
  stage: AnyStage,
  partition: number,
  topology: Topology,
  options: RunnerOptions,
): PartitionHandler => {
  let run: TaskRun | undefined;
  const close = async (): Promise<void> => {
    const closing = run;
    run = undefined;
    await closing?.close();
  };
  return {
    async open() {
      await close();
      run = new TaskRun(stage, partition, topology, options);
      return await run.open();
    },
    async process(records) {
      if (run === undefined) throw notOpen(stage, partition);
      await run.process(records);
      if (records.length < smallBatch && options.lingerMs > 0) await sleep(options.lingerMs);
    },
    close,
    failed: (error) => options.onError(stage.name, partition, error),
  };
};
