/** What a runner of stages or sinks needs, and whom it tells. */
import type { TaskCounts } from "../core/task.ts";
import type { Wire } from "../core/wire.ts";
import type { Log } from "./log.ts";
import type { Timer } from "./signal.ts";

export interface RunnerOptions {
  readonly log: Log;
  readonly wire: Wire;
  /** A short batch waits this long for company: fewer, larger transactions for a little latency. */
  readonly lingerMs: number;
  /** What waiting goes by; the simulator passes its own. */
  readonly timer?: Timer;
  /** Told after each stored checkpoint. */
  onProgress?(stage: string, partition: number, next: number, counts: Readonly<TaskCounts>): void;
  /** Told for each input that a stage or sink refused, and for each output that could not be written (`poison-output`). */
  onQuarantined?(stage: string, reason: string): void;
  /** Told once of each error that stops or reopens a partition, and of each failed attempt at a sink's write. */
  onError(stage: string, partition: number, error: unknown): void;
}
