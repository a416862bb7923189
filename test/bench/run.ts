/**
 * What the platform costs, in messages per CPU-second of its own process: from MQTT to the raw log, and from the raw log to windows.
 * A bare pipe does the first on the same broker and Kafka in the same run; figures are medians of paired runs, ratios are what counts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { readStackConfig } from "../../deploy/config.ts";
import { freePorts } from "../../deploy/ports.ts";
import { startStack } from "../../deploy/stack.ts";
import type { Config } from "../../streams/config.ts";
import { openPlatform } from "../../streams/compose.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { receivedTime } from "../../streams/core/time.ts";
import { announce } from "../../streams/roles/source.ts";
import { ward } from "../../streams/sim/ward/ward.ts";
import { rosterOf } from "../../streams/sim/ward/roster.ts";
import { readRoster } from "../../streams/io/roster-file.ts";
import { raw } from "../../schemas/topics.ts";
import { cpuSeconds, startChild } from "./process-cpu.ts";

const messages = Number(process.env["BENCH_MESSAGES"] ?? 100_000);
const devices = 1000;
const runs = Number(process.env["BENCH_RUNS"] ?? 3);
/** Inside the windows' lateness of 5 min, or most of it would be refused as too late. */
const wardMinutes = 4;
const here = import.meta.dirname;
const main = join(here, "../../streams/main.ts");

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const perSecond = (n: number): string => `${Math.round(n).toLocaleString("en")} messages/CPU-s`;

const folder = mkdtempSync(join(tmpdir(), "afferent-bench-"));
const config = { ...readStackConfig(), data: join(folder, "stack"), ports: await freePorts() };
const stack = await startStack({ config, servers: ["mosquitto", "kafka", "apicurio"], onLine: say });
const brokerUrl = stack.server("mosquitto").url;
const kafkaBroker = stack.server("kafka").url;
const admin = new Kafka({ brokers: [kafkaBroker], logLevel: logLevel.NOTHING }).admin();
await admin.connect();

