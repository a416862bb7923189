/** Looks into a platform's log from outside: what a topic holds, and whether all that was sent has gone through every stage and sink. */
import { setTimeout as sleep } from "node:timers/promises";
import { groupOf } from "../../streams/core/checkpoint.ts";
import { HighWaterMarks } from "../../streams/core/position.ts";
import type { AnyTopic, BodyOf } from "../../streams/core/stage.ts";
import type { Envelope } from "../../streams/core/topic.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { Log, LogRecord } from "../../streams/log/log.ts";
import { episodes, outbox, raw, rawWaveforms, vitals, waveforms, windows } from "../../schemas/topics.ts";
import { wardTopology } from "../../topologies/ward.ts";

const policy = { destinations: [], acceptDemoApprovals: true, clockUncertaintyMs: 0 };
const stages = wardTopology(new Map(), policy).stages;

/** Who reads what, each after those that write what it reads: stages (a stage's group is its version's), then the sinks. */
const readers: readonly (readonly [name: string, topic: AnyTopic])[] = [
  ...stages.map((stage) => [stage.name, stage.reads] as const),
  ["store-vitals", vitals],
  ["store-waveforms", waveforms],
  ["store-windows", windows],
  ["store-episodes", episodes],
  ["fhir-ehr", outbox],
];

const lookAgainMs = 100;
const drainMs_max = 180_000;

const partitionsOf = (topic: AnyTopic): number[] => Array.from({ length: topic.partitions }, (_, p) => p);

const endsOf = (log: Log, topic: AnyTopic): Promise<number[]> =>
  Promise.all(partitionsOf(topic).map(async (partition) => (await log.bounds(topic.name, partition)).end));

/** Waits until a condition holds; when that takes too long it says what was waited for and, by `stands`, how far it came. */
export const until = async (
  what: string,
  holds: () => Promise<boolean> | boolean,
  msMax: number = drainMs_max,
  stands: () => string = () => "",
): Promise<void> => {
  const giveUpAt = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${msMax / 1_000} s for: ${what}${stands()}`);
    await sleep(lookAgainMs);
  }
};

/**
 * Resolves when everything that the raw topics hold now, and all that came of it, has been read by every stage and sink. Ticks keep
 * coming meanwhile, so no lag is ever zero: each reader must pass the end that its topic had when those before it had passed theirs.
 * `renamed`: groups of stages that another version has taken over.
 */
export const drained = async (
  log: Log,
  only?: readonly string[],
  renamed: ReadonlyMap<string, string> = new Map(),
): Promise<void> => {
  for (const [name, topic] of readers) {
    if (only !== undefined && !only.includes(name)) continue;
    const stage = stages.find((one) => one.name === name);
    const usual = stage === undefined ? name : groupOf(stage);
    const group = renamed.get(usual) ?? usual;
    const ends = await endsOf(log, topic);
    let next: readonly (number | undefined)[] = [];
    const passed = async (): Promise<boolean> => {
      next = await log.progress(group, topic.name);
      return ends.every((end, partition) => end === 0 || (next[partition] ?? 0) >= end);
    };
    const what = `${group} to read ${topic.name} up to ${ends.join(", ")}`;
    await until(what, passed, drainMs_max, () => `; it stands at ${next.join(", ")}`);
  }
};

/** Resolves when every raw partition has had another tick: what is said from then on has a later log time behind it. */
export const ticked = async (log: Log): Promise<void> => {
  for (const topic of [raw, rawWaveforms]) {
    const before = await endsOf(log, topic);
    await until(`a tick in ${topic.name}`, async () => {
      const now = await endsOf(log, topic);
      return now.every((end, partition) => end > (before[partition] ?? 0));
    });
  }
};

export const recordsOf = async (log: Log, topic: AnyTopic, partition: number): Promise<LogRecord[]> => {
  const { end } = await log.bounds(topic.name, partition);
  const reader = await log.reader(topic.name, partition, "start");
  const records: LogRecord[] = [];
  while ((records.at(-1)?.offset ?? -1) + 1 < end) {
    const next = await reader.next(5_000);
    if (next.length === 0)
      throw new Error(`${topic.name}/${partition}: holds ${end} records and gave ${records.length}`);
    records.push(...next);
  }
  await reader.close();
  return records;
};

/** Every entry of a topic but broadcasts, as a reader has them: a repeat of a position is left out. Throws where one can't be read. */
export const entriesOf = async <T extends AnyTopic>(
  log: Log,
  wire: Wire,
  topic: T,
): Promise<(Envelope<BodyOf<T>> & { readonly key: string })[]> => {
  const all = await Promise.all(
    partitionsOf(topic).map(async (partition) => {
      const marks = new HighWaterMarks();
      return (await recordsOf(log, topic, partition)).flatMap(({ key, value, offset }) => {
        const decoded = wire.decode(topic, value);
        if (!decoded.ok) throw new Error(`${topic.name}/${partition}/${offset}: ${decoded.problem.detail}`);
        const { position } = decoded.value;
        if (position !== null && !marks.admit(position)) return [];
        return key === "" ? [] : [{ key, ...(decoded.value as Envelope<BodyOf<T>>) }];
      });
    }),
  );
  return all.flat();
};
