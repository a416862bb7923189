/**
 * A stage: a pure function of (state of one key, one entry) to (state, outputs). It reads no clock, network, file
 * or random number. What it must know arrives in its own topic (laws 2 and 3).
 */
import type { Problem } from "./failure.ts";
import type { EventTime, LogTime } from "./time.ts";
import type { Body, Topic } from "./topic.ts";

/** One record of the topic that a stage reads, as `step` sees it. */
export interface Entry<B extends Body> {
  readonly key: string;
  readonly logTime: LogTime;
  /** Where the record stands in the topic that is read; for a due step, the tick's. */
  readonly offset: number;
  readonly partition: number;
  readonly topic: string;
  readonly body: B;
}

/** The state of one key, in cells, so that a checkpoint writes only what changed. Cell values are plain JSON data. */
export interface State<C> {
  get(cell: string): C | undefined;
  /** Stores the value; it must not be changed in place afterwards. */
  set(cell: string, value: C): void;
  delete(cell: string): void;
  /** The cells in the order of their names, with this step's changes. */
  cells(): Iterable<readonly [string, C]>;
  /** Asks for a `due` step once stream time has reached this; null for none. Kept until changed. */
  dueAt: LogTime | null;
}

/** Where a step puts its outputs. Order is kept and becomes part of their positions. */
export interface Out<W extends Record<string, AnyTopic>> {
  emit<N extends keyof W & string>(to: N, key: string, body: BodyOf<W[N]>): void;
  /** Puts refused input to the plane's quarantine, with the reason. */
  quarantine(problem: Problem, at?: { eventTime?: EventTime }): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a topic of any body
export type AnyTopic = Topic<any>;
export type BodyOf<T> = T extends Topic<infer B> ? B : never;

/**
 * State that all keys of a partition share (rules, profiles). It changes only through broadcast entries, which
 * a source appends to every raw partition and each stage forwards like a tick.
 */
export interface Shared<B extends Body, G> {
  readonly empty: G;
  /** The kinds of body that are broadcast: forwarded to every partition of every output and applied to the shared state. */
  readonly kinds: readonly string[];
  /** Pure; must be idempotent, for the same broadcast arrives once from each upstream partition. Plain JSON data in and out. */
  apply(shared: G, body: B): G;
}

/** Takes over the state of an earlier version of the stage. Pure; plain JSON data in and out. */
export interface Migration<C, G> {
  /** One key's cells, as version `from` stored them, in this version's shapes. The key's appointment is kept. */
  cells(from: number, key: string, cells: Readonly<Record<string, unknown>>): Readonly<Record<string, C>>;
  /** Without it the shared state is taken as it is. */
  shared?(from: number, shared: unknown): G;
}

export interface StageSpec<B extends Body, W extends Record<string, AnyTopic>, C, G> {
  /** From 1 on. Changes with every change of what the stage computes; names its state, its tasks and its group. */
  readonly version: number;
  /** How an earlier version's state becomes this one's. Without it the state is rebuilt by replay of the log (log/cut-over.ts). */
  readonly migrate?: Migration<C, G>;
  readonly reads: Topic<B>;
  readonly writes: W;
  /** The topic that takes this stage's refused input; one of `writes`. */
  readonly quarantine: keyof W & string;
  readonly shared?: Shared<B, G>;
  step(state: State<C>, entry: Entry<B>, out: Out<W>, shared: G): void;
  /** Called for a key whose `dueAt` has come, keys in ascending order. `now` is stream time. */
  due?(state: State<C>, now: LogTime, key: string, out: Out<W>, shared: G): void;
}

export interface Stage<
  B extends Body = Body,
  W extends Record<string, AnyTopic> = Record<string, AnyTopic>,
  C = unknown,
  G = unknown,
> extends StageSpec<B, W, C, G> {
  readonly name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a stage of any body, cell and shared state
export type AnyStage = Stage<any, any, any, any>;

export const stage = <B extends Body, W extends Record<string, AnyTopic>, C, G = null>(
  name: string,
  spec: StageSpec<B, W, C, G>,
): Stage<B, W, C, G> => ({ name, ...spec });
