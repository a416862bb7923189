/**
 * The same windows of the same entries by three programs: `windows` on the memory log, `windows` on Kafka and Kafka Streams on that very
 * topic, each in a process of its own. An entry is one measurement (or a tick); what each wrote is compared window by window.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { confluentRegistry } from "../../streams/io/registry/confluent.ts";
import { openWire } from "../../streams/io/registry/wire.ts";
import { topology } from "../../streams/core/topology.ts";
import { schemaIdOf, type Wire } from "../../streams/core/wire.ts";
import { kafkaLog } from "../../streams/log/kafka.ts";
import type { Log } from "../../streams/log/log.ts";
import { vitals, windows as windowsTopic } from "../../schemas/topics.ts";
import { normalise } from "../../topologies/normalise.ts";
import { windows } from "../../topologies/windows.ts";
import type { BenchStack } from "./bench-stack.ts";
import { say, sayGoal, spread, whole } from "./figures.ts";
import type { StageCost } from "./stage-cost.ts";
import { buildStreamsProgram, type Guarantee, runStreams, type Store, type StreamsCost } from "./streams-program.ts";
import { readVitals, writeVitals } from "./vitals.ts";

export interface WindowingSize {
  readonly runs: number;
  readonly beds: number;
  readonly seconds: number;
}

/** Ward time at which the entries begin; they are the same in each run of the bench. */
const startMs = 1_790_000_000_000;
const appendAtOnce = 5_000;
const refusedShareMax = 0.000_1;

interface Variant {
  readonly store: Store;
  readonly guarantee: Guarantee;
}
const variants: readonly Variant[] = [
  { store: "memory", guarantee: "at_least_once" },
  { store: "memory", guarantee: "exactly_once_v2" },
  { store: "rocksdb", guarantee: "at_least_once" },
  { store: "rocksdb", guarantee: "exactly_once_v2" },
];

type Cost = StageCost | StreamsCost;
const perCpuSecond = ({ entries, cpuS }: Cost): number => entries / cpuS;
const secondHalf = ({ entries, secondHalfCpuS }: Cost): number => entries / 2 / secondHalfCpuS;

export const benchWindowing = async (stack: BenchStack, { runs, beds, seconds }: WindowingSize): Promise<void> => {
  await buildStreamsProgram();
  const file = join(stack.folder, "vitals.bin");
  const entries = await writeVitals(file, { beds, seconds, startMs });
  say(`windowing: ${whole(entries)} entries, each one measurement or a tick; ${seconds} s of ${beds} beds`);
  const kafka = await vitalsOnKafka(file, stack);
  const found = new Map<string, Cost[]>();
  const note = (what: string, cost: Cost): void => {
    found.getOrInsertComputed(what, () => []).push(cost);
    say(
      `  ${what}: ${whole(perCpuSecond(cost))} (second half ${whole(secondHalf(cost))}); ` +
        `${cost.cpuS.toFixed(2)} CPU-s in ${cost.wallS.toFixed(2)} s after ${cost.startCpuS.toFixed(2)} CPU-s to start`,
    );
  };
  for (let run = 0; run < runs; run++) {
    say(`run ${run + 1} of ${runs}, entries/CPU-s`);
    note(trivialOnMemory, await stageCost("memory", "trivial", file));
    note(windowsOnMemory, await stageCost("memory", "windows", file));
    const name = `windows-${run}`;
    note(windowsOnKafka, await stageCost("kafka", name, stack.broker, stack.registryUrl));
    const ours = await kafka.windowsOf(windowsTopic.name, name);
    if (ours.size === 0) throw new Error("windows on Kafka wrote no window");
    for (const variant of variants) {
      const { cost, wrote } = await streamsCost(variant, run, stack, kafka);
      note(nameOf(variant), cost);
      demandSame(ours, wrote, nameOf(variant));
    }
    say(`  all wrote the same ${whole(ours.size)} window revisions`);
  }
  await kafka.close();
  sumUp(found);
};

const trivialOnMemory = "a trivial stage on the memory log";
const windowsOnMemory = "windows on the memory log";
const windowsOnKafka = "windows on Kafka";
const nameOf = ({ store, guarantee }: Variant): string => `Kafka Streams, ${store}, ${guarantee}`;

