/** Starts the full stack once for an integration run and ends it afterwards, also when an earlier run was killed and left one. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { readStackConfig, type StackConfig } from "../deploy/config.ts";
import { freePorts } from "../deploy/ports.ts";
import { identify, isAlive, type ProcessIdentity } from "../deploy/process-identity.ts";
import { type ServerName, serverNames } from "../deploy/server.ts";
import { runningStack, startStack } from "../deploy/stack.ts";

const prefix = "afferent-test-";

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const kept = process.env["AFFERENT_TEST_STACK"];
  if (kept !== undefined) return useKept(project, { ...readStackConfig(), data: kept });
  await endAbandoned();
  const data = mkdtempSync(join(tmpdir(), prefix));
  writeFileSync(join(data, "owner.json"), JSON.stringify(identify(process.pid)));
  const config: StackConfig = { ...readStackConfig(), data, ports: await freePorts() };
  await startStack({ config, servers: wantedServers(), onLine: (line) => console.error(line) });
  project.provide("stackConfig", config);
  return () => end(config);
};

/** A stack that runs already and goes on: AFFERENT_TEST_STACK names its data folder, to try a file again and again. */
const useKept = (project: TestProject, config: StackConfig): (() => Promise<void>) => {
  project.provide("stackConfig", config);
  return () => Promise.resolve();
};

/** All, unless AFFERENT_TEST_SERVERS=kafka,apicurio names those that the files of this run need: to try one file quickly. */
const wantedServers = (): readonly ServerName[] => {
  const names = process.env["AFFERENT_TEST_SERVERS"];
  return names === undefined ? serverNames : serverNames.filter((name) => names.split(",").includes(name));
};

/** The servers' logs are kept beside the run's other results. */
const end = async (config: StackConfig): Promise<void> => {
  await runningStack(config).stop();
  const logs = join(config.data, "logs");
  if (existsSync(logs)) cpSync(logs, join("test-results", "server-logs"), { recursive: true });
  rmSync(config.data, { recursive: true, force: true });
};

/** Stacks whose test run is no more: its servers would keep their memory for ever. */
const endAbandoned = async (): Promise<void> => {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const data = join(tmpdir(), name);
    const owner = ownerOf(data);
    if (owner !== undefined && !isAlive(owner)) await end({ ...readStackConfig(), data });
  }
};

/** Undefined for a folder that is just being made or that isn't one of ours. */
const ownerOf = (data: string): ProcessIdentity | undefined => {
  try {
    return JSON.parse(readFileSync(join(data, "owner.json"), "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
};
