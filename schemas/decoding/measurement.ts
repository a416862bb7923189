/**
 * From what a device said of one value to a measurement: missing, empty, invalid, questionable and test are kept apart
 * (clinical.md 3), and a sentinel is one only where the model's own table says so (clinical.md 2).
 */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { DeviceTime } from "../../streams/core/time.ts";
import type { DecodedMeasurement } from "../devices/adapter.ts";
import { type MetricName, ucumFor } from "../terminology.ts";
import { readNumber } from "./json.ts";

/** How a model carries one metric. */
export interface Carried {
  readonly channel: string;
  readonly metric: MetricName;
  /** Values that stand for something else, with what the vendor's manual says they mean. */
  readonly sentinels?: Readonly<Record<number, string>>;
  /** Expected time to the next; null where it is measured on demand. */
  readonly periodMs: number | null;
}

/** What the device itself says of its value, strongest first. */
export interface Said {
  readonly mode?: "test" | "demo" | undefined;
  /** The device's words for a sensor that is off, e.g. "probeOff flag set". */
  readonly sensorOff?: string | undefined;
  readonly invalid?: string | undefined;
  readonly questionable?: string | undefined;
}

type Judged = Pick<DecodedMeasurement, "value" | "validity" | "evidence">;

const none = (validity: DecodedMeasurement["validity"], evidence: string): Judged => ({
  value: null,
  validity,
  evidence,
});

const judge = (value: number | null, carried: Carried, said: Said): Judged => {
  if (said.mode !== undefined) return { value, validity: said.mode, evidence: `the device is in ${said.mode} mode` };
  if (said.sensorOff !== undefined) return none("sensorOff", said.sensorOff);
  if (value === null) return none("empty", "sent as empty");
  const meaning = carried.sentinels?.[value];
  if (meaning !== undefined) return none("invalid", `${value}: ${meaning}`);
  if (said.invalid !== undefined) return none("invalid", said.invalid);
  if (said.questionable !== undefined) return { value, validity: "questionable", evidence: said.questionable };
  return { value, validity: "valid", evidence: null };
};

/**
 * One measurement of a value as parsed (a number, or null for sent as empty). Refuses with `not-a-number`, `wrong-type`
 * or `unknown-unit`, naming the place.
 */
export const measure = (
  place: string,
  value: unknown,
  unit: string,
  carried: Carried,
  said: Said = {},
  at?: DeviceTime,
): Result<DecodedMeasurement> => {
  const ucum = ucumFor(carried.metric, unit);
  if (!ucum.ok) return refuse(ucum.problem.reason, `${place}: ${ucum.problem.detail}`);
  const number = value === null ? ok(null) : readNumber(value, place);
  if (!number.ok) return number;
  return ok({
    channel: carried.channel,
    metric: carried.metric,
    ucum: ucum.value,
    ...judge(number.value, carried, said),
    periodMs: carried.periodMs,
    ...(at !== undefined && { deviceTime: at }),
  });
};
