/**
 * The whole platform in one process, with Node alone: listener, SQLite logs and series store, a receiving FHIR endpoint, the page,
 * and a ward of simulated (or recorded) patients that publishes over MQTT like any other.
 */
import { randomBytes } from "node:crypto";
import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadRoster, openPlatform, type Platform } from "../compose.ts";
import { checkConfig, type Config } from "../config.ts";
import { startFhirEndpoint } from "../io/fhir-endpoint.ts";
import { publishWard } from "../sim/publish.ts";
import { openBoard } from "./board.ts";
import { type DemoCircuit, freePort, startDemoCircuit } from "./demo-circuit.ts";
import { simulatedRosterSection } from "./demo-roster.ts";
import { openFrontDoor } from "./intake.ts";
import { runStages } from "./process.ts";
import { runPromotion } from "./promote.ts";
import { openRoster } from "./roster.ts";
import { closeAndEnd, interrupted, openStore } from "./run.ts";
import { chooseWard, type WardChoice, writeRoster } from "./sim.ts";
import { contentHash } from "../core/hash.ts";
import { scaleTime } from "../core/time.ts";
import { knownScale } from "./source.ts";

export interface DemoOptions extends WardChoice {
  readonly speed: number;
  readonly port: number;
  readonly mqttPort: number;
  readonly data: string;
}

const loopback = "127.0.0.1" as const;
/** "max" is this factor on every machine: it is fixed before anything could be measured. The page shows the speed reached. */
const fastest = 60;
const hoursKept = 24;
const recordsKept = 400_000;

/** Runs until interrupted; then everything is closed in order. */
export const demo = async (options: DemoOptions): Promise<void> => {
  const began = performance.now();
  const speed = Number.isFinite(options.speed) ? options.speed : fastest;
  const folder = join(options.data, stateName(options, speed));
  await mkdir(folder, { recursive: true });
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const roster = join(folder, "roster.json");
    if (!(await exists(roster))) await writeRoster(roster, await chooseWard(options, Date.now()));
    const ehr = await startFhirEndpoint({ port: 0, file: join(folder, "ehr.sqlite") });
    closing.push(ehr.close);
    const { patients, beds } = await loadRoster(roster);
    await ehr.seed(patients);
    const [tapPort, apiPort] = [await freePort(), await freePort()];
    const service = hearsAdt(options, speed) ? await rosterSection(beds) : undefined;
    const config = embeddedConfig(options, speed, folder, roster, ehr.url, { tapPort, apiPort }, service);
    await writeConfig(join(options.data, "current.json"), config);
    const platform = await openPlatform(config, "demo");
    closing.push(platform.close);
    const running = await openAll(platform, closing);
    const scale = await knownScale(speed, platform);
    const circuit = await startDemoCircuit({ base: options.data, folder, roster, rules, tapPort, apiPort, scale });
    closing.push(circuit.close);
    const stop = new AbortController();
    const publishing = publish(options, speed, running.mqttUrl, platform, stop.signal);
    closing.push(async () => {
      stop.abort();
      await publishing;
    });
    const told = interrupted();
    process.stdout.write(introduction({ ...running, ...circuit }, options, speed, began));
    await Promise.race([running.failed, told]);
    process.stdout.write("\nstopping\n");
  } finally {
    await closeAndEnd(closing);
  }
};

/** Each ward has a state of its own: the same beds, or the same folder of recordings, at one speed. */
const stateName = ({ beds, seed, recordings }: DemoOptions, speed: number): string => {
  const ward =
    recordings === undefined
      ? `beds-${beds}-seed-${seed}`
      : `recordings-${contentHash(resolve(recordings)).slice(0, 8)}`;
  return `demo-${ward}-speed-${speed}`;
};

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const rules = join(import.meta.dirname, "../../topologies/rules/adult-example.json");
const precedence = join(import.meta.dirname, "../../topologies/precedence/adult-example.json");
const scores = join(import.meta.dirname, "../../topologies/scores/adult-example.json");

/** ADT tells of real time, and the simulated patients alone have numbers that it could call them by. */
const hearsAdt = ({ recordings }: DemoOptions, speed: number): boolean => speed === 1 && recordings === undefined;

/** MLLP's own port, where nobody has it. */
const usualAdtPort = 2575;

