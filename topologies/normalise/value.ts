/** From a value as the device sent it to one in the metric's unit, plausible, and with its zero judged. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { DecodedMeasurement, DecodedReading } from "../../schemas/devices/adapter.ts";
import type { Validity } from "../../schemas/records/telemetry.ts";
import { metricOf, toMetricUnit } from "../../schemas/terminology.ts";
import { pulseShowsSensorOff, zeroNeedsEvidence } from "../zeros.ts";

/** Refuses `not-a-number`, `implausible`, and what {@link toMetricUnit} refuses. Null stays null. */
export const metricValueOf = ({ channel, metric, value, ucum }: DecodedMeasurement): Result<number | null> => {
  const place = `${channel}.${metric}`;
  if (value === null) return ok(null);
  if (!Number.isFinite(value)) return refuse("not-a-number", `${place}: is ${value}`);
  const converted = toMetricUnit(metric, value, ucum);
  if (!converted.ok) return refuse(converted.problem.reason, `${channel}: ${converted.problem.detail}`);
  const { plausible, ucum: unit } = metricOf(metric);
  if (converted.value < plausible[0] || converted.value > plausible[1])
    return refuse("implausible", `${place}: ${converted.value} ${unit} is outside ${plausible[0]} to ${plausible[1]}`);
  // There is no negative zero in JSON.
  return ok(converted.value === 0 ? 0 : converted.value);
};

/** The pulse that was had last: independent of the ECG, it shows whether a heart rate of 0 is the body or the leads. */
export interface Pulse {
  readonly value: number;
  readonly at: number;
}
/** A pulse older than this shows nothing any more. */
const pulseFreshMs = 10_000;

const isLive = ({ metric, value, validity }: DecodedMeasurement): boolean =>
  metric === "pulseRate" &&
  value !== null &&
  Number.isFinite(value) &&
  (validity === "valid" || validity === "questionable");

/** After this reading. A reading that has a pulse channel, in whatever state, is newer than any memory of it. */
export const pulseAfter = (before: Pulse | null, { measurements }: DecodedReading, at: number): Pulse | null => {
  if (!measurements.some(({ metric }) => metric === "pulseRate")) return before;
  const values = measurements.filter(isLive).map(({ value }) => value ?? 0);
  return values.length === 0 ? null : { value: Math.max(...values), at };
};

/**
 * A zero is `sensorOff` only on evidence: the device says so, or a heart rate or pressure of 0 beside a live pulse. Any other is `indeterminate`.
 * A pulse or SpO2 of 0 beside a heart rate is no such evidence, for that is what an arrest with a rhythm looks like (clinical.md 1, 14).
 */
export const judgeZero = (
  m: DecodedMeasurement,
  value: number | null,
  pulse: Pulse | null,
  at: number,
): { readonly validity: Validity; readonly evidence: string | null } => {
  const asSent = { validity: m.validity, evidence: m.evidence };
  if (value !== 0 || !zeroNeedsEvidence(m.metric)) return asSent;
  if (m.validity !== "valid" && m.validity !== "questionable") return asSent;
  if (pulseShowsSensorOff(m.metric) && pulse !== null && pulse.value > 0 && at - pulse.at <= pulseFreshMs)
    return {
      validity: "sensorOff",
      evidence: `0 beside a pulse of ${pulse.value} /min ${at - pulse.at} ms before`,
    };
  return { validity: "indeterminate", evidence: "0, and nothing shows that it is the sensor: no signal or no life" };
};
