/**
 * A thousand critical alarms of every shape on the full stack, with everything killed but the broker and the circuit, and the circuit killed
 * too: a receiver that is nobody's friend must have each of them, right, once, and in time. One notifier hangs throughout.
 */
import { mkdir, mkdtemp, rm, writeFile, copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publishWard } from "../../streams/sim/publish.ts";
import { ward as simulatedWard } from "../../streams/sim/ward/ward.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { type RunningPlatform, shippedRules, startPlatform } from "../platform.ts";
import { sharedStack } from "../stack.ts";
import { type Arrival, type Receiver, startHungReceiver, startReceiver } from "./receiver.ts";
import { type Expected, patients, policy, roster, type Sending, Thousand } from "./thousand.ts";

const story = { timeout: 420_000 };
const lasts = 122;
/** The stack has just started, and the first messages find everything cold. */
const warmEnds = 12;
const restEnds = 32;
const circuitKilledAt = 62;
const storm = { from: 80, to: 92 };
const gap = { from: 40, to: 56 };
const backgroundBeds = 24;
const secret = "sixteen or more characters";
const servers = ["kafka", "questdb", "hapi", "apicurio"] as const;
const ourRoles = ["ingest", "process", "store", "promote"] as const;

/** Each expected alarm with the notification that told it; undefined where none did. */
const paired = (
  expected: readonly Expected[],
  arrivals: readonly Arrival[],
): { readonly pairs: (readonly [Expected, Arrival | undefined])[]; readonly extra: readonly Arrival[] } => {
  // who is told first: the nurse at the bed, or, where nobody is, the last resort (and the chain goes on beside it)
  const left = new Set(
    arrivals.filter(
      ({ told }) =>
        told.what === "alarm" && told.phase === "start" && told.recipient === (told.bed === null ? "resort" : "nurse"),
    ),
  );
  const pairs = expected.map((one): readonly [Expected, Arrival | undefined] => {
    for (const arrival of left) {
      const { told } = arrival;
      const fits =
        told.device === one.device &&
        told.event === one.event &&
        told.metric === one.metric &&
        Math.abs(told.onset - one.onset) <= one.withinMs;
      if (!fits) continue;
      left.delete(arrival);
      return [one, arrival];
    }
    return [one, undefined];
  });
  return { pairs, extra: [...left] };
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;

const delays = (pairs: readonly (readonly [Expected, Arrival | undefined])[]): number[] =>
  pairs
    .flatMap(([{ publishedAt }, arrival]) => (arrival === undefined ? [] : [arrival.at - publishedAt]))
    .sort((a, b) => a - b);

const figures = (what: string, sorted: readonly number[]): string =>
  `${what.padEnd(34)} n ${String(sorted.length).padStart(4)}  p50 ${quantile(sorted, 0.5)} ms  p99 ${quantile(sorted, 0.99)} ms  max ${sorted.at(-1)} ms`;

describe("a thousand critical alarms while all else is dead", story, () => {
  const stack = sharedStack();
  const closing: (() => Promise<unknown>)[] = [];
  let play: Thousand;
  let startMs: number;
  let receiver: Receiver;
  let platform: RunningPlatform;
  let client: MqttClient;
  let configFile: string;
  let circuit: RoleProcess;
  const readyAfter: number[] = [];

  const startCircuit = async (): Promise<void> => {
    const began = performance.now();
    circuit = spawnRole("alert", configFile);
    await circuit.ready;
    readyAfter.push(Math.round(performance.now() - began));
  };

  const send = ({ mqttTopic, payload, raises }: Sending): void => {
    for (const one of raises) one.publishedAt = Date.now();
    void client.publishAsync(mqttTopic, Buffer.from(payload), { qos: 1 });
  };

  /** Spread over the second, as a hundred monitors are. */
  const playSecond = async (n: number): Promise<void> => {
    const sendings = play.at(n);
    for (const [i, sending] of sendings.entries()) {
      const dueMs = startMs + n * 1_000 + (i * 900) / sendings.length;
      const waitMs = dueMs - Date.now();
      if (waitMs > 1) await sleep(waitMs);
      send(sending);
    }
  };

  const killAllElse = async (): Promise<void> => {
    await Promise.all([
      ...servers.map((name) => stack.server(name).kill("SIGKILL")),
      ...ourRoles.map((name) => platform.role(name).kill()),
    ]);
  };

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "afferent-alert-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    receiver = await startReceiver();
    closing.push(receiver.close);
    const hung = await startHungReceiver();
    closing.push(hung.close);
    const wardRoster = roster(Date.now());
    platform = await startPlatform({ stack, roster: { ...wardRoster, patients: patients(), consents: [] } });
    closing.push(() => platform.stop());

    const wardFolder = join(folder, "ward");
    await mkdir(wardFolder);
    await writeFile(join(wardFolder, "roster.json"), JSON.stringify(wardRoster));
    await copyFile(shippedRules, join(wardFolder, "rules.json"));
    const ways = [
      { notifier: "pager", to: receiver.url },
      { notifier: "hung", to: hung.url },
    ];
    await writeFile(join(wardFolder, "policy.json"), JSON.stringify(policy(ways)));
    configFile = join(folder, "alert.json");
    const config = {
      production: false,
      data: join(folder, "circuit"),
      ward: wardFolder,
      intake: {
        kind: "subscriber",
        url: platform.mqttUrl,
        protocolVersion: 5,
        clientId: `circuit-${folder.slice(-6)}`,
      },
      api: { host: "127.0.0.1", port: 0 },
      notifiers: {
        pager: { kind: "webhook", secret },
        hung: { kind: "webhook", secret },
      },
      demoApproval: true,
    };
    await writeFile(configFile, JSON.stringify(config));
    await startCircuit();
    closing.push(() => circuit.stop());
    client = await connectAsync(platform.mqttUrl, { clean: true, clientId: "monitors" });
    closing.push(() => client.endAsync());

    const stop = new AbortController();
    const background = simulatedWard({ beds: backgroundBeds, seed: 7, startMs: Date.now() });
    const waveforms = publishWard(
      {
        startMs: background.startMs,
        *messages() {
          for (const message of background.messages()) if (message.stream === "waveforms") yield message;
        },
      },
      { url: platform.mqttUrl, speed: 1, protocolVersion: 5, signal: stop.signal },
    );
    closing.push(async () => {
      stop.abort();
      await waveforms;
    });

    startMs = Date.now() + 1_000;
    play = new Thousand({ startMs, lasts, storm, gap, natives: 870 });
    let killing: Promise<unknown> = Promise.resolve();
    for (let n = 0; n < lasts; n++) {
      if (n === restEnds) killing = killAllElse();
      if (n === circuitKilledAt) killing = killing.then(() => circuit.kill()).then(startCircuit);
      await playSecond(n);
    }
    await killing;
    await sleep(5_000);
  }, story.timeout);

  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await Promise.all(servers.map((name) => stack.server(name).start()));
  }, story.timeout);

  it("are each told to an independent receiver, with bed, event, priority, value and onset", () => {
    const { pairs } = paired(play.expected, receiver.arrivals);
    const shapes = Map.groupBy(pairs, ([{ shape }]) => shape);
    const lines = [...shapes].map(
      ([shape, of]) =>
        `${shape.padEnd(34)} ${of.filter(([, arrival]) => arrival !== undefined).length} of ${of.length}`,
    );
    process.stdout.write(`${lines.join("\n")}\ncircuit ready after ${readyAfter.join(" and ")} ms\n`);
    expect(pairs.length).toBeGreaterThanOrEqual(1_000);
    expect(pairs.filter(([, arrival]) => arrival === undefined).map(([one]) => one)).toEqual([]);
    const wrong = pairs.filter(
      ([one, arrival]) =>
        arrival?.told.bed !== one.bed || arrival.told.priority !== one.priority || arrival.told.value !== one.value,
    );
    expect(wrong).toEqual([]);
  });

  it("and none that nobody expects; what comes twice has one id", () => {
    const { extra } = paired(play.expected, receiver.arrivals);
    const physiological = extra.filter(({ told }) => told.metric !== null || told.event === "unmapped");
    process.stdout.write(`repeats with the same id: ${receiver.repeats()}\n`);
    expect(physiological.map(({ told }) => told)).toEqual([]);
  });

  it("in time", () => {
    const { pairs } = paired(play.expected, receiver.arrivals);
    const at = (n: number): number => startMs + n * 1_000;
    const within = (from: number, to: number) =>
      delays(pairs.filter(([{ publishedAt }]) => publishedAt >= at(from) && publishedAt < at(to)));
    const all = delays(pairs);
    process.stdout.write(
      `${[
        figures("at rest (goal p99 100 ms)", within(warmEnds, restEnds)),
        figures("all else killed", within(restEnds, circuitKilledAt)),
        figures("the circuit killed and restarted", within(circuitKilledAt, circuitKilledAt + 8)),
        figures("in the storm", within(storm.from, storm.to)),
        figures("all", all),
        `p50 by ten seconds: ${Array.from({ length: Math.ceil(lasts / 10) }, (_, i) => quantile(within(i * 10, i * 10 + 10), 0.5)).join(", ")} ms`,
      ].join("\n")}\n`,
    );
    expect(quantile(all, 0.99)).toBeLessThan(2_000);
    expect(all.at(-1)).toBeLessThan(5_000);
  });
});
