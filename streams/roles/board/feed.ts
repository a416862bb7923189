/** Reads one partition for the board: from the start of what the log keeps or near its end, for ever, through errors. */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../../core/failure.ts";
import { HighWaterMarks } from "../../core/position.ts";
import type { AnyTopic } from "../../core/stage.ts";
import type { Envelope } from "../../core/topic.ts";
import type { Wire } from "../../core/wire.ts";
import type { Log, LogRecord } from "../../log/log.ts";
import { decodeAll } from "../../log/decode.ts";
import type { BoardBody } from "./model.ts";

export interface FeedOptions {
  readonly log: Log;
  readonly wire: Wire;
  readonly topic: AnyTopic;
  readonly partition: number;
  /** How many of the newest records to begin with. */
  readonly last: number;
  readonly signal: AbortSignal;
  /** `logTime`: the entry's own; else the log's stamp. */
  onBody(body: BoardBody, logTime: number): void;
  onError(what: string, error: unknown): void;
  /** Told whenever a read succeeds. */
  onRead(what: string): void;
}

export interface Feed {
  /** Resolves when everything that was there at the start has been read once. */
  readonly caughtUp: Promise<void>;
  /** Resolves after the signal has fired. */
  readonly done: Promise<void>;
}

const waitMs = 500;
const pauseMs = 1_000;

/** Never rejects: an error is told, and the partition is read again after a pause from where it stood. */
export const startFeed = (options: FeedOptions): Feed => {
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  return { caughtUp, done: follow(options, resolve) };
};

const follow = async (options: FeedOptions, onCaughtUp: () => void): Promise<void> => {
  const { signal, topic, partition } = options;
  const what = `${topic.name}/${partition}`;
  const marks = new HighWaterMarks();
  let next: number | null = null;
  while (!signal.aborted) {
    try {
      const bounds = await options.log.bounds(topic.name, partition);
      const from: number =
        next === null ? Math.max(bounds.start, bounds.end - options.last) : Math.max(bounds.start, next);
      next = from;
      if (from >= bounds.end) onCaughtUp();
      for await (const records of batches(options, from)) {
        options.onRead(what);
        await fold(options, records, marks);
        next = (records.at(-1)?.offset ?? next - 1) + 1;
        if (next >= bounds.end) onCaughtUp();
      }
    } catch (error) {
      options.onError(what, error);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  onCaughtUp();
};

/** Ends when the signal fires; the reader is closed in any case. */
async function* batches(
  { log, topic, partition, signal }: FeedOptions,
  from: number,
): AsyncGenerator<readonly LogRecord[]> {
  const reader = await log.reader(topic.name, partition, from);
  try {
    while (!signal.aborted) yield await reader.next(waitMs);
  } finally {
    await reader.close();
  }
}

const fold = async (options: FeedOptions, records: readonly LogRecord[], marks: HighWaterMarks): Promise<void> => {
  for (const { decoded, stampMs } of await decodeAll(options.topic, records, options.wire)) {
    if (!decoded.ok) {
      options.onError(
        `${options.topic.name}/${options.partition}`,
        new OperatingError(decoded.problem.reason, decoded.problem.detail, { retry: false }),
      );
      continue;
    }
    const { position, logTime, body } = decoded.value as Envelope<BoardBody>;
    if (position === null || marks.admit(position)) options.onBody(body, logTime ?? stampMs);
  }
};
