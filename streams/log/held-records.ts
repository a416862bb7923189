/**
 * What a partition holds now, decoded, for whoever looks into a log: nothing is claimed and nobody is fenced. What to make of a record that
 * can't be read is the reader's to decide.
 */
import { OperatingError } from "../core/failure.ts";
import type { AnyTopic } from "../core/stage.ts";
import type { InputRecord } from "../core/task.ts";
import type { Wire } from "../core/wire.ts";
import { decodeAll } from "./decode.ts";
import type { Log } from "./log.ts";

/** Left out: all. What was trimmed is passed over, and what comes after the call is not waited for. */
export interface Stretch {
  /** The first offset. */
  readonly from?: number;
  /** The one behind the last. */
  readonly before?: number;
}

const waitMs = 2_000;

/** Codes: `log-unavailable`. */
export async function* heldRecords(
  { log, wire }: { readonly log: Log; readonly wire: Wire },
  topic: AnyTopic,
  partition: number,
  { from = 0, before = Number.POSITIVE_INFINITY }: Stretch = {},
): AsyncGenerator<InputRecord> {
  const { start, end } = await log.bounds(topic.name, partition);
  const [first, last] = [Math.max(from, start), Math.min(end, before)];
  if (first >= last) return;
  const reader = await log.reader(topic.name, partition, first);
  try {
    for (let next = first; next < last; ) {
      const records = await reader.next(waitMs);
      if (records.length === 0) throw silent(topic.name, partition, next);
      for (const record of await decodeAll(topic, records, wire)) {
        next = record.offset + 1;
        if (record.offset >= last) return;
        yield record;
      }
    }
  } finally {
    await reader.close();
  }
}

const silent = (topic: string, partition: number, offset: number): OperatingError =>
  new OperatingError("log-unavailable", `${topic}/${partition}: nothing came at ${offset} in ${waitMs} ms`, {
    retry: true,
  });