/** Medians, and our ratio to each variant of Kafka Streams run by run: over all entries, and over the second half, when all is compiled. */
const sumUp = (found: ReadonlyMap<string, readonly Cost[]>): void => {
  for (const [what, costs] of found)
    say(
      `${what}, entries/CPU-s: ${spread(costs.map(perCpuSecond), whole)}; second half ${spread(costs.map(secondHalf), whole)}`,
    );
  const ours = found.get(windowsOnKafka) ?? [];
  for (const variant of variants) {
    const theirs = found.get(nameOf(variant)) ?? [];
    const ratios = (of: (cost: Cost) => number) => ours.map((cost, run) => of(cost) / of(theirs[run] as Cost));
    const what = `${windowsOnKafka} against ${nameOf(variant)}`;
    sayGoal(what, ratios(perCpuSecond), 1);
    sayGoal(`  over the second half`, ratios(secondHalf), 1);
  }
};

const streamsCost = async (
  variant: Variant,
  run: number,
  stack: BenchStack,
  kafka: VitalsOnKafka,
): Promise<{ readonly cost: StreamsCost; readonly wrote: ReadonlySet<string> }> => {
  const application = `streams-${variant.store}-${variant.guarantee}-${run}`;
  const output = `bench.${application}`;
  await stack.createTopic(output, windowsTopic.partitions);
  const { upstreams, windowsSchemaId } = kafka;
  const cost = await runStreams({ ...stack, ...variant, output, application, upstreams, windowsSchemaId });
  return { cost, wrote: await kafka.windowsOf(output, null) };
};

const stageCost = async (...args: readonly string[]): Promise<StageCost> => {
  const child = [join(import.meta.dirname, "stage-cost.ts"), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, child);
  const cost = JSON.parse(stdout) as StageCost;
  const refused = Object.values(cost.refused).reduce((sum, n) => sum + n, 0);
  // a ward has a clock or two that jumps; much more than that and the figure would be one of refusing
  if (refused > cost.entries * refusedShareMax) throw new Error(`windows refused ${JSON.stringify(cost.refused)}`);
  return cost;
};

interface VitalsOnKafka {
  readonly log: Log;
  readonly upstreams: number;
  readonly windowsSchemaId: number;
  /** Every window revision that the topic holds, of one writer where it has several. */
  windowsOf(topic: string, writer: string | null): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

const vitalsOnKafka = async (file: string, { broker, registryUrl }: BenchStack): Promise<VitalsOnKafka> => {
  const joined = topology([normalise(new Map()), windows]);
  const log = kafkaLog({ brokers: [broker], clientId: "bench" });
  await log.ensure(joined.topics);
  const registry = confluentRegistry({ url: registryUrl });
  const wire = await openWire(registry, joined.topics);
  const records = readVitals(file, wire);
  const appender = await log.appender("bench.vitals");
  for (let i = 0; i < records.length; i += appendAtOnce) await appender.append(records.slice(i, i + appendAtOnce));
  await appender.close();
  const tick = wire.encode(windowsTopic, { position: null, logTime: null, body: { kind: "tick" } });
  return {
    log,
    upstreams: joined.upstreams(vitals.name).length,
    windowsSchemaId: schemaIdOf(tick) ?? Number.NaN,
    windowsOf: (topic, writer) => windowsOf(log, wire, topic, writer),
    close: async () => {
      await log.close();
      await registry.close();
    },
  };
};

const windowsOf = async (log: Log, wire: Wire, topic: string, writer: string | null): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  for (let partition = 0; partition < windowsTopic.partitions; partition++) {
    const reader = await log.reader(topic, partition, "start");
    for (;;) {
      const records = await reader.next(300);
      if (records.length === 0) break;
      for (const { value } of records) {
        const decoded = wire.decode(windowsTopic, value);
        if (!decoded.ok) throw new Error(`${topic}: ${decoded.problem.detail}`);
        const { position, body } = decoded.value;
        if (body.kind !== "windowAggregate" || (writer !== null && position?.writer !== writer)) continue;
        // the identity is ours alone, and says nothing that is not in the rest
        const { identity: _, ...rest } = body;
        found.add(JSON.stringify(Object.values(rest)));
      }
    }
    await reader.close();
  }
  return found;
};

const demandSame = (ours: ReadonlySet<string>, theirs: ReadonlySet<string>, what: string): void => {
  const missing = [...ours.difference(theirs)];
  const more = [...theirs.difference(ours)];
  if (missing.length + more.length === 0) return;
  const shown = [
    ...missing.slice(0, 3).map((line) => `only ours:   ${line}`),
    ...more.slice(0, 3).map((line) => `only theirs: ${line}`),
  ];
  throw new Error(
    `${what}: of ${ours.size} window revisions ${missing.length} are missing and ${more.length} are others\n${shown.join("\n")}`,
  );
};
