/** Starts one role as a process of its own and keeps it until it is interrupted or can't go on. */
import { openPlatform, openSeries, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { runSink } from "../log/sink-runner.ts";
import { openBoard } from "./board.ts";
import { openFrontDoor } from "./intake.ts";
import { serveMetrics } from "./metrics-server.ts";
import { runStages } from "./process.ts";
import { runPromotion } from "./promote.ts";
import { followAll, type Running } from "./running.ts";
import { storeSinks } from "./store.ts";

export type RoleName = "listen" | "ingest" | "process" | "store" | "promote" | "board";

export interface RoleOptions {
  readonly metricsPort?: number;
  readonly stages?: readonly string[];
}

export const openStore = async (platform: Platform): Promise<Running> => {
  const store = await openSeries(platform.config);
  const sinks = storeSinks(store);
  const running = followAll(
    sinks.map(({ name }) => name),
    await Promise.all(sinks.map((sink) => runSink(sink, platform.running))),
  );
  return {
    ...running,
    close: async () => {
      await running.close();
      await store.close();
    },
  };
};

const start = (name: RoleName, platform: Platform, options: RoleOptions): Promise<Running> => {
  switch (name) {
    case "listen":
    case "ingest":
      return openFrontDoor(platform);
    case "process":
      return runStages(platform, options.stages);
    case "store":
      return openStore(platform);
    case "promote":
      return runPromotion(platform);
    case "board":
      return openBoard(platform);
  }
};

/** Resolves after SIGINT or SIGTERM and a clean close; rejects when the role can't go on. */
export const runRole = async (name: RoleName, configFile: string, options: RoleOptions): Promise<void> => {
  const platform = await openPlatform(await readConfig(configFile), name);
  const metrics =
    options.metricsPort === undefined ? undefined : await serveMetrics(platform.metrics, options.metricsPort);
  const running = await start(name, platform, options);
  process.stdout.write(`afferent ${name}: ${running.where}\n`);
  try {
    await Promise.race([running.done, interrupted()]);
  } finally {
    await running.close();
    await metrics?.close();
    await platform.close();
  }
};

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    let times = 0;
    const stop = (): void => {
      if (++times === 1) resolve();
      else process.exit(1);
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
