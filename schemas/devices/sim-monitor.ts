/**
 * The simulated ward's bedside monitor, firmware 1: numerics as JSON once a second, waveforms as binary chunks.
 * Its manual: SpO2 127 means "searching for a pulse", -999 "no signal", -99.9 "thermistor open", 8388607 "converter overrange".
 * `alarms` are all that it shows, by its own limits, in every mode; a `state` of "latched" is one whose condition is over; without the
 * field (an option of the monitor) nothing is said of alarms.
 */
import { ok, refuse, type Problem, type Result } from "../../streams/core/failure.ts";
import { type AlarmCodes, type ReadAlarms, readAlarms } from "../decoding/alarm.ts";
import { parseInstant } from "../decoding/instant.ts";
import { Fields, parseJsonObject } from "../decoding/json.ts";
import { type Carried, measure, type Said } from "../decoding/measurement.ts";
import { decodeChunk } from "../decoding/sim-monitor-chunk.ts";
import type { MetricName } from "../terminology.ts";
import type { DecodedMeasurement, DecodedReading, DeviceAdapter } from "./adapter.ts";

const second = 1_000;
const nibpIntervalMs = 15 * 60 * second;
const noSignal = { [-999]: "no signal" };
const overrange = { 8388607: "converter overrange" };

const carried: Readonly<Record<string, Carried>> = {
  HR: { channel: "ecg", metric: "heartRate", sentinels: noSignal, periodMs: second },
  PR: { channel: "spo2", metric: "pulseRate", sentinels: noSignal, periodMs: second },
  SpO2: { channel: "spo2", metric: "spo2", sentinels: { 127: "searching for a pulse" }, periodMs: second },
  RR: { channel: "resp", metric: "respiratoryRate", sentinels: noSignal, periodMs: second },
  TEMP: { channel: "temp", metric: "temperature", sentinels: { [-99.9]: "thermistor open" }, periodMs: second },
  ART_S: { channel: "art", metric: "artSystolic", sentinels: overrange, periodMs: second },
  ART_D: { channel: "art", metric: "artDiastolic", sentinels: overrange, periodMs: second },
  ART_M: { channel: "art", metric: "artMean", sentinels: overrange, periodMs: second },
  NIBP_S: { channel: "nibp", metric: "nibpSystolic", sentinels: noSignal, periodMs: nibpIntervalMs },
  NIBP_D: { channel: "nibp", metric: "nibpDiastolic", sentinels: noSignal, periodMs: nibpIntervalMs },
  NIBP_M: { channel: "nibp", metric: "nibpMean", sentinels: noSignal, periodMs: nibpIntervalMs },
};

const limits = (
  channel: string,
  metric: MetricName,
  name: string,
): { readonly [code: string]: AlarmCodes[string] } => ({
  [`${name}_HI`]: { event: "high", channel, metric },
  [`${name}_LO`]: { event: "low", channel, metric },
});

/** The manual's alarm codes. It has others (of its printer, its network); those are given as they come. */
const alarmCodes: AlarmCodes = {
  ASYSTOLE: { event: "asystole", channel: "ecg", metric: "heartRate" },
  VFIB: { event: "ventricularFibrillation", channel: "ecg", metric: "heartRate" },
  VTACH: { event: "ventricularTachycardia", channel: "ecg", metric: "heartRate" },
  XTACHY: { event: "extremeTachycardia", channel: "ecg", metric: "heartRate", direction: "high" },
  XBRADY: { event: "extremeBradycardia", channel: "ecg", metric: "heartRate", direction: "low" },
  APNEA: { event: "apnoea", channel: "resp", metric: "respiratoryRate" },
  ...limits("ecg", "heartRate", "HR"),
  ...limits("spo2", "pulseRate", "PR"),
  ...limits("spo2", "spo2", "SPO2"),
  ...limits("resp", "respiratoryRate", "RR"),
  ...limits("temp", "temperature", "TEMP"),
  ...limits("art", "artSystolic", "ART_S"),
  ...limits("art", "artMean", "ART_M"),
  ...limits("nibp", "nibpSystolic", "NIBP_S"),
  LEADS_OFF: { event: "sensorOff", channel: "ecg" },
  PROBE_OFF: { event: "sensorOff", channel: "spo2" },
  BATT_LOW: { event: "lowBattery", channel: "power" },
  DEVICE_FAULT: { event: "deviceFault", channel: "device" },
};

