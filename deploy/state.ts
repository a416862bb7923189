/** What runs, written down in the data folder, so that another shell can end exactly that. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StackConfig } from "./config.ts";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import type { ServerName } from "./server.ts";

export interface RunningServer extends ProcessIdentity {
  readonly name: ServerName;
  /** From its start until it answered; absent while it has not yet. */
  readonly readyMs?: number;
}

interface StackState {
  readonly ports: StackConfig["ports"];
  readonly servers: readonly RunningServer[];
}

const stateFile = (config: StackConfig): string => join(config.data, "stack.json");

/** The servers of this data folder whose processes are still there. */
export const runningServers = (config: StackConfig): readonly RunningServer[] => readState(config).servers;

/** The ports that they were started with, which may differ from what is configured now. */
export const runningPorts = (config: StackConfig): StackConfig["ports"] => readState(config).ports;

export const noteStarted = (config: StackConfig, server: RunningServer): void =>
  writeState(config, [...others(config, server.name), server]);

export const noteStopped = (config: StackConfig, name: ServerName): void => writeState(config, others(config, name));

const others = (config: StackConfig, name: ServerName): readonly RunningServer[] =>
  readState(config).servers.filter((server) => server.name !== name);

const readState = (config: StackConfig): StackState => {
  let state: StackState;
  try {
    state = JSON.parse(readFileSync(stateFile(config), "utf8")) as StackState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { ports: config.ports, servers: [] };
  }
  const servers = state.servers.filter(isAlive);
  return { ports: servers.length > 0 ? state.ports : config.ports, servers };
};

const writeState = (config: StackConfig, servers: readonly RunningServer[]): void => {
  mkdirSync(config.data, { recursive: true });
  const incoming = `${stateFile(config)}.${process.pid}`;
  writeFileSync(incoming, JSON.stringify({ ports: config.ports, servers }, null, 2));
  renameSync(incoming, stateFile(config));
};