const rosterSection = async (beds: Parameters<typeof simulatedRosterSection>[0]["beds"]) =>
  simulatedRosterSection({
    beds,
    host: loopback,
    adtPort: await freePort(usualAdtPort),
    apiPort: await freePort(),
    token: randomBytes(24).toString("base64url"),
  });

/** It may hold the roster's token: for us alone to read, also where an earlier demo left it to others. */
const writeConfig = async (file: string, config: Config): Promise<void> => {
  await writeFile(file, `${JSON.stringify(config, null, 1)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
};

interface CircuitPorts {
  readonly tapPort: number;
  readonly apiPort: number;
}

const embeddedConfig = (
  options: DemoOptions,
  speed: number,
  data: string,
  roster: string,
  ehrUrl: string,
  { tapPort, apiPort }: CircuitPorts,
  rosterService: Config["rosterService"],
): Config =>
  checkConfig(
    {
      ward: options.recordings === undefined ? "Simulated ward" : "Recorded patients",
      production: false,
      data,
      log: { kind: "sqlite", keepRecords: recordsKept },
      registry: { kind: "local" },
      intake: {
        kind: "listener",
        host: loopback,
        port: options.mqttPort,
        alertTap: `http://${loopback}:${tapPort}`,
      },
      series: { kind: "sqlite", keepHours: hoursKept },
      destinations: [{ name: "ehr", baseUrl: ehrUrl, finalAtEnd: true }],
      roster,
      ...(rosterService !== undefined && { rosterService }),
      rules: [rules],
      precedence,
      scores,
      demoApproval: true,
      allowPlainRules: false,
      board: { host: loopback, port: options.port, alertApi: `http://${loopback}:${apiPort}` },
      speed,
      lingerMs: 20,
    },
    "of the demo",
  );

interface Demo {
  readonly mqttUrl: string;
  readonly page: string;
  /** Where ADT is sent to and its interface; undefined where none is heard. */
  readonly adt: string | undefined;
  /** Rejects when a part can't go on. */
  readonly failed: Promise<void>;
}

/** Opens the parts downstream first, so that nothing waits for a reader. */
const openAll = async (platform: Platform, closing: (() => Promise<unknown>)[]): Promise<Demo> => {
  const store = await openStore(platform);
  closing.push(store.close);
  const promotion = await runPromotion(platform);
  closing.push(promotion.close);
  const stages = await runStages(platform);
  closing.push(stages.close);
  const door = await openFrontDoor(platform);
  closing.push(door.close);
  const board = await openBoard(platform);
  closing.push(board.close);
  const roster = platform.config.rosterService === undefined ? undefined : await openRoster(platform);
  if (roster !== undefined) closing.push(roster.close);
  const parts = [store, promotion, stages, door, board, ...(roster === undefined ? [] : [roster])];
  return {
    adt: roster?.where.replace(/,.*/, ""),
    mqttUrl: `mqtt://${loopback}:${door.port}`,
    page: board.where,
    failed: Promise.all(parts.map(({ done }) => done)).then(() => undefined),
  };
};

const publish = async (
  options: DemoOptions,
  speed: number,
  url: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<void> => {
  const scale = await knownScale(speed, platform);
  const chosen = await chooseWard(options, Math.round(scaleTime(scale, Date.now())));
  await publishWard(chosen, {
    url,
    speed,
    signal,
    onProgress: ({ sent, actualSpeed }) => platform.say.debug({ sent, actualSpeed }, "ward"),
  }).catch((error: unknown) => platform.say.error({ error: String(error) }, "the ward stopped publishing"));
};

const introduction = (
  { page, mqttUrl, adt, pages }: Demo & Pick<DemoCircuit, "pages">,
  options: DemoOptions,
  speed: number,
  began: number,
): string =>
  [
    "",
    `  The ward is running (${((performance.now() - began) / 1000).toFixed(1)} s).`,
    "",
    `  page      ${page}`,
    `  devices   ${mqttUrl}`,
    ...(adt === undefined ? [] : [`  ADT       ${adt} (docs/recipes/roster.md)`]),
    `  pages     ${pages} (the alert circuit, a process of its own)`,
    `  speed     ${speed} x real time`,
    `  state     ${options.data} (make clean removes it)`,
    "",
    "  Look inside:  npm run -s afferent -- tap telemetry.episodes",
    "  Open alarms:  npm run -s afferent -- alarms",
    "  Stop:         Ctrl-C",
    "",
    "",
  ].join("\n");
