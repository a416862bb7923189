/**
 * The simulated ward's glucose sensor, firmware 9: JSON with one or more estimated glucose values, each with its own time, every
 * five minutes, in mg/dL or mmol/L as the sensor is set. Its manual: it measures 40 to 400 mg/dL and says "LOW" or "HIGH" outside,
 * and values 0 to 12 are error codes (as in Dexcom's G4: 1 sensor not active, 5 not calibrated, 10 power, 12 radio).
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import type { DeviceTime } from "../../streams/core/time.ts";
import { parseInstant } from "../decoding/instant.ts";
import { Fields, parseJsonObject } from "../decoding/json.ts";
import { type Carried, measure, type Said } from "../decoding/measurement.ts";
import type { DecodedMeasurement, DecodedReading, DeviceAdapter } from "./adapter.ts";

const glucose: Carried = { channel: "cgm", metric: "glucoseInterstitial", periodMs: 5 * 60_000 };
const milligrams = "mg/dL";
const errorCodes: Readonly<Record<number, string>> = {
  0: "no reading",
  1: "sensor not active",
  2: "minimal deviation",
  3: "no antenna",
  5: "sensor not calibrated",
  6: "counts deviation",
  9: "absolute deviation",
  10: "power deviation",
  12: "bad radio",
};
/** Below and above the range: the limit's neighbour, questionable and never dropped, for a "LOW" is an emergency. */
const outOfRange: Readonly<Record<string, number>> = { LOW: 39, HIGH: 401 };

/** Of an "egv": its value with what the sensor says of it. */
const readGlucose = (value: unknown, unit: string, place: string, at: DeviceTime): Result<DecodedMeasurement> => {
  if (typeof value === "string" && Object.hasOwn(outOfRange, value)) {
    const said: Said = { questionable: `${value}: outside the sensor's range of 40 to 400 mg/dL` };
    return measure(place, outOfRange[value], milligrams, glucose, said, at);
  }
  const sentinels = unit === milligrams ? { ...glucose, sentinels: errorCodes } : glucose;
  return measure(place, value, unit, sentinels, {}, at);
};

const readEgv = (element: unknown, place: string, unit: string): Result<DecodedMeasurement> => {
  const fields = Fields.of(element, place);
  if (!fields.ok) return fields;
  const time = fields.value.string("time");
  if (!time.ok) return time;
  const at = parseInstant(time.value, `${place}.time`);
  if (!at.ok) return at;
  if (!fields.value.has("value")) return refuse("missing-field", `${place}.value: missing`);
  return readGlucose(fields.value.raw("value"), unit, `${place}.value`, at.value);
};

const decode = (payload: Uint8Array): Result<DecodedReading> => {
  const object = parseJsonObject(payload);
  if (!object.ok) return object;
  const device = object.value.string("transmitter");
  if (!device.ok) return device;
  const session = object.value.string("session");
  if (!session.ok) return session;
  const sequence = object.value.integer("counter");
  if (!sequence.ok) return sequence;
  const unit = object.value.string("unit");
  if (!unit.ok) return unit;
  const sent = object.value.string("sent");
  if (!sent.ok) return sent;
  const deviceTime = parseInstant(sent.value, "sent");
  if (!deviceTime.ok) return deviceTime;
  const egvs = object.value.array("egvs");
  if (!egvs.ok) return egvs;
  const measurements: DecodedMeasurement[] = [];
  const problems: Problem[] = [];
  for (const [i, egv] of egvs.value.entries()) {
    const one = readEgv(egv, `egvs[${i}]`, unit.value);
    if (one.ok) measurements.push(one.value);
    else problems.push(one.problem);
  }
  return ok({
    device: device.value,
    boot: session.value,
    sequence: sequence.value,
    deviceTime: deviceTime.value,
    measurements,
    waveforms: [],
    problems,
  });
};

export const adapter: DeviceAdapter = {
  model: "sim-cgm",
  vendor: "Afferent simulator",
  decode: (payload, stream) =>
    stream === "numerics"
      ? decode(payload)
      : refuse("unknown-stream", `stream: sim-cgm sends no ${JSON.stringify(stream)}`),
};
