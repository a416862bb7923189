/**
 * A code blue and then some: the listener and the circuit alone, as real processes, with nothing else there and a storm of alarms of every
 * priority before a receiver that is slower than the storm. In the middle of it the circuit is killed. The gravest come first, none is lost,
 * each comes once when equal ids are dropped, and the circuit's memory is bounded. `make overload` lets it last for ten minutes.
 */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeTopology } from "../../streams/compose.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { rememberedRegistry } from "../../streams/io/registry/remembered.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { type RoleProcess, spawnRole } from "../platform/role.ts";
import { deviceName, policy, roster } from "./thousand.ts";

/** Of the storm; a few seconds unless told otherwise. */
const minutes = Number(process.env["OVERLOAD_MINUTES"] ?? 0);
const isLong = minutes > 0;
const story = { timeout: isLong ? (minutes * 2 + 10) * 60_000 : 240_000 };
/** Of the thousand's monitors those that have a bed. */
const devices = 84;
const connections = 7;
const secondMs = 1_000;
/** In seconds: one alarm per device and three seconds before the storm; in it three of each device in two seconds. */
const storm = { from: 5, to: isLong ? 5 + minutes * 60 : 19 };
const killedAt = Math.round((storm.from + storm.to) / 2);
const lasts = storm.to + 4;
const drainMsMax = isLong ? minutes * 60_000 : 60_000;
const lookEveryMs = isLong ? 5_000 : 250;
/** What the whole comes to, nearly: three of each device in two seconds. */
const least = isLong ? 120 * (storm.to - storm.from) : 1_700;
/** The storm brings 126 alarms a second, and their ends. */
const receiverPerSecond = 100;

const kinds = [
  { priority: "high", code: "VTACH", event: "ventricularTachycardia" },
  { priority: "medium", code: "APNEA", event: "apnoea" },
  { priority: "low", code: "SPO2_LO", event: "low" },
] as const;
type Priority = (typeof kinds)[number]["priority"];

/** What is to be told: a device's alarm with this onset. */
interface Raised {
  readonly device: string;
  readonly bed: string;
  readonly event: string;
  readonly priority: Priority;
  readonly onset: number;
  publishedAt: number;
}

/** As a webhook says it. */
interface Told {
  readonly identity: string;
  readonly what: string;
  readonly phase: string;
  readonly device: string;
  readonly bed: string | null;
  readonly event: string;
  readonly priority: string;
  readonly onset: number;
}

const keyOf = ({ device, event, onset }: Pick<Told, "device" | "event" | "onset">): string =>
  `${device} ${event} ${onset}`;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Answers so many a second, in the order in which they come. */
const startSlowReceiver = async () => {
  const arrivals = new Map<string, { readonly told: Told; readonly at: number }>();
  const counted = { requests: 0 };
  let freeAt = 0;
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += String(part);
    counted.requests++;
    const told = JSON.parse(text) as Told;
    if (!arrivals.has(told.identity)) arrivals.set(told.identity, { told, at: Date.now() });
    freeAt = Math.max(freeAt, performance.now()) + 1_000 / receiverPerSecond;
    await sleep(freeAt - performance.now());
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    counted,
    close: (): Promise<void> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};

/** Resident memory in MB of the process that was started with this configuration. */
const residentMb = async (configFile: string): Promise<number> => {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!command.includes(configFile)) continue;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
  }
  return Number.NaN;
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;

