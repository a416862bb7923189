/**
 * Afferent itself as real processes, for integration tests: on the shared stack (mosquitto, Kafka, Apicurio, QuestDB, HAPI FHIR), emptied
 * before, or on the embedded one (listener, SQLite, the receiving FHIR endpoint), in a folder of its own.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "../deploy/stack.ts";
import { freePorts } from "../deploy/ports.ts";
import { loadRoster, openPlatform, openSeries, type Platform } from "../streams/compose.ts";
import { checkConfig, type Config } from "../streams/config.ts";
import { startFhirEndpoint } from "../streams/io/fhir-endpoint.ts";
import { seedPatients } from "../streams/io/fhir/patients.ts";
import type { SeriesStore } from "../streams/io/series/series.ts";
import { fixScale } from "../streams/roles/source.ts";
import type { WardRoster } from "../streams/sim/ward/messages.ts";
import { forgetSessions } from "./platform/broker.ts";
import { emptyStack } from "./platform/fresh-stack.ts";
import { type RoleName, type RoleProcess, spawnRole } from "./platform/role.ts";
import { drained, ticked } from "./platform/watch.ts";

export interface PlatformOptions {
  /** Its servers; left out: embedded. */
  readonly stack?: Stack;
  readonly roster: WardRoster;
  /** Files of rules; with `allowPlainRules` where they hold plain limits. All are approved by the demo ward. */
  readonly rules?: readonly string[];
  readonly allowPlainRules?: boolean;
  /** Ward time over real time; 1 unless told otherwise. */
  readonly speed?: number;
  /** Ward time at which the play is to begin; given with a speed other than 1. */
  readonly startMs?: number;
  readonly protocolVersion?: 4 | 5;
  /** Terminates MQTT itself on the real stack's log, rather than subscribing at its broker. */
  readonly frontDoor?: "listen" | "ingest";
  /** Of the alert circuit, where the front door is the listener: the URL at which it takes what the listener taps. */
  readonly alertTap?: string;
}

