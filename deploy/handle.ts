/** One server of a running stack: started, asked how it is, stopped or killed, started again on the same data. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { OperatingError } from "../streams/core/failure.ts";
import { builtFolder } from "./compile.ts";
import type { StackConfig } from "./config.ts";
import { softwareFolder } from "./fetch.ts";
import { isFree } from "./ports.ts";
import { identify, isAlive, type ProcessIdentity, waitForEnd } from "./process-identity.ts";
import type { Command, Place, ServerName, ServerSpec } from "./server.ts";
import { noteStarted, noteStopped, runningServers } from "./state.ts";

export interface ServerHandle {
  readonly name: ServerName;
  /** What a client connects to: host:port for Kafka, a URL for the others. */
  readonly url: string;
  readonly port: number;
  readonly logFile: string;
  /** Undefined while it doesn't run. */
  readonly pid: number | undefined;
  /** How long its last start took until it answered. */
  readonly readyMs: number | undefined;
  /** Whether it does its work: a real question over its own protocol. */
  health(): Promise<boolean>;
  /** Sends a signal; after SIGKILL waits until the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Asks it to stop, kills it when it takes too long. */
  stop(): Promise<void>;
  /** Starts it, on the data that it left; returns when it answers. Does nothing while it runs. */
  start(): Promise<void>;
}

const healthMs_max = 3_000;
const killMs_max = 10_000;

export const serverHandle = (spec: ServerSpec, config: StackConfig): ServerHandle => {
  const place = placeOf(spec, config);
  const logFile = join(config.data, "logs", `${spec.name}.log`);
  const running = () => runningServers(config).find(({ name }) => name === spec.name);

  const end = async (signal: NodeJS.Signals, limitMs: number): Promise<boolean> => {
    const process = running();
    if (process === undefined) return true;
    send(process, signal);
    if (!(await waitForEnd(process, limitMs))) return false;
    noteStopped(config, spec.name);
    return true;
  };

  return {
    name: spec.name,
    url: spec.url(config.ports),
    port: spec.ports(config.ports)[0],
    logFile,
    get pid() {
      return running()?.pid;
    },
    get readyMs() {
      return running()?.readyMs;
    },
    health: () => spec.healthy(config.ports, healthMs_max),
    async kill(signal) {
      if (signal === "SIGKILL") await end(signal, killMs_max);
      else send(running(), signal);
    },
    async stop() {
      send(running(), "SIGCONT"); // a stopped process would never see the next signal
      if (!(await end("SIGTERM", spec.stopMs_max))) await end("SIGKILL", killMs_max);
    },
    async start() {
      if (running() !== undefined) return;
      await checkPorts(spec, config);
      const from = performance.now();
      await spec.prepare(place);
      const identity = launch(spec.command(place), place, logFile);
      noteStarted(config, { name: spec.name, ...identity });
      await untilHealthy(spec, config, identity, logFile).catch(async (error) => {
        await end("SIGKILL", killMs_max);
        throw error;
      });
      await spec.afterStart?.(config.ports);
      noteStarted(config, { name: spec.name, ...identity, readyMs: Math.round(performance.now() - from) });
    },
  };
};

const placeOf = (spec: ServerSpec, config: StackConfig): Place => ({
  ports: config.ports,
  kafkaAdvertised: config.kafkaAdvertised ?? config.ports.kafka,
  folder: join(config.data, spec.name),
  software: spec.software === undefined ? "" : softwareFolder(config, spec.software),
  built: spec.software === undefined ? "" : builtFolder(config, spec.software),
});

const send = (identity: ProcessIdentity | undefined, signal: NodeJS.Signals): void => {
  if (identity !== undefined && isAlive(identity)) process.kill(identity.pid, signal);
};

/** In a process group of its own, so that Ctrl-C here doesn't reach it; its output goes to its log file. */
const launch = (command: Command, place: Place, logFile: string): ProcessIdentity => {
  mkdirSync(dirname(logFile), { recursive: true });
  mkdirSync(place.folder, { recursive: true });
  const log = openSync(logFile, "a");
  const child = spawn(command.file, command.args, {
    cwd: place.folder,
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...command.environment },
  });
  closeSync(log);
  child.on("error", () => undefined); // shows as a missing pid, just below
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined)
    throw new OperatingError("server-not-started", `${command.file}: can't be run: is it installed?`, { retry: false });
  return identity;
};

const checkPorts = async (spec: ServerSpec, config: StackConfig): Promise<void> => {
  for (const port of spec.ports(config.ports))
    if (!(await isFree(port)))
      throw new OperatingError(
        "port-taken",
        `${spec.name}: port ${port} is taken by a process that this stack did not start; end that, or set another port (deploy/config.ts)`,
        { retry: false },
      );
};

const untilHealthy = async (
  spec: ServerSpec,
  config: StackConfig,
  identity: ProcessIdentity,
  logFile: string,
): Promise<void> => {
  const until = performance.now() + spec.startMs_max;
  while (!(await spec.healthy(config.ports, 1_000))) {
    if (!isAlive(identity)) throw notReady(spec, "ended before it was ready", logFile);
    if (performance.now() > until) throw notReady(spec, `did not answer within ${spec.startMs_max / 1000} s`, logFile);
    await delay(100);
  }
};

const notReady = (spec: ServerSpec, what: string, logFile: string): OperatingError =>
  new OperatingError("server-not-ready", `${spec.name} ${what}: see ${logFile}, which ends:\n${lastLines(logFile)}`, {
    retry: true,
  });

const lastLines = (file: string): string =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .slice(-15)
    .map((line) => `  ${line}`)
    .join("\n");
