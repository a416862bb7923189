/** The full stack on this machine: real servers as processes of their own, started together, ended in order. */
import { compileSources } from "./compile.ts";
import type { StackConfig } from "./config.ts";
import { fetchSoftware } from "./fetch.ts";
import { type ServerHandle, serverHandle } from "./handle.ts";
import { type ServerName, type ServerSpec, serverNames, type SoftwareName } from "./server.ts";
import { alertmanager } from "./servers/alertmanager/alertmanager.ts";
import { apicurio } from "./servers/apicurio/apicurio.ts";
import { hapi } from "./servers/hapi/hapi.ts";
import { kafka } from "./servers/kafka/kafka.ts";
import { mosquitto } from "./servers/mosquitto/mosquitto.ts";
import { prometheus } from "./servers/prometheus/prometheus.ts";
import { questdb } from "./servers/questdb/questdb.ts";
import { runningPorts } from "./state.ts";
import { type OnLine, provideSystemPrograms } from "./system-packages.ts";

const specs: Readonly<Record<ServerName, ServerSpec>> = {
  kafka,
  apicurio,
  questdb,
  hapi,
  mosquitto,
  alertmanager,
  prometheus,
};

export interface Stack {
  readonly config: StackConfig;
  /** Those that this stack was started with. */
  readonly servers: readonly ServerHandle[];
  /** Throws a RangeError for one that it was not started with. */
  server(name: ServerName): ServerHandle;
  /** Stops all: first what sends (mosquitto) and what looks on, last what the others write to (Kafka). */
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly config: StackConfig;
  /** All of them unless told otherwise. */
  readonly servers?: readonly ServerName[];
  /** Progress, a line at a time. */
  readonly onLine?: OnLine;
}

/**
 * Downloads what is missing, starts the servers that don't run yet, and returns when each of them answers.
 * When one fails, those started here are stopped again. Codes: `server-not-ready` (names the server and its log file and shows
 * its end), `port-taken`, `download-failed`, `compile-failed`, `package-missing`.
 */
export const startStack = async ({
  config,
  servers = serverNames,
  onLine = () => {},
}: StackOptions): Promise<Stack> => {
  await provide(config, servers, onLine);
  const stack = stackOf(config, servers);
  const stopped = stack.servers.filter(({ pid }) => pid === undefined);
  const started = await Promise.allSettled(
    stack.servers.map(async (server) => {
      await server.start();
      onLine(await healthLine(server));
    }),
  );
  const failed = started.find((result) => result.status === "rejected");
  if (failed === undefined) return stack;
  await stopInOrder(stopped);
  throw failed.reason;
};

/** The servers that run on this data folder, whoever started them. */
export const runningStack = (config: StackConfig): Stack =>
  stackOf({ ...config, ports: runningPorts(config) }, serverNames);

/** Brings everything that the servers need to this machine, and starts nothing. */
export const provide = async (config: StackConfig, servers: readonly ServerName[], onLine: OnLine): Promise<void> => {
  await provideSystemPrograms(
    servers.flatMap((name) => specs[name].systemPackage ?? []),
    onLine,
  );
  const software = servers.flatMap((name) => specs[name].software ?? []);
  await provideSoftware(config, software, onLine);
};

/** The same for single modules of the pom. */
export const provideSoftware = async (
  config: StackConfig,
  names: readonly SoftwareName[],
  onLine: OnLine,
): Promise<void> => {
  await fetchSoftware(config, names, onLine);
  for (const name of names) await compileSources(config, name, onLine);
};

/** `kafka  healthy  127.0.0.1:9092  ready after 2.1 s  pid 4711`; its log file when it isn't healthy. */
export const healthLine = async (server: ServerHandle): Promise<string> => {
  const { name, pid, url, readyMs, logFile } = server;
  if (pid === undefined) return `${name.padEnd(12)} stopped`;
  const healthy = await server.health();
  const ready = readyMs === undefined ? "not ready yet" : `ready after ${(readyMs / 1000).toFixed(1)} s`;
  return `${name.padEnd(12)} ${healthy ? "healthy  " : "unhealthy"}  ${url.padEnd(30)} ${ready}  pid ${pid}${healthy ? "" : `  log ${logFile}`}`;
};

const stackOf = (config: StackConfig, names: readonly ServerName[]): Stack => {
  const servers = names.map((name) => serverHandle(specs[name], config));
  return {
    config,
    servers,
    server: (name) => {
      const found = servers.find((server) => server.name === name);
      if (found === undefined) throw new RangeError(`the stack was started without ${name}`);
      return found;
    },
    stop: () => stopInOrder(servers),
  };
};

const stopInOrder = async (servers: readonly ServerHandle[]): Promise<void> => {
  for (const server of servers.toSorted((a, b) => serverNames.indexOf(b.name) - serverNames.indexOf(a.name)))
    await server.stop();
};