describe("ten times the alarms, and the circuit killed in the middle", story, () => {
  const closing: (() => Promise<unknown>)[] = [];
  const raised: Raised[] = [];
  const memoryMb: number[] = [];
  let receiver: Awaited<ReturnType<typeof startSlowReceiver>>;
  let circuit: RoleProcess;
  let startMs: number;
  let readyAfterMs = Number.NaN;
  let unacknowledged = 0;

  /** What device i shows in second n, and since when. */
  const shownBy = (i: number, n: number) => {
    const isStorm = n >= storm.from && n < storm.to;
    const phase = isStorm ? (n - storm.from + i) % 2 : (n + i) % 3;
    // a second of quiet on either side of the storm and at the end, or it would go on as one alarm
    if (phase !== 0 || n === storm.from - 1 || n === storm.to || n === lasts - 1) return [];
    return isStorm ? kinds : kinds.slice(i % 3, (i % 3) + 1);
  };

  const publish = (clients: readonly MqttClient[], i: number, n: number): void => {
    const device = deviceName(i);
    const onset = startMs + n * secondMs;
    const shown = shownBy(i, n);
    const reading = {
      device,
      boot: "b0b0b0b0",
      seq: n,
      time: new Date(onset).toISOString(),
      mode: "live",
      numerics: [{ name: "HR", value: 72, unit: "bpm" }],
      alarms: shown.map(({ code, priority }) => ({
        code,
        text: code,
        priority,
        state: "active",
        since: new Date(onset).toISOString(),
      })),
    };
    const bed = `T-${device.slice("mon-".length)}`;
    for (const { event, priority } of shown)
      raised.push({ device, bed, event, priority, onset, publishedAt: Date.now() });
    unacknowledged++;
    void clients[i % connections]
      ?.publishAsync(`afferent/${device}/numerics`, JSON.stringify(reading), { qos: 1 })
      .then(() => unacknowledged--);
  };

  const untold = (): Raised[] => {
    const had = new Set([...receiver.arrivals.values()].map(({ told }) => keyOf(told)));
    return raised.filter((one) => !had.has(keyOf(one)));
  };

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "afferent-overload-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    receiver = await startSlowReceiver();
    closing.push(receiver.close);
    const [tapPort, mqttPort] = [await freePort(), await freePort()];
    const rules = join(import.meta.dirname, "../../topologies/rules/adult-example.json");
    const ward = join(folder, "ward");
    await mkdir(ward);
    await writeFile(join(ward, "roster.json"), JSON.stringify(roster(Date.now())));
    await copyFile(rules, join(ward, "rules.json"));
    await writeFile(join(ward, "policy.json"), JSON.stringify(policy([{ notifier: "pager", to: receiver.url }])));
    const alertConfig = join(folder, "alert.json");
    await writeFile(
      alertConfig,
      JSON.stringify({
        production: false,
        data: join(folder, "circuit"),
        ward,
        intake: { kind: "tap", host: "127.0.0.1", port: tapPort },
        api: { host: "127.0.0.1", port: 0 },
        notifiers: { pager: { kind: "webhook", secret: "sixteen or more characters" } },
        demoApproval: true,
      }),
    );

    // a listener that has run before, and finds neither Kafka nor the schema registry now
    const data = join(folder, "listener");
    await mkdir(data);
    const destinations = [{ name: "ehr", kind: "fhir" as const, baseUrl: "http://127.0.0.1:1", finalAtEnd: true }];
    const config = {
      ward: "Ward T",
      production: false,
      data,
      log: { kind: "kafka", brokers: ["127.0.0.1:1"] },
      registry: { kind: "confluent", url: "http://127.0.0.1:1" },
      intake: { kind: "listener", host: "127.0.0.1", port: mqttPort, alertTap: `http://127.0.0.1:${tapPort}` },
      series: { kind: "sqlite", keepHours: 1 },
      destinations,
      roster: join(ward, "roster.json"),
      rules: [rules],
      demoApproval: true,
      allowPlainRules: false,
      board: { host: "127.0.0.1", port: 0 },
      speed: 1,
      lingerMs: 0,
    };
    const earlier = rememberedRegistry(localRegistry(":memory:"), join(data, "schema-ids.json"), () => undefined);
    await openWire(earlier, (await describeTopology({ destinations, demoApproval: true })).topics);
    const listenConfig = join(folder, "listen.json");
    await writeFile(listenConfig, JSON.stringify(config));

    const startCircuit = async (): Promise<void> => {
      const began = performance.now();
      circuit = spawnRole("alert", alertConfig);
      await circuit.ready;
      readyAfterMs = performance.now() - began;
    };
    await startCircuit();
    closing.push(() => circuit.stop());
    const listener = spawnRole("listen", listenConfig);
    closing.push(() => listener.stop());
    await listener.ready;
    const clients = await Promise.all(
      Array.from({ length: connections }, (_, i) =>
        connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { clientId: `gateway-${i}` }),
      ),
    );
    closing.push(() => Promise.all(clients.map((client) => client.endAsync(true))));

    startMs = Date.now() + secondMs;
    let restarting: Promise<unknown> = Promise.resolve();
    for (let n = 0; n < lasts; n++) {
      if (n === killedAt) restarting = circuit.kill().then(startCircuit);
      restarting.catch(() => undefined); // awaited below
      for (let i = 0; i < devices; i++) {
        const waitMs = startMs + n * secondMs + (i * 900) / devices - Date.now();
        if (waitMs > 1) await sleep(waitMs);
        publish(clients, i, n);
      }
      memoryMb.push(await residentMb(alertConfig));
    }
    await restarting;
    const untilMs = performance.now() + drainMsMax;
    while (untold().length > 0 && performance.now() < untilMs) await sleep(lookEveryMs);
  }, story.timeout);

  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  }, story.timeout);

  it("loses none, and tells each right and once", () => {
    process.stdout.write(
      `alarms ${raised.length}, told ${receiver.arrivals.size}, requests ${receiver.counted.requests}; circuit ready after ${Math.round(readyAfterMs)} ms\n`,
    );
    expect(raised.length).toBeGreaterThan(least);
    expect(untold()).toEqual([]);
    expect(unacknowledged).toBe(0);
    // what had to wait for longer than a minute and was over by then comes as a delayed item
    const starts = [...receiver.arrivals.values()].filter(
      ({ told }) => (told.what === "alarm" && told.phase === "start") || told.what === "delayed",
    );
    const late = starts.filter(({ told }) => told.what === "delayed");
    process.stdout.write(`as delayed items ${late.length}\n`);
    expect(late.filter(({ told }) => told.priority === "high")).toEqual([]);
    const byKey = Map.groupBy(starts, ({ told }) => keyOf(told));
    const wrong = raised.filter((one) => {
      const [first, ...more] = byKey.get(keyOf(one)) ?? [];
      return first?.told.bed !== one.bed || first.told.priority !== one.priority || more.length > 0;
    });
    expect(wrong).toEqual([]);
  });

  it("the high before the medium, the medium before the low, however many wait", () => {
    const arrivedAt = new Map<string, number>();
    for (const { told, at } of receiver.arrivals.values())
      arrivedAt.set(keyOf(told), Math.min(at, arrivedAt.get(keyOf(told)) ?? Number.POSITIVE_INFINITY));
    const delays = (priority: Priority): number[] =>
      raised
        .filter((one) => one.priority === priority && one.onset >= startMs + storm.from * secondMs)
        .map((one) => (arrivedAt.get(keyOf(one)) ?? Number.POSITIVE_INFINITY) - one.publishedAt)
        .sort((a, b) => a - b);
    const [high, medium, low] = kinds.map(({ priority }) => delays(priority)) as [number[], number[], number[]];
    for (const [i, sorted] of [high, medium, low].entries())
      process.stdout.write(
        `${kinds[i]?.priority.padEnd(6)} n ${sorted.length} p50 ${quantile(sorted, 0.5)} p99 ${quantile(sorted, 0.99)} max ${sorted.at(-1)} ms\n`,
      );
    // how fast is the full stack's question, on a machine of its own (thousand.integration.test.ts)
    expect(quantile(high, 0.99)).toBeLessThan(quantile(low, 0.5));
    expect(quantile(medium, 0.5)).toBeLessThan(quantile(low, 0.5));
  });

  it("in bounded memory", () => {
    const shown = isLong ? memoryMb.filter((_, n) => n % 30 === 0) : memoryMb;
    process.stdout.write(`resident MB: ${shown.map(Math.round).join(" ")}, max ${Math.round(Math.max(...memoryMb))}\n`);
    // it levels off, however long it lasts
    expect(Math.max(...memoryMb)).toBeLessThan(isLong ? 600 : 400);
  });
});
