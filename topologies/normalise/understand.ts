/**
 * Decodes a reading, and moves what the device's state knows of repeats, clock and pulse. A repeat moves nothing, and a broker's retained
 * copy only what is known of repeats: it says what was, not what is.
 */
import type { Problem } from "../../streams/core/failure.ts";
import { digest } from "../../streams/core/hash.ts";
import type { Entry } from "../../streams/core/stage.ts";
import type { DecodedReading, DeviceAdapter } from "../../schemas/devices/adapter.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import type { RawBody } from "../../schemas/topics.ts";
import { observe, standsAt } from "./clock.ts";
import { associationsOf, clockOf, type DeviceCells, deviceOf, presenceOf, pulseOf } from "./device.ts";
import { readingIdentity } from "./identity.ts";
import { type Adapters, readDevice } from "./intake.ts";
import type { Context } from "./measurements.ts";
import { admit, type Admission } from "./seen.ts";
import { pulseAfter } from "./value.ts";

export interface Understood {
  readonly decoded: DecodedReading;
  readonly adapter: DeviceAdapter;
  readonly context: Context;
  readonly admission: Admission;
}

/** Refuses `retained-undated` and what {@link readDevice} refuses. */
export const understand = (
  state: DeviceCells,
  entry: Entry<RawBody>,
  reading: Reading,
  adapters: Adapters,
): Understood | { readonly problem: Problem } => {
  const device = deviceOf(state);
  const read = readDevice(device, entry.key, reading, adapters);
  if (!read.ok) return read;
  const { decoded, adapter } = read.value;
  const payloadDigest = digest(reading.payload);
  const admission = admitReading(state, entry, reading, decoded, payloadDigest);
  const clockUncertaintyMs = device?.clockUncertaintyMs ?? 0;
  const retained = undatedRetained(state, reading, decoded);
  if (retained !== null && admission !== "repeat") return { problem: retained };
  if (admission !== "repeat" && !reading.retained) {
    moveClock(state, decoded, reading, clockUncertaintyMs);
    movePulse(state, decoded, reading);
  }
  const context: Context = {
    device: entry.key,
    identity: readingIdentity(entry, decoded, payloadDigest),
    receivedTime: reading.receivedTime,
    clock: clockOf(state),
    clockUncertaintyMs,
    associations: associationsOf(state),
    presence: presenceOf(state),
    pulse: reading.retained ? pulseAfter(null, decoded, reading.receivedTime) : pulseOf(state),
    conflict: admission === "conflict",
  };
  return { decoded, adapter, context, admission };
};

/** Received time says nothing of a retained copy's age, and neither does a clock that stands or that nobody has compared with ours. */
const undatedRetained = (state: DeviceCells, { retained }: Reading, { deviceTime }: DecodedReading): Problem | null => {
  const clock = clockOf(state);
  if (!retained || (deviceTime !== null && clock !== undefined && !standsAt(clock, deviceTime))) return null;
  const unsound = clock === undefined ? "is not known yet" : "stands still";
  const why = deviceTime === null ? "without a time of its device" : `of a device whose clock ${unsound}`;
  return {
    reason: "retained-undated",
    detail: `payload: the broker's retained copy, ${why}: nobody knows how old it is`,
  };
};

const admitReading = (
  state: DeviceCells,
  { logTime: at }: Entry<RawBody>,
  { session, dup, retained }: Reading,
  { boot, sequence, deviceTime, measurements, waveforms }: DecodedReading,
  payloadDigest: string,
): Admission => {
  const series = [...measurements, ...waveforms].map(({ channel, metric }) => `${channel}/${metric}`);
  return admit(state, { boot, sequence, deviceTime, digest: payloadDigest, series, session, dup: dup || retained, at });
};

const moveClock = (
  state: DeviceCells,
  { deviceTime, boot, sequence }: DecodedReading,
  { receivedTime }: Reading,
  uncertaintyMs: number,
): void => {
  if (deviceTime === null) return;
  const before = clockOf(state);
  const after = observe(before, { deviceTime, receivedTime, boot, sequence }, uncertaintyMs);
  if (after !== before) state.set("clock", after);
};

const movePulse = (state: DeviceCells, decoded: DecodedReading, { receivedTime }: Reading): void => {
  const before = pulseOf(state);
  const after = pulseAfter(before, decoded, receivedTime);
  if (after === null) state.delete("pulse");
  else if (after !== before) state.set("pulse", after);
};
