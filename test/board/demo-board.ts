/**
 * The real board over a log in memory that a drawn ward is written to, and a drawn alert circuit: `npx node test/board/demo-board.ts [PORT]
 * [stop SECONDS] [silent SECONDS]`; `silent`: the circuit ends.
 * For looking at the page while it is made; `npx vite build board` first.
 */
import { setInterval as every } from "node:timers";
import * as topics from "../../schemas/topics.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import type { AnyTopic } from "../../streams/core/stage.ts";
import { logTime } from "../../streams/core/time.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import type { Append, Appender, Log } from "../../streams/log/log.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { startBoard } from "../../streams/roles/board/server.ts";
import { followedTopics } from "../../streams/roles/board/follow.ts";
import { startDrawnCircuit } from "./demo-circuit.ts";
import { background, type DrawnEntry, rubbish, second, troubles, waves } from "./demo-ward.ts";

const topicOf: Record<DrawnEntry["topic"], AnyTopic> = {
  vitals: topics.vitals,
  waveforms: topics.waveforms,
  episodes: topics.episodes,
  decisions: topics.decisions,
  deliveries: topics.deliveries,
  quarantine: topics.telemetryQuarantine,
};
const stages = [
  { name: "normalise", reads: topics.raw },
  { name: "normalise-waveforms", reads: topics.rawWaveforms },
  { name: "windows", reads: topics.vitals },
  { name: "thresholds", reads: topics.vitals },
  { name: "store", reads: topics.vitals },
  { name: "candidates", reads: topics.episodes },
  { name: "gates", reads: topics.events },
  { name: "promote", reads: topics.outbox },
];
const all = [...new Set([...followedTopics, ...stages.map(({ reads }) => reads)])];

const appendOf = (wire: Wire, { topic, key, at, body }: DrawnEntry): Append => {
  const to = topicOf[topic];
  const value = wire.encode(to, { position: null, logTime: logTime(at), body });
  return { topic: to.name, partition: partitionOf(key, to.partitions), key, value };
};

const ticks = (wire: Wire, at: number): Append[] =>
  Array.from({ length: topics.vitals.partitions }, (_, partition) => ({
    topic: topics.vitals.name,
    partition,
    key: "",
    value: wire.encode(topics.vitals, { position: null, logTime: logTime(at), body: { kind: "tick" } }),
  }));

const raw = (n: number): Append[] =>
  Array.from({ length: n }, (_, i) => ({
    topic: topics.raw.name,
    partition: i % 4,
    key: "",
    value: new Uint8Array(1),
  }));

const lagOf = (name: string, beat: number): number =>
  name === "store" && beat % 40 > 20 ? 40 * ((beat % 40) - 20) : 0;

const reportAll = async (log: Log, beat: number): Promise<void> => {
  for (const { name, reads } of stages)
    for (let p = 0; p < reads.partitions; p++) {
      const { end } = await log.bounds(reads.name, p);
      await log.report(name, reads.name, p, Math.max(0, end - lagOf(name, beat)));
    }
};

const history = async (wire: Wire, to: Appender, now: number): Promise<void> => {
  const write = (entries: readonly DrawnEntry[]): Promise<void> => to.append(entries.map((e) => appendOf(wire, e)));
  await write(background(now - 620_000));
  for (let age = 600; age > 0; age--) await write(second(now - age * 1000, age));
  await write(troubles(now));
  await to.append(ticks(wire, now));
};

const main = async (): Promise<void> => {
  const words = process.argv.slice(2);
  const secondsOf = (word: string): number => (words.includes(word) ? Number(words[words.indexOf(word) + 1]) : NaN);
  const log = memoryLog();
  await log.ensure(all);
  const wire = await openWire(localRegistry(":memory:"), all);
  const appender = await log.appender("drawn");
  const start = Math.floor(Date.now() / 1000) * 1000;
  await history(wire, appender, start);
  const circuit = await startDrawnCircuit(start);
  const board = await startBoard({
    alertApi: circuit.url,
    port: Number(words[0] ?? 0),
    host: "127.0.0.1",
    log,
    wire,
    stages,
    rawTopics: [topics.raw, topics.rawWaveforms],
    wardName: "Intensive care 2",
    speed: 1,
    roster: {
      beds: [],
      devices: Array.from({ length: 24 }, (_, i) => ({
        device: `mon-${String(i + 1).padStart(2, "0")}`,
        model: "Simulated monitor",
      })),
      associations: [],
    },
  });
  console.error(board.url);
  let beat = 0;
  const timer = every(() => {
    beat++;
    const at = start + beat * 1000;
    const entries = [...second(at, -beat), ...waves(at, -beat), ...(beat % 4 === 0 ? [rubbish("not-json", at)] : [])];
    void appender
      .append([...raw(190), ...entries.map((e) => appendOf(wire, e)), ...ticks(wire, at)])
      .then(() => reportAll(log, beat));
    if (beat === secondsOf("stop")) clearInterval(timer);
    if (beat === secondsOf("silent")) circuit.close();
  }, 1000);
  const end = (): void => {
    clearInterval(timer);
    circuit.close();
    void board.close().then(() => process.exit(0));
  };
  process.on("SIGINT", end).on("SIGTERM", end);
};

await main();
