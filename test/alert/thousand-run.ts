/**
 * Plays the thousand on the full stack, by a broker or by the listener as the front door; kills everything that the circuit can do without,
 * then the circuit itself. One notifier hangs throughout, and waveforms of other beds go by.
 */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { freePorts } from "../../deploy/ports.ts";
import type { Stack } from "../../deploy/stack.ts";
import { publishWard } from "../../streams/sim/publish.ts";
import { ward as simulatedWard } from "../../streams/sim/ward/ward.ts";
import { forgetSession } from "../platform/broker.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { type RunningPlatform, shippedRules, startPlatform } from "../platform.ts";
import { cincDevices, cincSendings } from "./cinc.ts";
import { type Receiver, startHungReceiver, startReceiver } from "./receiver.ts";
import { patients, policy, roster, type Script, type Sending, Thousand } from "./thousand.ts";

export type Door = "broker" | "listener";

/** In seconds of the play. */
export interface Course extends Omit<Script, "startMs"> {
  /** Till then everything is cold, for the stack has just started. */
  readonly warmEnds: number;
  /** Then all else is killed; and later the circuit, which is started again at once. */
  readonly restEnds: number;
  readonly circuitKilledAt: number;
  /** When the recorded monitors raise their alarms. */
  readonly cincAt: number;
}

/** A thousand of every shape in a minute and a half, by either door. */
export const wholeCourse: Course = {
  lasts: 84,
  warmEnds: 8,
  restEnds: 26,
  gap: { from: 28, to: 40 },
  circuitKilledAt: 46,
  cincAt: 56,
  storm: { from: 60, to: 70 },
  natives: 890,
};

export interface Ran {
  readonly play: Thousand;
  readonly startMs: number;
  readonly receiver: Receiver;
  readonly platform: RunningPlatform;
  readonly client: MqttClient;
  /** How long the circuit took from its start to its being ready, ms. */
  readonly readyAfterMs: readonly number[];
  /** What was sent and acknowledged, in the order of sending. */
  readonly acknowledged: readonly Sending[];
  /** The circuit's own interface. */
  readonly api: string;
  close(): Promise<void>;
}

const secret = "sixteen or more characters";
const backgroundBeds = 24;
const loopback = "127.0.0.1";
/** Reading the recordings' waveforms takes a moment. */
const leadMs = 5_000;
const servers = ["kafka", "questdb", "hapi", "apicurio"] as const;
const ours = ["process", "store", "promote", "board"] as const;

