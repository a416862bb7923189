/**
 * A child of the bench: what one stage costs this process on all of telemetry.vitals, through the real runner. On the memory log it puts the
 * entries of a file there first; on Kafka they are there already. CPU seconds, user and system, count from the first record that is
 * decoded to the last checkpoint stored; the program's own loading and connecting are given apart. Prints one line of JSON.
 */
import { confluentRegistry } from "../../streams/io/registry/confluent.ts";
import { localRegistry } from "../../streams/io/registry/local.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { stage, type AnyStage } from "../../streams/core/stage.ts";
import { topic } from "../../streams/core/topic.ts";
import { topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { kafkaLog } from "../../streams/log/kafka.ts";
import { memoryLog } from "../../streams/log/memory.ts";
import { runStage } from "../../streams/log/stage-runner.ts";
import { telemetryQuarantine, type VitalsBody, vitals } from "../../schemas/topics.ts";
import { normalise } from "../../topologies/normalise.ts";
import { windows } from "../../topologies/windows.ts";
import { readVitals } from "./vitals.ts";

/** What the child found, on its standard output. */
export interface StageCost {
  readonly entries: number;
  /** From the first record to the last checkpoint. */
  readonly cpuS: number;
  /** Of the second half of the entries: what a program costs that has been compiled. */
  readonly secondHalfCpuS: number;
  readonly wallS: number;
  /** Before the first record: loading, connecting, joining. */
  readonly startCpuS: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly rssMb: number;
}

const copies = topic("bench.copies", { partitions: vitals.partitions, key: vitals.key, codec: vitals.codec });
const passOnWrites = { copies, quarantine: telemetryQuarantine };

/** The engine's own cost: each entry is read, decoded, stepped without state, encoded, appended. */
const passOn = stage<VitalsBody, typeof passOnWrites, never>("pass-on", {
  version: 1,
  reads: vitals,
  writes: passOnWrites,
  quarantine: "quarantine",
  step: (_state, { key, body }, out) => out.emit("copies", key, body),
});

const [where = "", what = "", ...rest] = process.argv.slice(2);
// a name of its own gives each run a group and a state of its own
const measured: AnyStage = what === "trivial" ? passOn : { ...windows, name: what };
const joined = topology([normalise(new Map()), measured]);

const open = async () => {
  if (where === "memory") {
    const [file = ""] = rest;
    const log = memoryLog();
    const wire = await openWire(localRegistry(":memory:"), joined.topics);
    await log.ensure(joined.topics);
    const appender = await log.appender("bench");
    await appender.append(readVitals(file, wire));
    return { log, wire };
  }
  const [broker = "", url = ""] = rest;
  const log = kafkaLog({ brokers: [broker], clientId: "bench" });
  return { log, wire: await openWire(confluentRegistry({ url }), joined.topics) };
};

const { log, wire } = await open();
const ends = await Promise.all(Array.from({ length: vitals.partitions }, (_, p) => log.bounds(vitals.name, p)));
const entries = ends.reduce((sum, { end }) => sum + end, 0);

let decoded = 0;
let half: NodeJS.CpuUsage | undefined;
let begun: { readonly cpu: NodeJS.CpuUsage; readonly atMs: number } | undefined;
const timed: Wire = {
  encode: (to, envelope) => wire.encode(to, envelope),
  decode: (from, bytes) => {
    begun ??= { cpu: process.cpuUsage(), atMs: performance.now() };
    if (decoded++ === entries >> 1) half = process.cpuUsage();
    return wire.decode(from, bytes);
  },
  learn: (id) => wire.learn(id),
};
const left = new Set(ends.flatMap(({ end }, p) => (end > 0 ? [p] : [])));
const refused: Record<string, number> = {};
const { promise: done, resolve, reject } = Promise.withResolvers<void>();
const running = await runStage(measured, joined, {
  log,
  wire: timed,
  lingerMs: 5,
  onProgress: (_stage, partition, next) => {
    if (next >= (ends[partition]?.end ?? 0)) left.delete(partition);
    if (left.size === 0) resolve();
  },
  onQuarantined: (_stage, reason) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  },
  // what may be repeated is, and counts; what may not ends the subscription
  onError: (_stage, partition, error) => console.error(`partition ${partition}: ${String(error)}`),
});
running.done.catch(reject);
await done;
if (begun === undefined) throw new Error("nothing was read");
const secondsSince = (before: NodeJS.CpuUsage | undefined): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const cost: StageCost = {
  entries,
  cpuS: secondsSince(begun.cpu),
  secondHalfCpuS: secondsSince(half),
  wallS: (performance.now() - begun.atMs) / 1000,
  startCpuS: (begun.cpu.user + begun.cpu.system) / 1e6,
  refused,
  rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(cost)}\n`);
await running.close();
await log.close();
