/**
 * The simulated ward's haemodialysis machine, firmware 5: nested JSON every ten seconds, time as whole seconds of the Unix epoch.
 * Its manual: a pressure of 32767 means "transducer not connected"; outside `treatment.phase` "running" nothing is measured on a patient.
 * `alarms` are all that it shows; without the field nothing is said of alarms.
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { deviceTime } from "../../streams/core/time.ts";
import { type AlarmCodes, readAlarms } from "../decoding/alarm.ts";
import { type Fields, parseJsonObject } from "../decoding/json.ts";
import { type Carried, measure, type Said } from "../decoding/measurement.ts";
import type { MetricName } from "../terminology.ts";
import type { DecodedMeasurement, DecodedReading, DeviceAdapter } from "./adapter.ts";

const periodMs = 10_000;
const notConnected = { 32767: "transducer not connected" };

const pressure = (metric: MetricName): Carried => ({
  channel: "extracorporeal",
  metric,
  sentinels: notConnected,
  periodMs,
});
const flow = (channel: string, metric: MetricName): Carried => ({ channel, metric, periodMs });

/** Groups of `treatment`, and what each holds. */
const groups: Readonly<Record<string, Readonly<Record<string, Carried>>>> = {
  extracorporeal: {
    arterialPressure: pressure("dialysisArterialPressure"),
    venousPressure: pressure("dialysisVenousPressure"),
    bloodFlow: flow("extracorporeal", "dialysisBloodFlow"),
  },
  ultrafiltration: {
    rate: flow("ultrafiltration", "ultrafiltrationRate"),
    removed: flow("ultrafiltration", "ultrafiltrationVolume"),
  },
};

const alarmCodes: AlarmCodes = {
  AIR_DETECTED: { event: "airInLine", channel: "extracorporeal" },
  ART_PRESSURE_LO: { event: "low", channel: "extracorporeal", metric: "dialysisArterialPressure" },
  ART_PRESSURE_HI: { event: "high", channel: "extracorporeal", metric: "dialysisArterialPressure" },
  VEN_PRESSURE_LO: { event: "low", channel: "extracorporeal", metric: "dialysisVenousPressure" },
  VEN_PRESSURE_HI: { event: "high", channel: "extracorporeal", metric: "dialysisVenousPressure" },
  BATTERY_LOW: { event: "lowBattery", channel: "power" },
  MACHINE_FAULT: { event: "deviceFault", channel: "machine" },
};

interface Parts {
  readonly measurements: DecodedMeasurement[];
  readonly problems: Problem[];
}

const readValue = (fields: Fields, name: string, as: Carried | undefined, said: Said): Result<DecodedMeasurement> => {
  const place = fields.place(name);
  if (as === undefined) return refuse("unknown-metric", `${place}: not a value of this machine`);
  const one = fields.object(name);
  if (!one.ok) return one;
  const unit = one.value.string("unit");
  if (!unit.ok) return unit;
  if (!one.value.has("value")) return refuse("missing-field", `${place}.value: missing`);
  return measure(`${place}.value`, one.value.raw("value"), unit.value, as, said);
};

const readGroup = (treatment: Fields, group: string, said: Said, into: Parts): void => {
  const fields = treatment.object(group);
  if (!fields.ok) {
    into.problems.push(fields.problem);
    return;
  }
  const known = groups[group] ?? {};
  for (const name of fields.value.names()) {
    const one = readValue(fields.value, name, Object.hasOwn(known, name) ? known[name] : undefined, said);
    if (one.ok) into.measurements.push(one.value);
    else into.problems.push(one.problem);
  }
};

const decode = (payload: Uint8Array): Result<DecodedReading> => {
  const object = parseJsonObject(payload);
  if (!object.ok) return object;
  const machine = object.value.object("machine");
  if (!machine.ok) return machine;
  const device = machine.value.string("id");
  if (!device.ok) return device;
  const starts = machine.value.integer("starts");
  if (!starts.ok) return starts;
  const seconds = object.value.integer("epochSeconds");
  if (!seconds.ok) return seconds;
  const treatment = object.value.object("treatment");
  if (!treatment.ok) return treatment;
  const phase = treatment.value.string("phase");
  if (!phase.ok) return phase;
  const said: Said = { invalid: phase.value === "running" ? undefined : `the treatment's phase is ${phase.value}` };
  const alarms = object.value.has("alarms") ? readAlarms(object.value.raw("alarms"), "alarms", alarmCodes) : undefined;
  const parts: Parts = { measurements: [], problems: [...(alarms?.problems ?? [])] };
  for (const group of Object.keys(groups))
    if (treatment.value.has(group)) readGroup(treatment.value, group, said, parts);
  return ok({
    device: device.value,
    boot: String(starts.value),
    sequence: null,
    deviceTime: deviceTime(seconds.value * 1000),
    waveforms: [],
    ...(alarms !== undefined && { alarms: alarms.alarms }),
    ...parts,
  });
};

export const adapter: DeviceAdapter = {
  model: "sim-dialysis",
  vendor: "Afferent simulator",
  decode: (payload, stream) =>
    stream === "numerics"
      ? decode(payload)
      : refuse("unknown-stream", `stream: sim-dialysis sends no ${JSON.stringify(stream)}`),
};
