/**
 * A recorded patient's numerics: one line of `key=value` separated by semicolons, named as the recordings' columns are. First what the
 * line is about (device, time with a zone, period in ms), then values; `NaN` is how the recordings write that a value was missing.
 * A recording with waveforms sends those as well, in chunks (schemas/decoding/recorded-chunk.ts).
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { parseInstant } from "../decoding/instant.ts";
import { parseText } from "../decoding/json.ts";
import { type Carried, measure } from "../decoding/measurement.ts";
import { decodeRecordedChunk } from "../decoding/recorded-chunk.ts";
import type { MetricName } from "../terminology.ts";
import type { DecodedMeasurement, DecodedReading, DeviceAdapter } from "./adapter.ts";

interface Column {
  readonly channel: string;
  readonly metric: MetricName;
  readonly unit: string;
  /** Measured on demand, however often lines come. */
  readonly onDemand?: true;
}

const column = (channel: string, metric: MetricName, unit: string): Column => ({ channel, metric, unit });
const cuff = (metric: MetricName): Column => ({ channel: "nibp", metric, unit: "mm[Hg]", onDemand: true });

/** HR is counted from the ECG and PULSE by the oximeter: they may disagree, and each is kept as its own. */
const columns: Readonly<Record<string, Column>> = {
  HR: column("ecg", "heartRate", "/min"),
  PULSE: column("spo2", "pulseRate", "/min"),
  RESP: column("resp", "respiratoryRate", "/min"),
  SpO2: column("spo2", "spo2", "%"),
  ABPSys: column("abp", "artSystolic", "mm[Hg]"),
  ABPDias: column("abp", "artDiastolic", "mm[Hg]"),
  ABPMean: column("abp", "artMean", "mm[Hg]"),
  NBPSys: cuff("nibpSystolic"),
  NBPDias: cuff("nibpDiastolic"),
  NBPMean: cuff("nibpMean"),
  Glucose: column("cgm", "glucoseInterstitial", "mg/dL"),
  GlucoseMmol: column("cgm", "glucoseInterstitial", "mmol/L"),
};

const about: ReadonlySet<string> = new Set(["device", "time", "period"]);
const decimal = /^[+-]?\d+(\.\d+)?$/;
const infinity = /^[+-]?inf(inity)?$/i;

/** Keys and values in their order; refuses with `malformed-line` and the field's number. */
const fieldsOf = (payload: Uint8Array): Result<ReadonlyMap<string, string>> => {
  const text = parseText(payload);
  if (!text.ok) return refuse("malformed-line", text.problem.detail);
  const line = text.value.replace(/\r?\n$/, "");
  if (/[\r\n]/.test(line)) return refuse("malformed-line", "payload: more than one line");
  const fields = new Map<string, string>();
  for (const [i, field] of line.split(";").entries()) {
    const equals = field.indexOf("=");
    if (equals < 1) return refuse("malformed-line", `field ${i + 1}: ${JSON.stringify(field)} is no key=value`);
    const key = field.slice(0, equals);
    if (fields.has(key)) return refuse("malformed-line", `field ${i + 1}: ${key} for the second time`);
    fields.set(key, field.slice(equals + 1));
  }
  return ok(fields);
};

const need = (fields: ReadonlyMap<string, string>, key: string): Result<string> => {
  const value = fields.get(key);
  return value === undefined || value === "" ? refuse("missing-field", `${key}: missing`) : ok(value);
};

/** Refuses with `not-a-number` (an infinity), `wrong-type` or `missing-field`. The sum makes "-0" an ordinary zero. */
const numberOf = (key: string, text: string): Result<number | null> => {
  if (text === "") return refuse("missing-field", `${key}: no value`);
  if (text === "NaN") return ok(null);
  if (decimal.test(text)) return ok(Number(text) + 0);
  return infinity.test(text)
    ? refuse("not-a-number", `${key}: ${text}`)
    : refuse("wrong-type", `${key}: ${JSON.stringify(text)} is not a decimal number`);
};

const measurementOf = (key: string, text: string, periodMs: number): Result<DecodedMeasurement> => {
  const known = Object.hasOwn(columns, key) ? columns[key] : undefined;
  if (known === undefined) return refuse("unknown-metric", `${key}: not a column of the recordings`);
  const number = numberOf(key, text);
  if (!number.ok) return number;
  const { channel, metric, unit, onDemand } = known;
  const carried: Carried = { channel, metric, periodMs: onDemand === true ? null : periodMs };
  return measure(key, number.value, unit, carried);
};

const decodeLine = (payload: Uint8Array): Result<DecodedReading> => {
  const fields = fieldsOf(payload);
  if (!fields.ok) return fields;
  const device = need(fields.value, "device");
  if (!device.ok) return device;
  const time = need(fields.value, "time");
  if (!time.ok) return time;
  const deviceTime = parseInstant(time.value, "time");
  if (!deviceTime.ok) return deviceTime;
  const period = need(fields.value, "period");
  if (!period.ok) return period;
  if (!/^[1-9]\d{0,8}$/.test(period.value))
    return refuse("wrong-type", `period: ${JSON.stringify(period.value)} is no number of milliseconds`);
  const measurements: DecodedMeasurement[] = [];
  const problems: Problem[] = [];
  for (const [key, text] of fields.value) {
    if (about.has(key)) continue;
    const one = measurementOf(key, text, Number(period.value));
    if (one.ok) measurements.push(one.value);
    else problems.push(one.problem);
  }
  return ok({
    device: device.value,
    boot: null,
    sequence: null,
    deviceTime: deviceTime.value,
    measurements,
    waveforms: [],
    problems,
  });
};

export const adapter: DeviceAdapter = {
  model: "recorded-numerics",
  vendor: "Afferent recordings",
  decode(payload, stream) {
    switch (stream) {
      case "numerics":
        return decodeLine(payload);
      case "waveforms":
        return decodeRecordedChunk(payload);
      default:
        return refuse("unknown-stream", `stream: recorded-numerics sends no ${JSON.stringify(stream)}`);
    }
  },
};
