/** Starts one role as a process of its own and keeps it until it is interrupted or can't go on. */
import { openPlatform, openSeries, type Platform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { runSink } from "../log/sink-runner.ts";
import { openBoard } from "./board.ts";
import { closeAndEnd, interrupted } from "./ending.ts";
import { checkRole, openFrontDoor } from "./intake.ts";
import { serveMetrics } from "./metrics-server.ts";
import { runStages } from "./process.ts";
import { runPromotion } from "./promote.ts";
import { openRoster } from "./roster.ts";
import { closeAll, followAll, type Running } from "./running.ts";
import { storeSinks } from "./store.ts";

export { closeAndEnd, interrupted };

export type RoleName = "listen" | "ingest" | "process" | "store" | "promote" | "board" | "roster";

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
    close: () => closeAll([() => store.close(), running.close]),
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
    case "roster":
      return openRoster(platform);
  }
};

/**
 * Resolves after SIGINT or SIGTERM and a clean close; rejects when the role can't start or can't go on. What was opened is closed
 * either way: what stays open would keep a refused role from ending, and whoever started it from its exit code.
 */
export const runRole = async (name: RoleName, configFile: string, options: RoleOptions): Promise<void> => {
  const closing: (() => Promise<void>)[] = [];
  try {
    const config = await readConfig(configFile);
    if (name === "listen" || name === "ingest") checkRole(name, config);
    const platform = await openPlatform(config, name);
    closing.push(() => platform.close());
    if (options.metricsPort !== undefined)
      closing.push((await serveMetrics(platform.metrics, options.metricsPort)).close);
    const running = await start(name, platform, options);
    closing.push(running.close);
    // whoever reads that it runs may stop it in the same instant
    const told = interrupted();
    process.stdout.write(`afferent ${name}: ${running.where}\n`);
    await Promise.race([running.done, told]);
  } finally {
    await closeAndEnd(closing);
  }
};
