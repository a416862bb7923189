/**
 * What a stage must write, by a plain loop over its input log: no tasks, no checkpoints, no agenda, no batches. Kept apart from
 * core/task.ts on purpose, so that each finds the other's mistakes.
 */
import { partitionOf } from "../../streams/core/hash.ts";
import type { AnyStage, AnyTopic, Out, State } from "../../streams/core/stage.ts";
import { type LogTime, logTime } from "../../streams/core/time.ts";
import type { Body } from "../../streams/core/topic.ts";
import type { Wire } from "../../streams/core/wire.ts";
import type { LogRecord } from "../../streams/log/log.ts";

/** One output, by where it belongs. `n` counts the outputs of the entry at `offset`. */
export interface Told {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly n: number;
  readonly key: string;
  readonly logTime: number;
  readonly body: Body;
}

/** Says which of a partition's entries are news: per writer and upstream partition, what lies above all before it. */
export const newsOf = (): ((from: string, offset: number, n: number) => boolean) => {
  const highest = new Map<string, readonly [number, number]>();
  return (from, offset, n) => {
    const [atOffset, atN] = highest.get(from) ?? [-1, -1];
    if (offset < atOffset || (offset === atOffset && n <= atN)) return false;
    highest.set(from, [offset, n]);
    return true;
  };
};

/** A step's refusals beyond so many are not told (core/task.ts). */
const mostListed = 16;

interface Kept {
  readonly cells: Map<string, unknown>;
  readonly dueAt: LogTime | null;
}

/** A stage, or which one steps the entry at an offset; `upstreams`: the sources whose ticks make the partition's stream time, empty for a raw topic. */
export const plainFold = (
  stageAt: AnyStage | ((offset: number) => AnyStage),
  partition: number,
  upstreams: readonly string[],
  records: readonly LogRecord[],
  wire: Wire,
): Told[] => {
  const versionAt = typeof stageAt === "function" ? stageAt : () => stageAt;
  const first = versionAt(0);
  const told: Told[] = [];
  const kept = new Map<string, Kept>();
  const ticked = new Map<string, number>();
  const isNews = newsOf();
  const versions = new Map<string, number>();
  let streamTime = Number.NEGATIVE_INFINITY;
  let shared: unknown = first.shared?.empty ?? null;

  for (const { offset, key, value, stampMs } of records) {
    const stage = versionAt(offset);
    const decoded = wire.decode(stage.reads, value);
    if (!decoded.ok) throw new Error("the simulated log holds what nobody wrote");
    const { position, logTime: carried, body } = decoded.value;
    const from = position === null ? "" : `${position.writer}:${position.topic}/${position.partition}`;
    if (position !== null && !isNews(from, position.offset, position.n)) continue;
    const now = logTime(carried ?? stampMs);
    const { device: of } = body as { device?: string };
    let n = 0;

    const put = (topic: AnyTopic, to: number, as: string, at: number, what: Body): void => {
      told.push({ topic: topic.name, partition: to, offset, n: n++, key: as, logTime: at, body: what });
    };
    const step = (as: string, at: number, does: (state: State<unknown>, out: Out<never>) => void): void => {
      const before = kept.get(as) ?? { cells: new Map(), dueAt: null };
      const state = plainState(before);
      const [length, firstN] = [told.length, n];
      const emit = (to: string, outKey: string, what: Body): void => {
        const topic = stage.writes[to] as AnyTopic;
        put(topic, partitionOf(outKey, topic.partitions), outKey, at, what);
      };
      let listed = 0;
      const quarantine = ({ reason }: { reason: string }): void => {
        if (listed++ < mostListed) emit(stage.quarantine, of || as, { kind: "quarantined", reason } as Body);
      };
      try {
        does(state, { emit, quarantine } as unknown as Out<never>);
        kept.set(as, { cells: state.kept, dueAt: state.dueAt });
      } catch {
        told.length = length;
        n = firstN;
        listed = 0;
        quarantine({ reason: "stage-defect" });
      }
    };

    if (key !== "") {
      const entry = { key, logTime: now, offset, partition, topic: stage.reads.name, body };
      step(key, now, (state, out) => stage.step(state, entry, out, shared as never));
      continue;
    }
    const forward = (at: number): void => {
      for (const topic of Object.values<AnyTopic>(stage.writes))
        for (let to = 0; to < topic.partitions; to++) put(topic, to, "", at, body);
    };
    if (body.kind !== "tick") {
      const { version } = body as Body & { version: number };
      if (version <= (versions.get(body.kind) ?? -1)) continue;
      versions.set(body.kind, version);
      if (stage.shared?.kinds.includes(body.kind) === true) shared = stage.shared.apply(shared as never, body as never);
      forward(now);
      continue;
    }
    ticked.set(from, now);
    const sources = upstreams.length === 0 ? [""] : upstreams;
    const least = Math.min(...sources.map((source) => ticked.get(source) ?? Number.NEGATIVE_INFINITY));
    if (least <= streamTime) continue;
    streamTime = least;
    const due = [...kept].filter(([, { dueAt }]) => dueAt !== null && dueAt <= least).map(([name]) => name);
    for (const name of due.sort()) {
      const was = kept.get(name);
      if (was !== undefined) kept.set(name, { ...was, dueAt: null });
      step(name, least, (state, out) => stage.due?.(state, logTime(least), name, out, shared as never));
    }
    forward(least);
  }
  return told;
};

const plainState = (before: Kept): State<unknown> & { readonly kept: Map<string, unknown> } => {
  const cells = new Map(before.cells);
  return {
    kept: cells,
    dueAt: before.dueAt,
    get: (cell) => cells.get(cell),
    set: (cell, value) => void cells.set(cell, value),
    delete: (cell) => void cells.delete(cell),
    cells: () => [...cells].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
};
