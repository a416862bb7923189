/**
 * Afferent's own processes on the full stack, one per role, and the simulated ward: started detached, found again by another shell,
 * ended by identity. Their configuration is written where the command line looks for it.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { loadRoster } from "../streams/compose.ts";
import { checkConfig } from "../streams/config.ts";
import { OperatingError } from "../streams/core/failure.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import { chooseWard, writeRoster } from "../streams/roles/sim.ts";
import { type AlertDeployment, writeAlertConfigs } from "./alert.ts";
import { host, type StackConfig } from "./config.ts";
import { writeSecret } from "./kept.ts";
import { freePorts } from "./ports.ts";
import { identify, isAlive, type ProcessIdentity, waitForEnd } from "./process-identity.ts";
import { checkAdtPort, type RosterDeployment, rosterDeployment, rosterHealth } from "./roster.ts";
import { targetsFolder } from "./servers/prometheus/prometheus.ts";
import type { Stack } from "./stack.ts";

export interface RolesOptions {
  readonly stack: Stack;
  readonly beds: number;
  readonly seed: number;
  readonly boardPort: number;
  readonly onLine: (line: string) => void;
  /** Only these; all unless told otherwise. */
  readonly only?: readonly string[];
}

interface RunningRole extends ProcessIdentity {
  readonly name: string;
  /** Where it says how it is. */
  readonly healthAt?: string;
}

const projectFolder = dirname(import.meta.dirname);
const main = join(projectFolder, "streams", "main.ts");
const rules = join(projectFolder, "topologies", "rules", "adult-example.json");
const precedence = join(projectFolder, "topologies", "precedence", "adult-example.json");
const scores = join(projectFolder, "topologies", "scores", "adult-example.json");
const readyMs_max = 90_000;
const stopMs_max = 15_000;
const vitalsStages = ["normalise", "windows", "thresholds", "candidates", "gates"];

type Role = readonly [name: string, args: readonly string[]];

/** Waveforms have a process of their own; the simulated ward is the last. */
const roles = (
  config: string,
  { alert, watch }: AlertDeployment,
  brokerUrl: string,
  options: RolesOptions,
): readonly Role[] => [
  ["watch", ["watch", "--config", watch]],
  ["alert", ["alert", "--config", alert]],
  ["store", ["store", "--config", config]],
  ["promote", ["promote", "--config", config]],
  ["process", ["process", "--config", config, "--stages", ...vitalsStages]],
  ["process-waveforms", ["process", "--config", config, "--stages", "normalise-waveforms"]],
  ["ingest", ["ingest", "--config", config]],
  ["roster", ["roster", "--config", config]],
  ["board", ["board", "--config", config]],
  [
    "sim",
    ["sim", "--url", brokerUrl, "--protocol", "5", "--beds", String(options.beds), "--seed", String(options.seed)],
  ],
];

export interface StartedRoles {
  readonly page: string;
  /** Where ADT is sent to. */
  readonly adt: string;
  /** The configuration file of all but circuit and watch. */
  readonly config: string;
}

/** Resolves when every role says that it runs. Codes: `role-not-ready`, with the end of its log; `port-taken`. */
export const startRoles = async (options: RolesOptions): Promise<StartedRoles> => {
  const { stack, onLine, only } = options;
  const running: RunningRole[] = [...runningRoles(stack.config)];
  if (!running.some(({ name }) => name === "roster")) await checkAdtPort(stack.config);
  const roster = await rosterOf(options);
  const circuit = await writeAlertConfigs(stack, roster, rules);
  const registry = await rosterDeployment(stack.config, (await loadRoster(roster)).beds);
  const config = writeConfig(options, roster, circuit, registry);
  const start = async ([name, args]: Role): Promise<void> => {
    if (running.some((role) => role.name === name)) return;
    const began = performance.now();
    const started = await startRole(name, args, stack.config);
    running.push(name === "roster" ? { ...started, healthAt: registry.apiAt } : started);
    note(stack.config, running);
    onLine(`${name.padEnd(18)} running  ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
  const wanted = roles(config, circuit, stack.server("mosquitto").url, options).filter(
    ([name]) => only === undefined || only.includes(name),
  );
  const all = await measured(wanted, circuit, registry, options);
  // the ward comes last: what it sends before ingest has its session, the broker keeps for nobody
  const isWard = ([name]: Role): boolean => name === "sim";
  await Promise.all([...all.filter((role) => !isWard(role)).map(start), seedEhr(options)]);
  await Promise.all(all.filter(isWard).map(start));
  return { page: `http://127.0.0.1:${options.boardPort}`, adt: registry.adtUrl, config };
};

interface Target {
  readonly targets: readonly [string];
  readonly labels: { readonly job: string };
}

/**
 * Serves each one's numbers, at the port that it had before or else at a free one, and tells Prometheus where; board, roster, circuit and watch
 * serve their own beside what else they serve, the ward has none.
 */
const measured = async (
  all: readonly Role[],
  { alertAt, watchAt }: AlertDeployment,
  { apiAt }: RosterDeployment,
  { stack, boardPort }: RolesOptions,
): Promise<readonly Role[]> => {
  const own = new Map([
    ["board", `${host}:${boardPort}`],
    ["roster", apiAt],
    ["alert", alertAt],
    ["watch", watchAt],
  ]);
  const file = join(targetsFolder(stack.config.data), "roles.json");
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly Target[]) : [];
  const free = Object.values(await freePorts());
  const targetOf = (name: string, n: number): Target => {
    const job = `afferent-${name}`;
    const at = own.get(name);
    if (at !== undefined) return { targets: [at], labels: { job } };
    return before.find(({ labels }) => labels.job === job) ?? { targets: [`${host}:${free[n]}`], labels: { job } };
  };
  const serving = all.filter(([name]) => name !== "sim");
  const targets = new Map(serving.map(([name], n) => [name, targetOf(name, n)]));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify([...targets.values()]));
  return all.map(([name, args]): Role => {
    const port = own.has(name) ? undefined : targets.get(name)?.targets[0].split(":")[1];
    return [name, port === undefined ? args : [...args, "--metrics-port", port]];
  });
};

