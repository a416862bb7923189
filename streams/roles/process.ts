/** Runs the topology's stages, all or those named. Several processes may share the work: partitions are spread over them. */
import type { Platform } from "../compose.ts";
import { runStage } from "../log/stage-runner.ts";
import { followAll, type Running } from "./running.ts";

export const runStages = async (platform: Platform, only?: readonly string[]): Promise<Running> => {
  const { topology, running } = platform;
  const stages = only === undefined ? topology.stages : only.map((name) => topology.stage(name));
  const subscriptions = await Promise.all(stages.map((stage) => runStage(stage, topology, running)));
  return followAll(
    stages.map(({ name }) => name),
    subscriptions,
  );
};
