/**
 * A ward whose every destination misbehaves: the circuit and the embedded platform (listener, process, store, promote) as real processes,
 * with a FHIR server that hangs, one that drips, one that talks rubbish, one that answers 503, one that takes and hangs up, and an HL7 v2
 * receiver that never acknowledges. What the destinations are to get is read from the outbox, what they got from themselves.
 */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { freePorts } from "../../deploy/ports.ts";
import { aPatient } from "../../schemas/fhir/clinical.fixture.ts";
import type { Delivery, Intent } from "../../schemas/records/clinical.ts";
import { deliveries, outbox } from "../../schemas/topics.ts";
import { openPlatform, type Platform } from "../../streams/compose.ts";
import { checkConfig, type Config } from "../../streams/config.ts";
import {
  acceptsAndDrops,
  drips,
  hangs,
  illFhir,
  illMllp,
  type IllPeer,
  isDown,
  isSilent,
  talksRubbish,
} from "../../streams/roles/ill-destinations.fixture.ts";
import type { WardRoster } from "../../streams/sim/ward/messages.ts";
import { type RoleName, spawnRole } from "../platform/role.ts";
import { entriesOf, until } from "../platform/watch.ts";
import { shippedRules } from "../platform.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { patients, policy, roster } from "./thousand.ts";

const loopback = "127.0.0.1";
const secret = "sixteen or more characters";
/** Short, so that as many tries as possible go on beside the circuit. */
const answerWithinMs = 1_000;

/** The clinical plane as it stood at a moment. */
export interface Standing {
  /** Intents by destination. */
  readonly intents: ReadonlyMap<string, readonly Intent[]>;
  readonly deliveries: ReadonlyMap<string, readonly Delivery[]>;
  /** How many requests and messages each destination had. */
  readonly asked: ReadonlyMap<string, number>;
  /** afferent_destination_state 1: each destination's. */
  readonly states: ReadonlyMap<string, string>;
}

export interface IllWard {
  readonly peers: readonly IllPeer[];
  /** Whoever is paged. */
  readonly receiver: Receiver;
  /** The monitors' connection to the listener. */
  readonly client: MqttClient;
  /** What the circuit says is the matter with it now: of its audit, of parts that are away, of its modes. */
  complaints(): Promise<readonly string[]>;
  standing(): Promise<Standing>;
  close(): Promise<void>;
}

type Peers = readonly IllPeer[];

const openPeers = async (): Promise<Peers> => {
  const fhir = { patients: patients().map((patient) => aPatient(patient)), timeoutMs: answerWithinMs };
  return Promise.all([
    illFhir("hung", { ...fhir, misbehaves: hangs }),
    illFhir("dripping", { ...fhir, misbehaves: drips }),
    illFhir("rubbish", { ...fhir, misbehaves: talksRubbish }),
    illFhir("down", { ...fhir, misbehaves: isDown }),
    illFhir("dropping", { ...fhir, misbehaves: acceptsAndDrops }),
    illMllp("deaf", { answers: isSilent, answerWithinMs, takesAllTheSame: true }),
  ]);
};

const consentsTo = (peers: Peers): WardRoster["consents"] =>
  patients().flatMap(({ patientKey }) =>
    peers.map(({ destination }) => ({
      id: `${patientKey}/${destination.name}`,
      version: 1,
      patientKey,
      destination: destination.name,
      decision: "permit" as const,
      from: "2026-01-01T00:00:00Z",
      to: null,
      recordedAt: "2026-01-01T00:00:00Z",
    })),
  );