/** The patients of the roster, whom the EHR knows before anything is written about them. */
const seedEhr = async ({ stack }: RolesOptions): Promise<void> =>
  seedPatients(stack.server("hapi").url, (await loadRoster(join(stack.config.data, "roster.json"))).patients);

/** Ends them, those that feed the others first. */
export const stopRoles = async (config: StackConfig): Promise<void> => {
  for (const role of runningRoles(config).toReversed()) {
    if (!isAlive(role)) continue;
    process.kill(role.pid, "SIGTERM");
    if (!(await waitForEnd(role, stopMs_max))) process.kill(role.pid, "SIGKILL");
  }
  note(config, []);
};

export interface RoleLine {
  readonly running: boolean;
  /** `board   running   pid 4711`, with what it says of itself where it is asked; its log when it has ended. */
  readonly line: string;
}

export const roleLines = (config: StackConfig): Promise<readonly RoleLine[]> =>
  Promise.all(
    readNoted(config).map(async (role) => {
      const running = isAlive(role);
      const said = running && role.healthAt !== undefined ? `  ${await rosterHealth(role.healthAt)}` : "";
      const how = running ? `running  pid ${role.pid}${said}` : `ended    log ${logFile(config, role.name)}`;
      return { running, line: `${role.name.padEnd(18)} ${how}` };
    }),
  );

export const runningRoles = (config: StackConfig): readonly RunningRole[] => readNoted(config).filter(isAlive);

/** The simulated ward's file, written once. */
const rosterOf = async ({ stack, beds, seed }: RolesOptions): Promise<string> => {
  const roster = join(stack.config.data, "roster.json");
  if (!existsSync(roster)) await writeRoster(roster, await chooseWard({ beds, seed }, Date.now()));
  return roster;
};

const writeConfig = (
  { stack, boardPort }: RolesOptions,
  roster: string,
  { alertAt }: AlertDeployment,
  { section }: RosterDeployment,
): string => {
  const { data } = stack.config;
  const ehr = stack.server("hapi").url;
  const config = checkConfig(
    {
      ward: "Simulated ward (full stack)",
      production: false,
      data: join(data, "afferent"),
      log: { kind: "kafka", brokers: [stack.server("kafka").url] },
      registry: { kind: "confluent", url: stack.server("apicurio").url },
      intake: {
        kind: "subscriber",
        url: stack.server("mosquitto").url,
        protocolVersion: 5,
        clientId: "afferent-ingest",
      },
      series: { kind: "questdb", url: stack.server("questdb").url },
      destinations: [{ name: "ehr", kind: "fhir", baseUrl: ehr, finalAtEnd: true }],
      roster,
      rosterService: section,
      rules: [rules],
      precedence,
      scores,
      demoApproval: true,
      allowPlainRules: false,
      board: { host: "127.0.0.1", port: boardPort, alertApi: `http://${alertAt}` },
      speed: 1,
      lingerMs: 5,
    },
    "of the full stack",
  );
  // beside the stack's folder, where the command line looks for what runs
  return writeSecret(join(dirname(data), "current.json"), config);
};

const startRole = async (name: string, args: readonly string[], config: StackConfig): Promise<RunningRole> => {
  const log = logFile(config, name);
  mkdirSync(dirname(log), { recursive: true });
  const out = openSync(log, "a");
  const before = statSync(log).size;
  const child = spawn(process.execPath, [main, ...args], {
    cwd: projectFolder,
    detached: true,
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  const said = (): string => readFileSync(log).subarray(before).toString();
  const until = Date.now() + readyMs_max;
  while (identity !== undefined && isAlive(identity) && Date.now() < until) {
    if (said().includes(`afferent ${args[0]}: `)) return { ...identity, name };
    await delay(50);
  }
  if (identity !== undefined && isAlive(identity)) process.kill(identity.pid, "SIGKILL");
  throw new OperatingError("role-not-ready", `${name}: did not get ready; log ${log}:\n${said().slice(-2000)}`, {
    retry: false,
  });
};

const logFile = (config: StackConfig, name: string): string => join(config.data, "logs", `afferent-${name}.log`);
const stateFile = (config: StackConfig): string => join(config.data, "roles.json");

const readNoted = (config: StackConfig): readonly RunningRole[] =>
  existsSync(stateFile(config)) ? (JSON.parse(readFileSync(stateFile(config), "utf8")) as RunningRole[]) : [];

const note = (config: StackConfig, running: readonly RunningRole[]): void =>
  writeFileSync(stateFile(config), JSON.stringify(running, null, 1));
