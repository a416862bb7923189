/** What makes a reading and a measurement the same when they come again. Received time and corrected time have no part in it (law 5). */
import { contentHash } from "../../streams/core/hash.ts";
import type { Entry } from "../../streams/core/stage.ts";
import type { Body } from "../../streams/core/topic.ts";
import type { DecodedMeasurement, DecodedReading } from "../../schemas/devices/adapter.ts";

type Part = string | number | null;

/** 128 bits in hex. */
const identityLength = 32;
const identityOf = (...parts: readonly Part[]): string => contentHash(...parts).slice(0, identityLength);

/** Device, boot, sequence, device time as claimed and payload digest; with neither sequence nor time, its position in the raw log. */
export const readingIdentity = (entry: Entry<Body>, decoded: DecodedReading, payloadDigest: string): readonly Part[] =>
  decoded.sequence === null && decoded.deviceTime === null
    ? [entry.key, entry.topic, entry.partition, entry.offset]
    : [entry.key, decoded.boot, decoded.sequence, decoded.deviceTime, payloadDigest];

/** Of one value of a reading. One with a time of its own is the same in whichever message it is repeated. */
export const measurementIdentity = (
  reading: readonly Part[],
  device: string,
  boot: string | null,
  m: DecodedMeasurement,
  ordinal: number,
): string =>
  m.deviceTime === undefined
    ? identityOf(...reading, m.channel, m.metric, ordinal)
    : identityOf(device, boot, m.deviceTime, m.channel, m.metric, m.value, ordinal);

export const chunkIdentity = (reading: readonly Part[], channel: string, metric: string, ordinal: number): string =>
  identityOf(...reading, channel, metric, ordinal);
