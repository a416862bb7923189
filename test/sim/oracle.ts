/** Compares, stage by stage, what the simulated cluster wrote with what a plain loop over the same input log says. */
import type { AnyStage, AnyTopic } from "../../streams/core/stage.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Body } from "../../streams/core/topic.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { LogRecord } from "../../streams/log/log.ts";
import { newsOf, plainFold, type Told } from "./plain-fold.ts";

export interface Written {
  readonly topology: Topology;
  readonly wire: Wire;
  /** Everything that was ever appended to a partition, what retention removed included. */
  history(topic: string, partition: number): readonly LogRecord[];
  /** Which version of a stage stepped what of a partition, ascending. */
  versions(stage: AnyStage, partition: number): readonly Version[];
}

/** A version and the offset of its first entry. One without `migrate` has state as if it had stepped everything before. */
export interface Version {
  readonly stage: AnyStage;
  readonly from: number;
}

/** The first thing that is wrong, in words; null where nothing is. */
export const whatIsWrong = (written: Written): string | null => {
  for (const stage of written.topology.stages) {
    const wrong = wrongOutput(stage, written);
    if (wrong !== null) return `${stage.name}: ${wrong}`;
  }
  return null;
};

const say = ({ key, logTime, body }: { key: string; logTime: number | null; body: Body }): string =>
  body.kind === "quarantined"
    ? `${key} refused: ${(body as Body & { reason: string }).reason}`
    : `${key} ${logTime} ${body.kind === "tick" ? "tick" : JSON.stringify(body, inOrder)}`;

/** A record that was read back has its fields in its schema's order, one that was just made in its maker's. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** What the versions of a stage must have written from a partition, each its own part. */
const expectedFrom = (stage: AnyStage, partition: number, written: Written): Told[] => {
  const { topology, wire, history, versions } = written;
  const all = versions(stage, partition);
  const [upstreams, records] = [topology.upstreams(stage.reads.name), history(stage.reads.name, partition)];
  return all.flatMap((version, i) => {
    const upTo = all[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    const migrates = version.stage.migrate !== undefined;
    // state that is taken over as it is: what was stepped before was stepped by the versions before
    const stageAt = (offset: number): AnyStage =>
      migrates ? (all.findLast(({ from }) => from <= offset) ?? version).stage : version.stage;
    const told = plainFold(stageAt, partition, upstreams, records, wire);
    return told.filter(({ offset }) => offset >= version.from && offset < upTo);
  });
};

const wrongOutput = (stage: AnyStage, written: Written): string | null => {
  const { wire, history } = written;
  const expected = new Map<string, string[]>();
  for (let p = 0; p < stage.reads.partitions; p++)
    for (const one of expectedFrom(stage, p, written))
      expected
        .getOrInsertComputed(`${one.topic}/${one.partition} from ${p}`, () => [])
        .push(`${one.offset}.${one.n} ${say(one)}`);
  const had = new Map<string, string[]>();
  const positions = new Map<string, string>();
  for (const topic of Object.values<AnyTopic>(stage.writes))
    for (let p = 0; p < topic.partitions; p++) {
      const isNews = newsOf();
      for (const { key, value } of history(topic.name, p)) {
        const decoded = wire.decode(topic, value);
        if (!decoded.ok) throw new Error(`${topic.name}/${p}: ${decoded.problem.detail}`);
        const { position, logTime, body } = decoded.value;
        if (position?.writer !== stage.name) continue;
        const way = `${topic.name}/${p} from ${position.partition}`;
        const at = `${position.offset}.${position.n}`;
        const what = `${at} ${say({ key, logTime, body })}`;
        const before = positions.getOrInsert(`${position.partition} ${at}`, `${topic.name}/${p} ${what}`);
        if (before !== `${topic.name}/${p} ${what}`) return reused(before, `${topic.name}/${p} ${what}`);
        if (isNews(way, position.offset, position.n)) had.getOrInsertComputed(way, () => []).push(what);
      }
    }
  for (const way of new Set([...expected.keys(), ...had.keys()])) {
    const difference = differenceOf(expected.get(way) ?? [], had.get(way) ?? []);
    if (difference !== null) return `${way}: ${difference}`;
  }
  return null;
};

/** A position names one content for ever, whoever writes it: else which of the two a reader has is chance. */
const reused = (before: string, now: string): string => `one position is both ${before} and ${now}`;

const differenceOf = (expected: readonly string[], had: readonly string[]): string | null => {
  const first = expected.findIndex((what, i) => what !== had[i]);
  if (first >= 0) {
    const where = had.indexOf(expected[first] ?? "");
    if (had[first] === undefined || where < 0)
      return `missing ${expected[first]} (there is ${had[first] ?? "nothing"})`;
    return `out of order: ${expected[first]} comes as number ${where} and not ${first}`;
  }
  return had.length > expected.length ? `invented ${had[expected.length]}` : null;
};