/** Whatever of the stack it killed it starts again when it is closed. */
export const playThousand = async (stack: Stack, door: Door, course: Course): Promise<Ran> => {
  const closing: (() => Promise<unknown>)[] = [() => Promise.all(servers.map((name) => stack.server(name).start()))];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    return { ...(await run(stack, door, course, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const run = async (
  stack: Stack,
  door: Door,
  course: Course,
  closing: (() => Promise<unknown>)[],
): Promise<Omit<Ran, "close">> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-alert-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const receiver = await startReceiver();
  const hung = await startHungReceiver();
  closing.push(receiver.close, hung.close);
  const cinc = cincDevices();
  const wardRoster = roster(Date.now(), cinc);
  const [tapPort = 0, apiPort = 0] = Object.values(await freePorts());
  const platform = await startPlatform({
    stack,
    roster: { ...wardRoster, patients: patients(cinc), consents: [] },
    ...(door === "listener" && { frontDoor: "listen", alertTap: `http://${loopback}:${tapPort}` }),
  });
  closing.push(() => platform.stop());
  await platform.start("board");

  const wardFolder = join(folder, "ward");
  await mkdir(wardFolder);
  await writeFile(join(wardFolder, "roster.json"), JSON.stringify(wardRoster));
  await copyFile(shippedRules, join(wardFolder, "rules.json"));
  const ways = [
    { notifier: "pager", to: receiver.url },
    { notifier: "hung", to: hung.url },
  ];
  await writeFile(join(wardFolder, "policy.json"), JSON.stringify(policy(ways, cinc)));
  const configFile = join(folder, "alert.json");
  const clientId = folder.slice(-22);
  closing.push(() => forgetSession(platform.mqttUrl, clientId));
  const subscriber = { kind: "subscriber", url: platform.mqttUrl, protocolVersion: 5, clientId };
  const config = {
    production: false,
    data: join(folder, "circuit"),
    ward: wardFolder,
    intake: door === "broker" ? subscriber : { kind: "tap", host: loopback, port: tapPort },
    api: { host: loopback, port: apiPort },
    notifiers: { pager: { kind: "webhook", secret }, hung: { kind: "webhook", secret } },
    demoApproval: true,
  };
  await writeFile(configFile, JSON.stringify(config));

  const readyAfterMs: number[] = [];
  let circuit: RoleProcess | undefined;
  const startCircuit = async (): Promise<void> => {
    const began = performance.now();
    circuit = spawnRole("alert", configFile);
    await circuit.ready;
    readyAfterMs.push(Math.round(performance.now() - began));
  };
  closing.push(async () => circuit?.stop());
  await startCircuit();
  const session = async (clientId: string): Promise<MqttClient> => {
    const client = await connectAsync(platform.mqttUrl, { clean: true, clientId, reconnectPeriod: 200 });
    client.on("error", () => undefined); // a front door that is killed: it connects again
    closing.push(() => client.endAsync(true).catch(() => undefined));
    return client;
  };
  // waveforms wait where nothing keeps them: they have a session of their own
  const [client, waves] = [await session("monitors"), await session("waves")];
  closing.push(waveformsBeside(platform.mqttUrl, door));

  const startMs = Date.now() + leadMs;
  const play = new Thousand({ ...course, startMs });
  const recorded = cincSendings(startMs + course.cincAt * 1_000);
  for (const { raises } of recorded) play.expected.push(...raises);
  const acknowledged: Sending[] = [];
  const send = (sending: Sending): void => {
    for (const one of sending.raises) one.publishedAt = Date.now();
    void (sending.mqttTopic.endsWith("/waveforms") ? waves : client)
      .publishAsync(sending.mqttTopic, Buffer.from(sending.payload), { qos: 1 })
      .then(
        () => acknowledged.push(sending),
        () => undefined, // ended with the test
      );
  };
  const front = door === "broker" ? (["ingest"] as const) : [];
  const killAllElse = (): Promise<unknown> =>
    Promise.all([
      ...servers.map((name) => stack.server(name).kill("SIGKILL")),
      ...[...front, ...ours].map((name) => platform.role(name).kill()),
    ]);
  let killing: Promise<unknown> = Promise.resolve();
  for (let n = 0; n < course.lasts; n++) {
    if (n === course.restEnds) killing = killAllElse();
    if (n === course.circuitKilledAt) killing = killing.then(() => circuit?.kill()).then(startCircuit);
    const from = startMs + n * 1_000;
    const mine = recorded.filter(({ atMs }) => atMs >= from && atMs < from + 1_000);
    // spread over the second, as a hundred monitors are
    const sendings = play.at(n).map((one, i, all) => ({ ...one, atMs: from + (i * 900) / all.length }));
    for (const sending of [...sendings, ...mine].toSorted((a, b) => a.atMs - b.atMs)) {
      const waitMs = sending.atMs - Date.now();
      if (waitMs > 1) await sleep(waitMs);
      send(sending);
    }
  }
  await killing;
  await sleep(5_000);
  return {
    play,
    startMs,
    receiver,
    platform,
    client,
    readyAfterMs,
    acknowledged,
    api: `http://${loopback}:${apiPort}`,
  };
};

/** Of other beds; returns what ends them. The circuit leaves them to the telemetry plane. */
const waveformsBeside = (url: string, door: Door): (() => Promise<unknown>) => {
  const stop = new AbortController();
  const background = simulatedWard({ beds: backgroundBeds, seed: 7, startMs: Date.now() });
  const only = {
    startMs: background.startMs,
    *messages() {
      for (const message of background.messages()) if (message.stream === "waveforms") yield message;
    },
  };
  const protocolVersion = door === "broker" ? 5 : 4;
  const publishing = publishWard(only, { url, speed: 1, protocolVersion, signal: stop.signal });
  publishing.catch(() => undefined); // a listener that is killed ends it, too
  return async () => {
    stop.abort();
    await publishing.catch(() => undefined);
  };
};