const until = async (holds: () => Promise<boolean>, what: string, limitMs = 180_000): Promise<void> => {
  const began = Date.now();
  while (!(await holds())) {
    if (Date.now() - began > limitMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await sleep(50);
  }
};

const ended = async (topic: string): Promise<number> =>
  (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);

/** CPU seconds that a process spends while the broker takes the load and it takes the load from the broker. */
const whileLoaded = async (pid: number, done: () => Promise<boolean>): Promise<number> => {
  const before = cpuSeconds(pid);
  const load = startChild(join(here, "load.ts"), brokerUrl, String(messages), String(devices));
  await load.ended;
  await until(done, "taking the load");
  return cpuSeconds(pid) - before;
};

const barePipe = async (run: number): Promise<number> => {
  const topic = `bare-${run}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: raw.partitions }] });
  const pipe = startChild(join(here, "bare-pipe.ts"), brokerUrl, kafkaBroker, topic);
  await pipe.says("ready");
  const spent = await whileLoaded(pipe.pid, async () => (await ended(topic)) >= messages);
  await pipe.stop();
  return messages / spent;
};

const platformConfig = (name: string, roster: object): { readonly file: string; readonly config: Config } => {
  const rosterFile = join(folder, `${name}-roster.json`);
  writeFileSync(rosterFile, JSON.stringify(roster));
  const value: Config = {
    ward: "bench",
    production: false,
    data: join(folder, name),
    log: { kind: "kafka", brokers: [kafkaBroker] },
    registry: { kind: "confluent", url: stack.server("apicurio").url },
    intake: { kind: "subscriber", url: brokerUrl, protocolVersion: 5, clientId: `bench-${process.pid}-${Date.now()}` },
    series: { kind: "sqlite", keepHours: 1 },
    destinations: [{ name: "ehr", kind: "fhir", baseUrl: "http://127.0.0.1:9/fhir", finalAtEnd: true }],
    roster: rosterFile,
    rules: [join(here, "../../topologies/rules/adult-example.json")],
    demoApproval: true,
    allowPlainRules: false,
    board: { host: "127.0.0.1", port: 0 },
    speed: 1,
    lingerMs: 5,
  };
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(value));
  return { file, config: value };
};

const received = async (metricsPort: number): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^afferent_received_messages_total (\d+)/m.exec(text)?.[1] ?? 0);
};

const ingest = async (): Promise<number> => {
  const { file } = platformConfig("ingest", {
    version: 1,
    devices: [],
    beds: [],
    associations: [],
    patients: [],
    consents: [],
  });
  const port = (await freePorts()).hapi;
  const role = startChild(main, "ingest", "--config", file, "--metrics-port", String(port));
  await role.says("afferent ingest");
  const before = await received(port);
  const spent = await whileLoaded(role.pid, async () => (await received(port)) - before >= messages);
  await role.stop();
  return messages / spent;
};

/** A ward's messages put straight into the raw log; then the two stages work them off. */
const rawToWindows = async (): Promise<{ readonly perCpuSecond: number; readonly measurements: number }> => {
  const startMs = Date.now() - wardMinutes * 60_000;
  const chosen = ward({ beds: 96, seed: 1, startMs });
  const { file, config: value } = platformConfig("windows", rosterOf(chosen));
  const platform = await openPlatform(value, "bench");
  const reading = readRoster(JSON.stringify(rosterOf(chosen)));
  if (!reading.ok) throw new Error(reading.problem.detail);
  await announce(
    reading.value,
    [],
    { originMs: 0, speed: 1 },
    { log: platform.log, wire: platform.wire, now: Date.now },
  );
  const appender = await platform.log.appender("bench");
  let count = 0;
  let batch = [];
  for (const { atMs, device, stream, mqttTopic, payload } of chosen.messages()) {
    if (atMs > startMs + wardMinutes * 60_000) break;
    if (stream === "waveforms") continue;
    const body = {
      kind: "reading",
      device,
      stream,
      mqttTopic,
      payload,
      receivedTime: receivedTime(atMs),
      session: "bench",
      dup: false,
      truncated: null,
    } as const;
    const key = device;
    const record = platform.wire.encode(raw, { position: null, logTime: null, body });
    batch.push({ topic: raw.name, partition: partitionOf(key, raw.partitions), key, value: record });
    count++;
    if (batch.length === 1000) {
      await appender.append(batch);
      batch = [];
    }
  }
  // log time comes at the end, in one go: it closes every window that the messages opened
  const tickValue = platform.wire.encode(raw, { position: null, logTime: null, body: { kind: "tick" } });
  for (let partition = 0; partition < raw.partitions; partition++)
    batch.push({ topic: raw.name, partition, key: "", value: tickValue });
  await appender.append(batch);
  await appender.close();
  const lag = async (group: string, topic: string): Promise<number> => {
    const at = await platform.log.progress(group, topic);
    const bounds = await Promise.all(at.map((_, p) => platform.log.bounds(topic, p)));
    return bounds.reduce((sum, { end }, p) => sum + end - (at[p] ?? 0), 0);
  };
  const role = startChild(main, "process", "--config", file, "--stages", "normalise", "windows");
  await role.says("afferent process");
  const before = cpuSeconds(role.pid);
  await until(
    async () => (await lag("normalise", raw.name)) === 0 && (await lag("windows", "telemetry.vitals")) === 0,
    "windows",
  );
  const spent = cpuSeconds(role.pid) - before;
  const vitals = await ended("telemetry.vitals");
  await role.stop();
  await platform.close();
  return { perCpuSecond: count / spent, measurements: vitals / spent };
};

try {
  const bare: number[] = [];
  const ours: number[] = [];
  for (let run = 0; run < runs; run++) {
    bare.push(await barePipe(run));
    ours.push(await ingest());
    say(`run ${run + 1}: bare pipe ${perSecond(bare[run] ?? 0)}, ingest ${perSecond(ours[run] ?? 0)}`);
  }
  const ratio = median(ours.map((value, i) => value / (bare[i] ?? Number.NaN)));
  say(
    `MQTT to raw log: ${perSecond(median(ours))}; bare pipe ${perSecond(median(bare))}; ratio ${ratio.toFixed(2)} (goal 0.7)`,
  );
  const windows = await rawToWindows();
  say(
    `raw log to windows: ${perSecond(windows.perCpuSecond)} (${Math.round(windows.measurements).toLocaleString("en")} measurements/CPU-s); ` +
      `against the bare pipe ${(windows.perCpuSecond / median(bare)).toFixed(2)}`,
  );
} finally {
  await admin.disconnect();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}