export const standIllWard = async (): Promise<IllWard> => {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    return { ...(await stand(closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const stand = async (closing: (() => Promise<unknown>)[]): Promise<Omit<IllWard, "close">> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-ill-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const peers = await openPeers();
  closing.push(() => Promise.all(peers.map((peer) => peer.close())));
  const receiver = await startReceiver();
  closing.push(receiver.close);
  const [mqttPort = 0, tapPort = 0, apiPort = 0, metricsPort = 0] = Object.values(await freePorts());
  const wardRoster = roster(Date.now());
  const circuitFile = await circuitConfig(folder, { tapPort, apiPort, pager: receiver.url, wardRoster });
  const whole: WardRoster = { ...wardRoster, patients: patients(), consents: consentsTo(peers) };
  const config = await platformConfig(folder, { mqttPort, tapPort, peers, roster: whole });
  const platform = await openPlatform(config, "test");
  closing.push(platform.close);
  const start = async (name: RoleName | "alert", file: string, ...options: readonly string[]): Promise<void> => {
    const role = spawnRole(name, file, options);
    closing.push(() => role.stop());
    await role.ready;
  };
  const platformFile = join(folder, "config.json");
  await Promise.all([
    start("alert", circuitFile),
    start("store", platformFile),
    start("process", platformFile),
    start("promote", platformFile, "--metrics-port", String(metricsPort)),
  ]);
  await start("listen", platformFile);
  const client = await connectAsync(`mqtt://${loopback}:${mqttPort}`, { clean: true, clientId: "monitors" });
  closing.push(() => client.endAsync(true));
  const complaints = () => complaintsOf(`http://${loopback}:${apiPort}/status`);
  await until("the circuit to hear the listener", async () => (await complaints()).length === 0, 20_000);
  const metricsUrl = `http://${loopback}:${metricsPort}/metrics`;
  return { peers, receiver, client, complaints, standing: () => standingOf(platform, peers, metricsUrl) };
};

interface CircuitParts {
  readonly tapPort: number;
  readonly apiPort: number;
  readonly pager: string;
  readonly wardRoster: object;
}

/** Of the circuit alone: it is told nothing of any destination. */
const circuitConfig = async (
  folder: string,
  { tapPort, apiPort, pager, wardRoster }: CircuitParts,
): Promise<string> => {
  const ward = join(folder, "ward");
  await mkdir(ward);
  await writeFile(join(ward, "roster.json"), JSON.stringify(wardRoster));
  await copyFile(shippedRules, join(ward, "rules.json"));
  await writeFile(join(ward, "policy.json"), JSON.stringify(policy([{ notifier: "pager", to: pager }])));
  const file = join(folder, "alert.json");
  const config = {
    production: false,
    data: join(folder, "circuit"),
    ward,
    intake: { kind: "tap", host: loopback, port: tapPort },
    api: { host: loopback, port: apiPort },
    notifiers: { pager: { kind: "webhook", secret } },
    demoApproval: true,
  };
  await writeFile(file, JSON.stringify(config));
  return file;
};

interface PlatformParts {
  readonly mqttPort: number;
  readonly tapPort: number;
  readonly peers: Peers;
  readonly roster: WardRoster;
}

const platformConfig = async (
  folder: string,
  { mqttPort, tapPort, peers, roster: whole }: PlatformParts,
): Promise<Config> => {
  const rosterFile = join(folder, "roster.json");
  await writeFile(rosterFile, JSON.stringify(whole));
  const config = {
    ward: "Ward T",
    production: false,
    data: folder,
    log: { kind: "sqlite" },
    registry: { kind: "local" },
    intake: { kind: "listener", host: loopback, port: mqttPort, alertTap: `http://${loopback}:${tapPort}` },
    series: { kind: "sqlite", keepHours: 1 },
    destinations: peers.map(({ destination }) => destination),
    roster: rosterFile,
    rules: [shippedRules],
    demoApproval: true,
    allowPlainRules: false,
    board: { host: loopback, port: 0 },
    speed: 1,
    lingerMs: 5,
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  return checkConfig(config, "of a test");
};

const complaintsOf = async (url: string): Promise<readonly string[]> => {
  const answer = await fetch(url).catch((error: unknown) => String(error));
  if (typeof answer === "string") return [answer];
  const { audit, down, modes } = (await answer.json()) as Record<string, readonly unknown[]>;
  return [audit, down, modes].flatMap((some) => (some ?? ["no answer"]).map((one) => JSON.stringify(one)));
};

const standingOf = async ({ log, wire }: Platform, peers: Peers, metricsUrl: string): Promise<Standing> => {
  const intents = (await entriesOf(log, wire, outbox)).flatMap(({ body }) => (body.kind === "intent" ? [body] : []));
  const answers = (await entriesOf(log, wire, deliveries)).flatMap(({ body }) =>
    body.kind === "delivery" ? [body] : [],
  );
  const metrics = await (await fetch(metricsUrl)).text();
  const states = metrics.matchAll(/^afferent_destination_state\{destination="(\w+)",state="(\w+)"\} 1$/gm);
  return {
    intents: Map.groupBy(intents, ({ destination }) => destination),
    deliveries: Map.groupBy(answers, ({ destination }) => destination),
    asked: new Map(peers.map(({ destination, asked }) => [destination.name, asked()])),
    states: new Map([...states].map(([, name = "", state = ""]) => [name, state])),
  };
};