export interface RunningPlatform {
  readonly config: Config;
  readonly configFile: string;
  readonly log: Platform["log"];
  readonly wire: Platform["wire"];
  readonly series: SeriesStore;
  /** Where devices publish. */
  readonly mqttUrl: string;
  /** Base of the EHR's FHIR interface. */
  readonly ehr: string;
  readonly role: (name: RoleName) => RoleProcess;
  /** Starts a role that was stopped or killed. */
  start(name: RoleName): Promise<void>;
  /** The role's own metrics, by name with labels: `afferent_received_messages_total`. */
  metrics(name: RoleName): Promise<ReadonlyMap<string, number>>;
  /** Resolves when ward time has come to `startMs`: publish then. */
  begin(): Promise<void>;
  /** Resolves when log time has passed `logTimeMs`, where given, and everything sent has gone through every stage and sink. */
  settle(logTimeMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export const shippedRules = join(import.meta.dirname, "..", "topologies", "rules", "adult-example.json");
export const plainRules = join(import.meta.dirname, "profiles", "plain.json");

const loopback = "127.0.0.1";
/** Between the moment at which ward time is fixed and the play, front door and promotion get ready; a busy machine gets a second try. */
const leadsMs = [8_000, 30_000];

/** The wall clock's time when log time is `atMs`, for an origin chosen so that `startMs` is then `startWallMs`. */
const scaleFrom = (startMs: number, speed: number, startWallMs: number) => {
  // log time is origin + speed * (wall - origin): solved for the origin at which the wall's startWallMs is startMs
  const originMs = Math.round((speed * startWallMs - startMs) / (speed - 1));
  return { originMs, wallOf: (atMs: number) => originMs + (atMs - originMs) / speed };
};

export const startPlatform = async (options: PlatformOptions): Promise<RunningPlatform> => {
  for (const leadMs of leadsMs) {
    const platform = await startWithin(leadMs, options);
    if (platform !== undefined) return platform;
  }
  throw new Error(`the platform was not ready ${Math.max(...leadsMs) / 1_000} s after its ward time was fixed`);
};

/** Undefined where ward time began before it was ready. */
const startWithin = async (leadMs: number, options: PlatformOptions): Promise<RunningPlatform | undefined> => {
  const { stack, speed = 1, frontDoor = stack === undefined ? "listen" : "ingest" } = options;
  const folder = await mkdtemp(join(tmpdir(), "afferent-platform-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    if (stack !== undefined) await emptyStack(stack);
    const ehr = stack === undefined ? await openEndpoint(folder, closing) : stack.server("hapi").url;
    const config = await configOf(options, frontDoor, folder, ehr);
    const configFile = join(folder, "config.json");
    await writeFile(configFile, JSON.stringify(config));
    await seedPatients(ehr, (await loadRoster(config.roster)).patients);

    const platform = await openPlatform(config, "test");
    closing.push(platform.close);
    const { intake } = config;
    if (intake.kind === "subscriber") closing.push(() => forgetSessions(intake.url, intake.clientId));
    const roles = new Roles(configFile);
    closing.push(() => roles.stop());
    await roles.start("store", "process");
    const { log, wire } = platform;
    const scale = speed === 1 ? undefined : scaleFrom(options.startMs ?? Number.NaN, speed, Date.now() + leadMs);
    if (scale !== undefined) await fixScale(speed, { log, wire, now: () => scale.originMs });
    await roles.start("promote", frontDoor);
    const series = await openSeries(config);
    closing.push(() => series.close());
    const settled = async (): Promise<void> => {
      await ticked(log);
      await drained(log);
      await series.settled();
    };
    const waitMs = () => (scale === undefined ? 0 : scale.wallOf(options.startMs ?? Number.NaN) - Date.now());
    if (waitMs() < 0) {
      await stop();
      return undefined;
    }
    return {
      config,
      configFile,
      log,
      wire,
      series,
      mqttUrl: frontDoor === "ingest" && stack !== undefined ? stack.server("mosquitto").url : listenerUrl(config),
      ehr,
      role: (name) => roles.get(name),
      start: (name) => roles.start(name),
      metrics: (name) => roles.metrics(name),
      begin: () => sleep(Math.max(0, waitMs())),
      async settle(logTimeMs) {
        if (logTimeMs !== undefined) await sleep(Math.max(0, (scale?.wallOf(logTimeMs) ?? logTimeMs) - Date.now()));
        await Promise.race([settled().catch(roles.blame), roles.failed()]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const openEndpoint = async (folder: string, closing: (() => Promise<unknown>)[]): Promise<string> => {
  const endpoint = await startFhirEndpoint({ port: 0, file: join(folder, "ehr.sqlite") });
  closing.push(endpoint.close);
  return endpoint.url;
};

const listenerUrl = ({ intake }: Config): string =>
  intake.kind === "listener" ? `mqtt://${intake.host}:${intake.port}` : intake.url;

const configOf = async (
  options: PlatformOptions,
  frontDoor: "listen" | "ingest",
  folder: string,
  ehr: string,
): Promise<Config> => {
  const { stack, roster, rules = [shippedRules], allowPlainRules = false, speed = 1, protocolVersion = 4 } = options;
  const rosterFile = join(folder, "roster.json");
  await writeFile(rosterFile, JSON.stringify(roster));
  const server = (name: "kafka" | "apicurio" | "mosquitto" | "questdb"): string => stack?.server(name).url ?? "";
  const embedded = stack === undefined;
  return checkConfig(
    {
      ward: "Test ward",
      production: false,
      data: folder,
      log: embedded ? { kind: "sqlite" } : { kind: "kafka", brokers: [server("kafka")] },
      registry: embedded ? { kind: "local" } : { kind: "confluent", url: server("apicurio") },
      intake:
        frontDoor === "listen"
          ? {
              kind: "listener",
              host: loopback,
              port: (await freePorts()).mosquitto,
              ...(options.alertTap !== undefined && { alertTap: options.alertTap }),
            }
          : { kind: "subscriber", url: server("mosquitto"), protocolVersion, clientId: folder.slice(-22) },
      series: embedded ? { kind: "sqlite", keepHours: 24 } : { kind: "questdb", url: server("questdb") },
      destinations: [{ name: "ehr", baseUrl: ehr, finalAtEnd: true }],
      roster: rosterFile,
      rules,
      demoApproval: true,
      allowPlainRules,
      board: { host: loopback, port: 0 },
      speed,
      lingerMs: 5,
    },
    "of a test",
  );
};

/** The platform's processes, each with its metrics on a port of its own. */
class Roles {
  readonly #configFile: string;
  readonly #running = new Map<RoleName, { readonly process: RoleProcess; readonly metricsPort: number }>();

  constructor(configFile: string) {
    this.#configFile = configFile;
  }

  get(name: RoleName): RoleProcess {
    const role = this.#running.get(name);
    if (role === undefined) throw new RangeError(`no ${name} was started`);
    return role.process;
  }

  async start(...names: readonly RoleName[]): Promise<void> {
    const ports = Object.values(await freePorts());
    for (const [i, name] of names.entries()) {
      const metricsPort = ports[i] ?? 0;
      const process = spawnRole(name, this.#configFile, ["--metrics-port", String(metricsPort)]);
      this.#running.set(name, { process, metricsPort });
    }
    await Promise.all(names.map((name) => this.get(name).ready));
  }

  async metrics(name: RoleName): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`http://${loopback}:${this.#running.get(name)?.metricsPort}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
    );
  }

  /** Rejects when one ends of those that run now. */
  async failed(): Promise<never> {
    const { name, said } = await Promise.race(
      [...this.#running.values()].map(({ process }) => process.ended.then(() => process)),
    );
    throw new Error(`${name} ended; it said:\n${said().slice(-4_000)}`);
  }

  /** Throws an error again with what each role said last. */
  readonly blame = (error: unknown): never => {
    const said = [...this.#running.values()].map(({ process }) => `${process.name}:\n${process.said().slice(-2_000)}`);
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said.join("\n")}`, { cause: error });
  };

  /** What feeds the others first. */
  async stop(): Promise<void> {
    for (const name of ["ingest", "listen", "process", "promote", "store", "board"] as const)
      await this.#running.get(name)?.process.stop();
  }
}
