/**
 * The full stack under chaos: every role a process of its own (two that share the stages), with proxies in front of Kafka, QuestDB and the EHR
 * through which only the roles go, and a ward of about a hundred devices.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../deploy/ports.ts";
import { runningStack, type Stack } from "../../deploy/stack.ts";
import { loadRoster, openPlatform, openSeries, type Platform } from "../../streams/compose.ts";
import { checkConfig, type Config } from "../../streams/config.ts";
import { seedPatients } from "../../streams/io/fhir/patients.ts";
import type { SeriesStore } from "../../streams/io/series/series.ts";
import type { WardRoster } from "../../streams/sim/ward/messages.ts";
import { forgetSessions } from "../platform/broker.ts";
import { emptyStack } from "../platform/fresh-stack.ts";
import { shippedRules } from "../platform.ts";
import { httpDialect, kafkaDialect } from "./dialects.ts";
import { buildChangedWindows, type ChangedStage, hasTakenOver } from "./changed-stage.ts";
import type { InTurn } from "./strike.ts";
import type { Targets } from "./faults.ts";
import { type LossyProxy, startProxy } from "./proxy.ts";
import { SupervisedRole, type Supervised, supervisedServer } from "./supervised.ts";

export type Intake = "listener" | "broker";

export interface ChaosPlatform {
  readonly stack: Stack;
  readonly log: Platform["log"];
  readonly wire: Platform["wire"];
  readonly topology: Platform["topology"];
  readonly series: SeriesStore;
  readonly folder: string;
  /** Where devices publish. */
  readonly mqttUrl: string;
  readonly roles: readonly SupervisedRole[];
  readonly frontDoor: SupervisedRole;
  readonly processes: readonly Supervised[];
  readonly proxies: Readonly<Record<string, LossyProxy>>;
  readonly targets: Targets;
  readonly changed: ChangedStage;
  /** Puts the other build in place of the one that runs the stages (strike.ts). */
  readonly deploy: (inTurn: InTurn, tell: (line: string) => void) => Promise<void>;
  /** Ends the roles; servers stay as they are, Kafka without its proxy. */
  stop(): Promise<void>;
}

export interface ChaosPlatformOptions {
  readonly stack: Stack;
  readonly intake: Intake;
  readonly roster: WardRoster;
  readonly tell: (line: string) => void;
}

/** Limits in the middle of what is normal, so that there is much to promote. */
const restlessRules = join(import.meta.dirname, "..", "profiles", "chaos.json");
const loopback = "127.0.0.1";
/** Whose answers can be lost, in requests that take effect. */
const losable = { kafka: ["Produce", "EndTxn"], questdb: ["POST"], hapi: ["PUT"] };
const proxied = Object.keys(losable) as (keyof typeof losable)[];

