/** What the board follows: its topics into the model, and once a second how far each stage has come. */
import { setTimeout as sleep } from "node:timers/promises";
import * as topics from "../../../schemas/topics.ts";
import { OperatingError } from "../../core/failure.ts";
import type { AnyTopic } from "../../core/stage.ts";
import type { Wire } from "../../core/wire.ts";
import type { Log } from "../../log/log.ts";
import { type Feed, startFeed } from "./feed.ts";
import type { BoardModel } from "./model.ts";

/** A stage or a sink, with the group by which the log knows how far it has come; without one that is called like it. */
export interface FollowedStage {
  readonly name: string;
  readonly group?: string;
  readonly reads: AnyTopic;
}

export interface FollowOptions {
  readonly log: Log;
  readonly wire: Wire;
  readonly model: BoardModel;
  readonly stages: readonly FollowedStage[];
  readonly rawTopics: readonly AnyTopic[];
  readonly signal: AbortSignal;
  now(): number;
  /** Told of each entry, for a metric. */
  onEntry(topic: string): void;
  onFault(what: string, code: string): void;
}

/** Few records apart from ticks: read from the start, or the newest half million. */
const low = { last: 500_000 };
/** Twenty minutes of 170 measurements a second over 4 partitions. */
const high = { last: 50_000 };
const wave = { last: 300 };

const context: readonly (readonly [AnyTopic, { last: number }])[] = [
  [topics.episodes, low],
  [topics.decisions, low],
  [topics.deliveries, low],
  [topics.telemetryQuarantine, low],
  [topics.clinicalQuarantine, low],
];
const live: readonly (readonly [AnyTopic, { last: number }])[] = [
  [topics.vitals, high],
  [topics.waveforms, wave],
];
const contextWaitMs = 15_000;
const lookEveryMs = 1_000;

/** Every topic that the board reads: to be opened in its wire, and to exist in the log. */
export const followedTopics: readonly AnyTopic[] = [...context, ...live].map(([topic]) => topic);

const codeOf = (error: unknown): string => (error instanceof OperatingError ? error.code : "unexpected");

/** Resolves after the signal has fired and everything is closed. Never rejects: what can't be read is told to the model. */
export const follow = async (options: FollowOptions): Promise<void> => {
  const feed = (topic: AnyTopic, last: number): Feed[] =>
    Array.from({ length: topic.partitions }, (_, partition) =>
      startFeed({ ...feedOptions(options), topic, partition, last }),
    );
  const looking = look(options);
  // Associations and rules are forwarded to telemetry.episodes: with them known, the newest measurements find their beds.
  const first = context.flatMap(([topic, { last }]) => feed(topic, last));
  await within(contextWaitMs, first, options.signal);
  const second = live.flatMap(([topic, { last }]) => feed(topic, last));
  await within(contextWaitMs, second, options.signal);
  const clock = readClock(options);
  await Promise.all([...first, ...second].map(({ done }) => done));
  await Promise.all([looking, clock]);
};

const feedOptions = ({ log, wire, model, signal, now, onEntry, onFault }: FollowOptions) => ({
  log,
  wire,
  signal,
  onBody: (body: Parameters<BoardModel["fold"]>[0], logTime: number): void => {
    onEntry(body.kind);
    model.fold(body, logTime);
  },
  onError: (what: string, error: unknown): void => {
    onFault(what, codeOf(error));
    model.unreadable(what, codeOf(error), now());
  },
  onRead: (what: string): void => model.readable(what),
});

const within = async (ms: number, feeds: readonly Feed[], signal: AbortSignal): Promise<void> => {
  const timer = new AbortController();
  const timeout = sleep(ms, undefined, { signal: AbortSignal.any([signal, timer.signal]) }).catch(() => undefined);
  await Promise.race([Promise.all(feeds.map(({ caughtUp }) => caughtUp)), timeout]);
  timer.abort();
};

const everySecond = async (signal: AbortSignal, act: () => Promise<void> | void): Promise<void> => {
  while (!signal.aborted) {
    await act();
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
};

const readClock = ({ model, signal, now }: FollowOptions): Promise<void> =>
  everySecond(signal, () => model.readClock(now()));

type Bounds = readonly { readonly start: number; readonly end: number }[];

/** One look a second at the ends of the topics and the progress of the groups. */
const look = (options: FollowOptions): Promise<void> => {
  const { log, model, stages, rawTopics, now, onFault } = options;
  const what = "the progress of stages";
  return everySecond(options.signal, async () => {
    try {
      const bounds = new Map<string, Bounds>();
      for (const topic of new Set([...stages.map(({ reads }) => reads), ...rawTopics]))
        bounds.set(topic.name, await boundsOf(log, topic));
      model.received(
        rawTopics.reduce((n, topic) => n + (bounds.get(topic.name) ?? []).reduce((m, b) => m + b.end, 0), 0),
      );
      for (const { name, group, reads } of stages) {
        const of = bounds.get(reads.name) ?? [];
        const nexts = await log.progress(group ?? name, reads.name);
        model.look(name, { atMs: now(), starts: of.map(({ start }) => start), ends: of.map(({ end }) => end), nexts });
      }
      model.readable(what);
    } catch (error) {
      onFault(what, codeOf(error));
      model.unreadable(what, codeOf(error), now());
    }
  });
};

const boundsOf = (log: Log, { name, partitions }: AnyTopic): Promise<Bounds> =>
  Promise.all(Array.from({ length: partitions }, (_, partition) => log.bounds(name, partition)));
