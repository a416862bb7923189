/** The OperatingErrors of the Log port, in one place: each code with its sentence and whether repeating the call may help. */
import { OperatingError } from "../core/failure.ts";

/** The largest value plus key that every implementation takes: a 1 MiB payload in its envelope fits, two do not. */
export const recordBytesMax = 1_500_000;

export const unavailable = (what: string, cause?: unknown): OperatingError =>
  new OperatingError("log-unavailable", cause === undefined ? what : `${what}: ${sentence(cause)}`, {
    retry: true,
    cause,
  });

export const recordTooLarge = (topic: string, key: string, bytes: number): OperatingError =>
  new OperatingError(
    "record-too-large",
    `${topic}: a record of key ${key} has ${bytes} bytes; at most ${recordBytesMax} fit`,
    { retry: false },
  );

export const offsetOutOfRange = (topic: string, partition: number, offset: number, detail = ""): OperatingError =>
  new OperatingError("offset-out-of-range", `${topic}/${partition}: no offset ${offset}${detail}`, { retry: false });

export const partitionCountChanged = (topic: string, stands: number, wanted: number): OperatingError =>
  new OperatingError(
    "partition-count-changed",
    `${topic} has ${stands} partitions, ${wanted} wanted: a new count is a new topic`,
    { retry: false },
  );

export const unknownTopic = (topic: string, partition?: number): OperatingError =>
  new OperatingError(
    "unknown-topic",
    `no ${topic}${partition === undefined ? "" : `/${partition}`}: call ensure first`,
    {
      retry: false,
    },
  );

/** Ends the owner; whoever still has the partition claims again. */
export const fenced = (store: string, partition: number, cause?: unknown): OperatingError =>
  new OperatingError("fenced", `${store}/${partition}: a newer claim owns this task`, { retry: false, cause });

/** Ends the owner: the changes may be stored or not, only a new claim can tell. */
export const commitUnsure = (store: string, partition: number, cause: unknown): OperatingError =>
  new OperatingError("commit-unsure", `${store}/${partition}: ${sentence(cause)}`, { retry: false, cause });

export const closed = (what: string): OperatingError =>
  new OperatingError("closed", `${what} is closed`, { retry: false });

const sentence = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
