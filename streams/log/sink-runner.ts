/**
 * Runs a sink over a log: claims each partition, drops repeats, waits for the outside system's answer, appends what the sink
 * says back, and records its progress after that. A crash in between repeats entries; sinks are idempotent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { HighWaterMarks, type Mark, type Position } from "../core/position.ts";
import { quarantineOf } from "../core/quarantine.ts";
import type { Emission, Sink } from "../core/sink.ts";
import type { AnyTopic, Entry } from "../core/stage.ts";
import type { InputRecord } from "../core/task.ts";
import { logTime } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import type { Append, Appender, LogRecord, Owner, PartitionHandler, Subscription } from "./log.ts";
import { encodeOne, encodeRefused, isProblem } from "./outputs.ts";
import { refuseLostInput, refuseLostUpstream } from "./lost-input.ts";
import { decodeAll } from "./decode.ts";
import type { RunnerOptions } from "./runner-options.ts";

// biome-ignore lint/suspicious/noExplicitAny: a sink of any body
export type AnySink = Sink<any, any>;

interface Progress {
  readonly next: number;
  readonly marks: readonly (readonly [string, Mark])[];
}

export interface SinkRunnerOptions extends RunnerOptions {
  /** A record that can't be read is told here (with its reason) and passed over; it stays in the log. */
  onUnreadable(sink: string, record: LogRecord, reason: string): void;
}

const checkpointKey = "checkpoint";
const retryPauseMs = 500;

export const runSink = (sink: AnySink, options: SinkRunnerOptions): Promise<Subscription> =>
  options.log.subscribe(sink.name, sink.reads.name, (partition) => sinkHandler(sink, partition, options));

const sinkHandler = (sink: AnySink, partition: number, options: SinkRunnerOptions): PartitionHandler => {
  const { log, wire } = options;
  let owner: Owner | undefined;
  let appender: Appender | undefined;
  let marks = new HighWaterMarks();
  let open = false;

  const close = async (): Promise<void> => {
    open = false;
    const [oldOwner, oldAppender] = [owner, appender];
    [owner, appender] = [undefined, undefined];
    await oldAppender?.close();
    await oldOwner?.close();
  };

  const read = (inputs: readonly InputRecord[]): Entry<Body>[] => {
    const entries: Entry<Body>[] = [];
    for (const { key, offset, decoded, ...record } of inputs) {
      if (!decoded.ok) {
        options.onUnreadable(sink.name, { key, offset, ...record }, decoded.problem.reason);
        continue;
      }
      const { position, body, logTime: carried } = decoded.value;
      if (position !== null && !marks.admit(position)) continue;
      if (key === "") continue;
      entries.push({
        key,
        offset,
        partition,
        topic: sink.reads.name,
        logTime: carried ?? logTime(record.stampMs),
        body,
      });
    }
    return entries;
  };

  const write = async (entries: readonly Entry<Body>[]): Promise<readonly Emission<Record<string, AnyTopic>>[]> => {
    for (;;) {
      try {
        return await sink.write(entries);
      } catch (error) {
        if (!(error instanceof OperatingError && error.retry) || !open) throw error;
        options.onError(sink.name, partition, error);
        await sleep(retryPauseMs);
        if (!open) throw lateAnswer(sink.name, partition);
      }
    }
  };

  /** Null where neither it nor a refusal in its place can be written. */
  const encode = (
    { to, key, body }: Emission<Record<string, AnyTopic>>,
    position: Position,
    inputs: readonly InputRecord[],
  ): Append | null => {
    const topic = topicOf(sink, to);
    const envelope = { position, logTime: null, body };
    const made = encodeOne(wire, topic, partitionOf(key, topic.partitions), key, envelope);
    if (!isProblem(made)) return made;
    options.onQuarantined?.(sink.name, made.reason);
    options.onError(sink.name, partition, new OperatingError(made.reason, made.detail, { retry: false }));
    const input = inputs.find(({ offset }) => offset === position.offset);
    if (sink.quarantine === undefined || input === undefined) return null;
    const { body: refused } = quarantineOf(sink, partition, input, input.key, made);
    return encodeRefused(sink.name, topicOf(sink, sink.quarantine), envelope, refused, wire);
  };

  const encodeAll = (
    emissions: readonly Emission<Record<string, AnyTopic>>[],
    inputs: readonly InputRecord[],
  ): Append[] => {
    const counts = new Map<number, number>();
    return emissions.flatMap((emission) => {
      const { offset } = emission;
      const n = counts.get(offset) ?? 0;
      counts.set(offset, n + 1);
      const position = { writer: sink.name, topic: sink.reads.name, partition, offset, n };
      return encode(emission, position, inputs) ?? [];
    });
  };

  return {
    async open() {
      await close();
      owner = await log.claim(sink.name, partition, sink.reads.partitions);
      const stored = (await owner.load()).get(checkpointKey);
      await owner.confirm();
      const progress: Progress =
        stored === undefined ? { next: 0, marks: [] } : JSON.parse(new TextDecoder().decode(stored));
      marks = new HighWaterMarks(progress.marks);
      await refuseLostInput(log, sink.reads.name, partition, progress.next, stored === undefined);
      await refuseLostUpstream(log, `${sink.name}/${partition}`, progress.marks);
      appender = await log.appender(`${sink.name}/${partition}`);
      open = true;
      return progress.next;
    },
    async process(records) {
      const last = records.at(-1);
      if (owner === undefined || appender === undefined || !open || last === undefined)
        throw new OperatingError("task-not-open", `${sink.name}/${partition}: closed`, { retry: true });
      const [claimed, out] = [owner, appender];
      const inputs = await decodeAll(sink.reads, records, wire);
      const entries = read(inputs);
      const emissions = entries.length === 0 ? [] : await write(entries);
      const appends = encodeAll(emissions, inputs);
      if (appends.length > 0) await out.append(appends);
      const progress: Progress = { next: last.offset + 1, marks: marks.entries() };
      await claimed.commit(new Map([[checkpointKey, new TextEncoder().encode(JSON.stringify(progress))]]));
      options.onProgress?.(sink.name, partition, progress.next, {
        entries: records.length,
        repeats: 0,
        quarantined: 0,
        defects: 0,
      });
      await log.report(sink.name, sink.reads.name, partition, progress.next);
      if (records.length < 64 && options.lingerMs > 0) await sleep(options.lingerMs);
    },
    close,
    failed: (error) => options.onError(sink.name, partition, error),
  };
};

const topicOf = (sink: AnySink, to: string): AnyTopic => {
  const topic = (sink.writes as Record<string, AnyTopic>)[to];
  if (topic === undefined) throw new OperatingError("unknown-topic", `${sink.name}: writes no ${to}`, { retry: false });
  return topic;
};

const lateAnswer = (sink: string, partition: number): OperatingError =>
  new OperatingError("task-not-open", `${sink}/${partition}: closed while a write was to be repeated`, { retry: true });
