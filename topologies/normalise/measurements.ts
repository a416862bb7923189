/** Gives a decoded reading its meaning: metric codes, unit, corrected time, whose it is, and what it is worth. */
import type { Problem } from "../../streams/core/failure.ts";
import { eventTime, type DeviceTime, type EventTime, type ReceivedTime } from "../../streams/core/time.ts";
import type { DecodedMeasurement, DecodedReading } from "../../schemas/devices/adapter.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { metricOf, pressureOf } from "../../schemas/terminology.ts";
import { type Clock, corrected, standsAt } from "./clock.ts";
import { type Associations, inForceAt, timeAmbiguity } from "./holder.ts";
import { doubtOf, type Presence } from "./interruptions.ts";
import { measurementIdentity } from "./identity.ts";
import { aheadOfReceived } from "../ahead.ts";
import { isStorableTime, storableTimeProblem } from "./intake.ts";
import { judgeZero, type Pulse, metricValueOf } from "./value.ts";

/** What is known when a reading is given its meaning. */
export interface Context {
  readonly device: string;
  readonly identity: readonly (string | number | null)[];
  readonly receivedTime: ReceivedTime;
  readonly clock: Clock | undefined;
  readonly clockUncertaintyMs: number;
  readonly associations: Associations;
  readonly presence: Presence;
  readonly pulse: Pulse | null;
  /** True: another reading of the same stamp said otherwise. */
  readonly conflict: boolean;
}

export interface Refusal {
  readonly problem: Problem;
  readonly eventTime: EventTime;
  readonly ordinal: number;
}

/**
 * In the order of the payload. Refuses `device-time-invalid`, `not-a-number`, `implausible`, `ahead-of-received`, `time-ambiguous` and what
 * the unit conversion refuses: each of them one value, never its neighbours.
 */
export const measurementsOf = (reading: DecodedReading, context: Context): (Measurement | Refusal)[] => {
  const ordinals = new Map<string, number>();
  const found = reading.measurements.map((m) => {
    const series = `${m.channel}/${m.metric}`;
    const ordinal = ordinals.get(series) ?? 0;
    ordinals.set(series, ordinal + 1);
    return measurementOf(reading, m, ordinal, context);
  });
  return found.map((m) => ("problem" in m ? m : withCompanions(m, found)));
};

/** A blood pressure with the others of its measurement: same channel, same time, same ordinal. Anything else as it is. */
const withCompanions = (m: Measurement, all: readonly (Measurement | Refusal)[]): Measurement => {
  const pressure = pressureOf(m.metric);
  if (pressure === undefined) return m;
  const companions = all.flatMap((other) =>
    "problem" in other ||
    other.metric === m.metric ||
    pressureOf(other.metric) !== pressure ||
    other.channel !== m.channel ||
    other.eventTime !== m.eventTime ||
    other.ordinal !== m.ordinal
      ? []
      : [{ metric: other.metric, value: other.value, validity: other.validity }],
  );
  return { ...m, companions };
};

/** Event time of a device time; received time where the device gave none, or its clock is unknown or stands still. */
export const timeOf = (deviceTime: DeviceTime | null, { clock, receivedTime }: Context): EventTime =>
  deviceTime === null || clock === undefined || standsAt(clock, deviceTime)
    ? eventTime(receivedTime)
    : corrected(clock, deviceTime);

const measurementOf = (
  reading: DecodedReading,
  m: DecodedMeasurement,
  ordinal: number,
  context: Context,
): Measurement | Refusal => {
  const { device, receivedTime, associations, clockUncertaintyMs, presence } = context;
  if (m.deviceTime !== undefined && !isStorableTime(m.deviceTime))
    return { problem: storableTimeProblem(m.deviceTime), eventTime: timeOf(reading.deviceTime, context), ordinal };
  const deviceTime = m.deviceTime ?? reading.deviceTime;
  const at = timeOf(deviceTime, context);
  const value = metricValueOf(m);
  if (!value.ok) return { problem: value.problem, eventTime: at, ordinal };
  const ahead = aheadOfReceived({ eventTime: at, receivedTime, clockUncertaintyMs });
  if (ahead !== null) return { problem: ahead, eventTime: at, ordinal };
  const ambiguity =
    timeAmbiguity(associations, { eventTime: at, receivedTime }, clockUncertaintyMs) ?? clockAmbiguity(at, context);
  if (ambiguity !== null) return { problem: ambiguity, eventTime: at, ordinal };
  const association = inForceAt(associations, at);
  const { mdc, loinc, ucum } = metricOf(m.metric);
  const { validity, evidence } = judgeZero(m, value.value, context.pulse, receivedTime);
  return {
    kind: "measurement",
    identity: measurementIdentity(context.identity, device, reading.boot, m, ordinal),
    subject: association?.subject ?? null,
    association: association?.id ?? null,
    associationRevision: association?.revision ?? null,
    device,
    channel: m.channel,
    metric: m.metric,
    mdc,
    loinc,
    ucum,
    value: value.value,
    validity,
    evidence: context.conflict ? contradiction(evidence) : evidence,
    deviceTime,
    receivedTime,
    eventTime: at,
    clockUncertaintyMs:
      clockUncertaintyMs + doubtOf(presence, context.clock, reading.boot, { eventTime: at, receivedTime }),
    periodMs: m.periodMs,
    ordinal,
    revision: 0,
    companions: [],
  };
};

/** While nobody knows whether a clock was set back or its readings are old, what the two would give to different patients is nobody's. */
export const clockAmbiguity = (at: EventTime, { clock, associations, receivedTime }: Context): Problem | null => {
  if (clock === undefined || clock.suspicion === null) return null;
  if (inForceAt(associations, at)?.subject === inForceAt(associations, receivedTime)?.subject) return null;
  return {
    reason: "time-ambiguous",
    detail: "eventTime: the clock may have been set back or the reading may be old, and the patient changed in between",
  };
};

const contradiction = (evidence: string | null): string =>
  `${evidence === null ? "" : `${evidence}; `}another reading of the same time says otherwise`;