export const startChaosPlatform = async (options: ChaosPlatformOptions): Promise<ChaosPlatform> => {
  const { intake, roster, tell } = options;
  const folder = await mkdtemp(join(tmpdir(), "afferent-chaos-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    await emptyStack(options.stack);
    const proxies: Record<string, LossyProxy> = {};
    for (const name of proxied) {
      const dialect = name === "kafka" ? kafkaDialect : httpDialect;
      const proxy = await startProxy(0, options.stack.server(name).port, dialect);
      proxies[name] = proxy;
      closing.push(() => proxy.close());
    }
    const stack = await behindProxy(options.stack, proxies["kafka"]?.port ?? 0);
    closing.push(async () => {
      await options.stack.server("kafka").stop();
      await options.stack.server("kafka").start();
    });
    const config = await configOf(intake, roster, folder, stack, proxies, (await freePorts()).mosquitto);
    const configFile = join(folder, "config.json");
    await writeFile(configFile, JSON.stringify(config));
    const ehr = stack.server("hapi").url;
    await seedPatients(ehr, (await loadRoster(config.roster)).patients);
    const platform = await openPlatform(config, "chaos");
    closing.push(platform.close);
    const series = await openSeries({ ...config, series: { kind: "questdb", url: stack.server("questdb").url } });
    closing.push(() => series.close());
    if (config.intake.kind === "subscriber") {
      const { url, clientId } = config.intake;
      closing.push(() => forgetSessions(url, clientId));
    }
    const frontDoor = new SupervisedRole(roleOf(intake === "listener" ? "listen" : "ingest", configFile, tell));
    const roles = [
      frontDoor,
      new SupervisedRole({ ...roleOf("process", configFile, tell), name: "process-1" }),
      new SupervisedRole({ ...roleOf("process", configFile, tell), name: "process-2" }),
      new SupervisedRole(roleOf("store", configFile, tell)),
      new SupervisedRole(roleOf("promote", configFile, tell)),
    ];
    closing.push(() => Promise.all(roles.map((role) => role.stop())));
    await Promise.all(roles.map((role) => role.start()));
    const changed = await buildChangedWindows(platform.topology.stage("windows"), folder);
    const deploy: ChaosPlatform["deploy"] = async (inTurn, tellAt) => {
      const [first, ...others] = roles.filter(({ role }) => role === "process");
      await inTurn(first?.name ?? "", async () => first?.deploy(changed.folder));
      // until then an old build must run: it brings its version to where the new one begins
      await hasTakenOver(changed, platform.log);
      tellAt("the new version steps every partition");
      for (const other of others) await inTurn(other.name, () => other.deploy(changed.folder));
    };
    const servers = [...proxied, ...(intake === "broker" ? (["mosquitto"] as const) : [])];
    return {
      stack,
      log: platform.log,
      wire: platform.wire,
      topology: platform.topology,
      series,
      folder,
      mqttUrl:
        config.intake.kind === "listener"
          ? `mqtt://${config.intake.host}:${config.intake.port}`
          : stack.server("mosquitto").url,
      roles,
      frontDoor,
      processes: [...roles, ...servers.map((name) => supervisedServer(stack.server(name)))],
      proxies,
      changed,
      deploy,
      targets: { roles: roles.map(({ name }) => name), servers, proxies: losable },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const roleOf = (
  role: "listen" | "ingest" | "process" | "store" | "promote",
  configFile: string,
  tell: (line: string) => void,
) => ({
  name: role,
  role,
  configFile,
  tell,
});

/** The same servers, but Kafka tells its clients to come to the proxy. */
const behindProxy = async (stack: Stack, port: number): Promise<Stack> => {
  await stack.server("kafka").stop();
  const behind = runningStack({ ...stack.config, kafkaAdvertised: port });
  await behind.server("kafka").start();
  return behind;
};

const configOf = async (
  intake: Intake,
  roster: WardRoster,
  folder: string,
  stack: Stack,
  proxies: Readonly<Record<string, LossyProxy>>,
  listenerPort: number,
): Promise<Config> => {
  const rosterFile = join(folder, "roster.json");
  await writeFile(rosterFile, JSON.stringify(roster));
  const behind = (name: string): string => `${loopback}:${proxies[name]?.port}`;
  return checkConfig(
    {
      ward: "Ward under chaos",
      production: false,
      data: folder,
      log: { kind: "kafka", brokers: [behind("kafka")] },
      registry: { kind: "confluent", url: stack.server("apicurio").url },
      intake:
        intake === "listener"
          ? { kind: "listener", host: loopback, port: listenerPort }
          : {
              kind: "subscriber",
              url: stack.server("mosquitto").url,
              protocolVersion: 5,
              clientId: folder.slice(-22),
            },
      series: { kind: "questdb", url: `http://${behind("questdb")}` },
      destinations: [{ name: "ehr", baseUrl: `http://${behind("hapi")}/fhir`, finalAtEnd: true }],
      roster: rosterFile,
      rules: [shippedRules, restlessRules],
      demoApproval: true,
      allowPlainRules: false,
      board: { host: loopback, port: 0 },
      speed: 1,
      lingerMs: 5,
    },
    "under chaos",
  );
};