/** Flags of a channel that mean that its sensor is off. */
const offFlags: ReadonlySet<string> = new Set(["leadOff", "probeOff"]);

/** In standby it measures nobody; what it measures all the same is measured. */
const modes = { live: undefined, standby: undefined, test: "test", demo: "demo" } as const;

/** The channel's flags in words, or undefined. */
const sensorOff = (flags: unknown): string | undefined =>
  Array.isArray(flags) && flags.some((flag) => offFlags.has(String(flag)))
    ? `${flags.filter((flag) => offFlags.has(String(flag))).join(", ")} flag set`
    : undefined;

const saidOf = (status: unknown, mode: Said["mode"], off: string | undefined): Said => ({
  mode,
  sensorOff: off,
  invalid: status === "INV" ? "INV: the device calls it invalid" : undefined,
  questionable: status === "QUES" ? "QUES: the device calls it questionable" : undefined,
});

const numeric = (
  value: unknown,
  place: string,
  mode: Said["mode"],
  flags: Fields | undefined,
): Result<DecodedMeasurement> => {
  const fields = Fields.of(value, place);
  if (!fields.ok) return fields;
  const name = fields.value.string("name");
  if (!name.ok) return name;
  const as = Object.hasOwn(carried, name.value) ? carried[name.value] : undefined;
  if (as === undefined) return refuse("unknown-metric", `${place}.name: ${JSON.stringify(name.value)}`);
  const unit = fields.value.string("unit");
  if (!unit.ok) return unit;
  if (!fields.value.has("value")) return refuse("missing-field", `${place}.value: missing`);
  const said = saidOf(fields.value.raw("status"), mode, sensorOff(flags?.raw(as.channel)));
  const at = fields.value.has("at") ? fields.value.string("at") : undefined;
  if (at === undefined) return measure(`${place}.value`, fields.value.raw("value"), unit.value, as, said);
  if (!at.ok) return at;
  const time = parseInstant(at.value, `${place}.at`);
  return time.ok ? measure(`${place}.value`, fields.value.raw("value"), unit.value, as, said, time.value) : time;
};

const unsaid: Partial<ReadAlarms> & Pick<ReadAlarms, "problems"> = { problems: [] };

const decodeNumerics = (payload: Uint8Array): Result<DecodedReading> => {
  const object = parseJsonObject(payload);
  if (!object.ok) return object;
  const fields = object.value;
  const device = fields.string("device");
  if (!device.ok) return device;
  const boot = fields.string("boot");
  if (!boot.ok) return boot;
  const sequence = fields.integer("seq");
  if (!sequence.ok) return sequence;
  const time = fields.string("time");
  if (!time.ok) return time;
  const deviceTime = parseInstant(time.value, "time");
  if (!deviceTime.ok) return deviceTime;
  const mode = fields.has("mode") ? fields.string("mode") : ok("live");
  if (!mode.ok) return mode;
  if (!Object.hasOwn(modes, mode.value)) return refuse("wrong-type", `mode: ${JSON.stringify(mode.value)}`);
  const flags = fields.has("flags") ? fields.object("flags") : undefined;
  if (flags !== undefined && !flags.ok) return flags;
  const said = fields.has("alarms") ? readAlarms(fields.raw("alarms"), "alarms", alarmCodes) : unsaid;
  const numerics = fields.array("numerics");
  if (!numerics.ok) return numerics;
  const measurements: DecodedMeasurement[] = [];
  const problems: Problem[] = [...said.problems];
  for (const [i, value] of numerics.value.entries()) {
    const one = numeric(value, `numerics[${i}]`, modes[mode.value as keyof typeof modes], flags?.value);
    if (one.ok) measurements.push(one.value);
    else problems.push(one.problem);
  }
  return ok({
    device: device.value,
    boot: boot.value,
    sequence: sequence.value,
    deviceTime: deviceTime.value,
    measurements,
    waveforms: [],
    ...(said.alarms !== undefined && { alarms: said.alarms }),
    ...(mode.value === "standby" && numerics.value.length === 0 && { standby: true as const }),
    problems,
  });
};

export const adapter: DeviceAdapter = {
  model: "sim-monitor",
  vendor: "Afferent simulator",
  decode(payload, stream) {
    switch (stream) {
      case "numerics":
        return decodeNumerics(payload);
      case "waveforms":
        return decodeChunk(payload);
      default:
        return refuse("unknown-stream", `stream: sim-monitor sends no ${JSON.stringify(stream)}`);
    }
  },
};
