/**
 * Test driver for one stage: the real Task on one partition, in memory and synchronous. Every body goes through its topic's codec,
 * and every cell must be plain JSON data that nobody changes in place; a step that throws fails the test.
 */
import { isDeepStrictEqual } from "node:util";
import { InvariantError, ok } from "../core/failure.ts";
import { upstreamOf } from "../core/position.ts";
import type { AnyStage, AnyTopic, BodyOf, Stage, State } from "../core/stage.ts";
import { Task } from "../core/task.ts";
import { logTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";

export interface Driven<O extends Body> {
  readonly key: string;
  readonly logTime: number;
  readonly body: O;
}

export interface Driver<B extends Body, W extends Record<string, AnyTopic>> {
  /** One entry; the empty key broadcasts. Log time in ms. */
  send(key: string, logTimeMs: number, body: B): void;
  /** Log time has come this far. */
  tick(logTimeMs: number): void;
  /** Everything written so far to one of the stage's `writes`, ticks and broadcasts left out. */
  outputs<N extends keyof W & string>(to: N): readonly Driven<BodyOf<W[N]>>[];
  /** The reasons of what was quarantined, in order. */
  refusals(): readonly { readonly reason: string; readonly detail: string }[];
  /** Stores a checkpoint and goes on with a new task restored from it. */
  restart(): void;
  /** The stored state after a checkpoint: entries and their bytes. */
  stored(): ReadonlyMap<string, Uint8Array>;
}

const freeze = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
};

const checked = <C>(state: State<C>): State<C> => ({
  get: (cell) => state.get(cell),
  set(cell, value) {
    // A clone, for decoded records have a prototype of their own.
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(value)), structuredClone(value)))
      throw new InvariantError(`cell ${cell}: not plain JSON data`);
    freeze(value);
    state.set(cell, value);
  },
  delete: (cell) => state.delete(cell),
  cells: () => state.cells(),
  get dueAt() {
    return state.dueAt;
  },
  set dueAt(at) {
    if (at !== null && !Number.isSafeInteger(at)) throw new InvariantError(`dueAt ${at}: not a time`);
    state.dueAt = at;
  },
});

const checking = (stage: AnyStage): AnyStage => ({
  ...stage,
  step: (state, entry, out, shared) => stage.step(checked(state), entry, out, shared),
  ...(stage.due !== undefined && {
    due: (state: State<unknown>, ...rest: [never, never, never, never]) => stage.due?.(checked(state), ...rest),
  }),
});

const upstream = { writer: "driver", topic: "driver", partition: 0 };

/** Drives a stage. `send` and `tick` throw when the stage throws, or writes what its topics cannot carry. */
export const drive = <B extends Body, W extends Record<string, AnyTopic>, C, G>(
  stage: Stage<B, W, C, G>,
): Driver<B, W> => {
  const read = stage.reads;
  const newTask = (): Task => new Task(checking(stage), 0, read.raw ? [] : [upstreamOf(upstream)]);
  const store = new Map<string, Uint8Array>();
  const written = new Map<string, Driven<Body>[]>();
  let task = newTask();
  let offset = 0;

  const feed = (key: string, at: number, body: Body): void => {
    const position = read.raw ? null : { ...upstream, offset, n: 0 };
    const value = read.codec.encode({ position, logTime: read.raw ? null : logTime(at), body: body as B });
    const decoded = ok(read.codec.decode(value));
    const defects = task.counts.defects;
    const outputs = task.process([{ offset: offset++, key, value, stampMs: at, decoded }]);
    for (const { topic, key: to, envelope } of outputs) {
      const carried = topic.codec.decode(topic.codec.encode(envelope));
      if (to === "") continue;
      const entry = { key: to, logTime: carried.logTime ?? at, body: carried.body as Body };
      written.getOrInsertComputed(topic.name, () => []).push(entry);
    }
    if (task.counts.defects > defects)
      throw new Error(`${stage.name}: threw: ${JSON.stringify(outputs.at(-1)?.envelope.body)}`);
  };
  const save = (): void => {
    for (const [key, bytes] of task.checkpoint()) {
      if (bytes === null) store.delete(key);
      else store.set(key, bytes);
    }
  };
  const of = (to: string): readonly Driven<Body>[] => {
    const topic = stage.writes[to];
    if (topic === undefined) throw new InvariantError(`${stage.name}: writes no ${to}`);
    return written.get(topic.name) ?? [];
  };
  return {
    send: feed,
    tick: (at) => feed("", at, { kind: "tick" }),
    outputs: (to) => of(to) as never,
    refusals: () => of(stage.quarantine).map((o) => o.body as unknown as { reason: string; detail: string }),
    restart() {
      save();
      task = newTask();
      task.restore(store);
    },
    stored() {
      save();
      return store;
    },
  };
};
