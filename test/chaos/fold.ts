/**
 * The oracle of the stages: each one's input as it stands in the log, folded in one go by the simulator's plain loop, which has no task,
 * checkpoint or batch. What a stage really wrote must be that, record for record and byte for byte; of what it refused, the reason.
 */
import { HighWaterMarks, type Position, upstreamOf } from "../../streams/core/position.ts";
import type { AnyStage, AnyTopic } from "../../streams/core/stage.ts";
import type { InputRecord } from "../../streams/core/task.ts";
import { digest } from "../../streams/core/hash.ts";
import { logTime } from "../../streams/core/time.ts";
import type { Body, Envelope } from "../../streams/core/topic.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { Log } from "../../streams/log/log.ts";
import { plainFold, type Told } from "../sim/plain-fold.ts";
import { recordsOf } from "../platform/watch.ts";
import { type Tally, tally } from "./tally.ts";

/** A whole topic as its readers have it. */
export interface TopicContents {
  readonly topic: AnyTopic;
  readonly partitions: readonly (readonly InputRecord[])[];
  /** Records that a reader drops, for their position is not higher than one that it had. */
  readonly repeats: number;
  /** Positions that were written again with another content: which of the two a reader has is chance. */
  readonly reused: readonly string[];
}

export const contentsOf = async (log: Log, wire: Wire, topic: AnyTopic): Promise<TopicContents> => {
  let repeats = 0;
  const reused: string[] = [];
  const partitions = [];
  for (let partition = 0; partition < topic.partitions; partition++) {
    const marks = new HighWaterMarks();
    const first = new Map<string, string>();
    const records = (await recordsOf(log, topic, partition)).map((record) => ({
      ...record,
      decoded: wire.decode(topic, record.value),
    }));
    partitions.push(
      records.filter(({ decoded, value }) => {
        const position = decoded.ok ? decoded.value.position : null;
        if (position === null) return true;
        const [at, content] = [idOf(topic, partition, position), digest(value)];
        if (first.getOrInsert(at, content) !== content) reused.push(at);
        if (marks.admit(position)) return true;
        repeats++;
        return false;
      }),
    );
  }
  return { topic, partitions, repeats, reused };
};

const idOf = (topic: AnyTopic, partition: number, position: Position): string =>
  `${topic.name}/${partition} from ${upstreamOf(position)} offset ${position.offset} output ${position.n}`;

const contentOf = (wire: Wire, topic: AnyTopic, key: string, envelope: Envelope<Body>): string =>
  envelope.body.kind === "quarantined"
    ? `${key} ${(envelope.body as Body & { reason: string }).reason}`
    : `${key} ${digest(wire.encode(topic, envelope))}`;

/** A stage that changed, and the offset of each partition of its input from which on the new version's outputs count. */
export interface CutOver {
  readonly before: AnyStage;
  readonly after: AnyStage;
  readonly at: readonly number[];
}

type Fold = (partition: number, records: readonly InputRecord[]) => readonly Told[];

/** The new version's state is rebuilt from the log's start: what it tells before the cut-over is thrown away. */
const foldOf = (stage: AnyStage, topology: Topology, wire: Wire, changed: CutOver | null): Fold => {
  const upstreams = topology.upstreams(stage.reads.name);
  if (changed === null || changed.before.name !== stage.name)
    return (partition, records) => plainFold(stage, partition, upstreams, records, wire);
  return (partition, records) => {
    const at = changed.at[partition] ?? 0;
    return [
      ...plainFold(changed.before, partition, upstreams, records, wire).filter(({ offset }) => offset < at),
      ...plainFold(changed.after, partition, upstreams, records, wire).filter(({ offset }) => offset >= at),
    ];
  };
};

const expectedOf = (
  stage: AnyStage,
  topology: Topology,
  wire: Wire,
  input: TopicContents,
  changed: CutOver | null,
): Map<string, string> => {
  const { name: writer, reads } = stage;
  const fold = foldOf(stage, topology, wire, changed);
  const expected = new Map<string, string>();
  input.partitions.forEach((records, partition) => {
    for (const told of fold(partition, records)) {
      const position = { writer, topic: reads.name, partition, offset: told.offset, n: told.n };
      const envelope = { position, logTime: logTime(told.logTime), body: told.body };
      const topic = topology.topic(told.topic);
      expected.set(idOf(topic, told.partition, position), contentOf(wire, topic, told.key, envelope));
    }
  });
  return expected;
};

/** What one stage wrote to each of its topics. */
const writtenBy = (stage: AnyStage, wire: Wire, outputs: readonly TopicContents[]): [string, string][] =>
  outputs.flatMap(({ topic, partitions }) =>
    partitions.flatMap((records, partition) =>
      records.flatMap(({ key, decoded }): [string, string][] => {
        const position = decoded.ok ? decoded.value.position : null;
        if (!decoded.ok || position === null || position.writer !== stage.name) return [];
        return [[idOf(topic, partition, position), contentOf(wire, topic, key, decoded.value)]];
      }),
    ),
  );

/** `contents`: of every topic of the topology, by name. */
export const foldStages = (
  topology: Topology,
  wire: Wire,
  contents: ReadonlyMap<string, TopicContents>,
  changed: CutOver | null,
): Tally[] =>
  topology.stages.map((stage) => {
    const input = contents.get(stage.reads.name);
    const outputs = Object.values<AnyTopic>(stage.writes).flatMap(({ name }) => contents.get(name) ?? []);
    if (input === undefined) throw new RangeError(`${stage.reads.name}: was not read`);
    const what =
      changed?.before.name === stage.name
        ? `outputs of ${stage.name}, changed at ${changed.at.join(", ")}`
        : `outputs of ${stage.name}`;
    return tally(what, expectedOf(stage, topology, wire, input, changed), writtenBy(stage, wire, outputs));
  });
