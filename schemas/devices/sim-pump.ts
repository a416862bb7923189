/**
 * The simulated ward's infusion pump, firmware 2: a block of KEY=VALUE lines every ten seconds.
 * Its manual: a rate or volume of "----" is one that the display shows as dashes (no set loaded); STATE=SELFTEST measures nobody.
 * ALARM lists all that it shows as `code`, `code priority` or `code priority time`, separated by semicolons, or NONE; without the line
 * nothing is said of alarms.
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { type AlarmCodes, alarmOf } from "../decoding/alarm.ts";
import { parseInstant } from "../decoding/instant.ts";
import { parseText } from "../decoding/json.ts";
import { type Carried, measure, type Said } from "../decoding/measurement.ts";
import type { Priority } from "../priority.ts";
import type { DecodedAlarm, DecodedAlarms, DecodedMeasurement, DecodedReading, DeviceAdapter } from "./adapter.ts";

const periodMs = 10_000;
const carried: Readonly<Record<string, Carried>> = {
  RATE: { channel: "pump", metric: "infusionRate", periodMs },
  VOL: { channel: "pump", metric: "infusedVolume", periodMs },
};
const alarmCodes: AlarmCodes = {
  OCCLUSION: { event: "occlusion", channel: "pump" },
  AIR: { event: "airInLine", channel: "pump" },
  BATTERY: { event: "lowBattery", channel: "power" },
  FAULT: { event: "deviceFault", channel: "pump" },
};
const priorities: Readonly<Record<string, Priority>> = { H: "high", M: "medium", L: "low" };
const noAlarm = "NONE";
const header = "PUMP/2";
/** Lines that say something else than a metric. */
const others: ReadonlySet<string> = new Set(["ID", "BOOT", "SEQ", "TIME", "STATE", "ALARM"]);
const dashes = "----";
const quantity = /^(\S+) (\S+)$/;

/** The lines after the header by key; refuses with `malformed-text`. */
const linesOf = (payload: Uint8Array): Result<ReadonlyMap<string, string>> => {
  const text = parseText(payload);
  if (!text.ok) return text;
  const [first, ...rest] = text.value.split(/\r?\n/);
  if (first !== header) return refuse("malformed-text", `line 1: not ${header}`);
  const lines = new Map<string, string>();
  for (const [i, line] of rest.entries()) {
    if (line === "") continue;
    const equals = line.indexOf("=");
    if (equals < 1) return refuse("malformed-text", `line ${i + 2}: no KEY=VALUE`);
    lines.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return ok(lines);
};

const need = (lines: ReadonlyMap<string, string>, key: string): Result<string> => {
  const value = lines.get(key);
  return value === undefined || value === "" ? refuse("missing-field", `${key}: missing`) : ok(value);
};

/** A decimal number; NaN and infinities are left to {@link measure}, which refuses them by name. */
const numberOf = (text: string): unknown => (/^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

const quantityOf = (key: string, value: string, said: Said): Result<DecodedMeasurement> => {
  const as = Object.hasOwn(carried, key) ? carried[key] : undefined;
  if (as === undefined) return refuse("unknown-metric", `${key}: not a line of this pump`);
  const [, number = "", unit = ""] = quantity.exec(value) ?? [];
  if (unit === "") return refuse("missing-field", `${key}: no unit in ${JSON.stringify(value)}`);
  return measure(key, number === dashes ? null : numberOf(number), unit, as, said);
};

/** What cannot be read of an alarm is refused by its place, and the alarm is given without it. */
const alarmsOf = (line: string, problems: Problem[]): DecodedAlarms => {
  if (line.trim() === noAlarm) return { all: [] };
  const entries = line.split(";").map((entry, i) => alarmEntry(entry.trim(), `ALARM[${i}]`, problems));
  const all = entries.filter((alarm) => alarm !== undefined);
  // of an entry without a code nobody knows which alarm it was: then none has ended by being absent
  if (all.length === entries.length) return { all };
  return { changes: all.map((alarm) => ({ ...alarm, present: true })) };
};

const alarmEntry = (entry: string, place: string, problems: Problem[]): DecodedAlarm | undefined => {
  const [code = "", letter, ...time] = entry.split(" ");
  if (code === "") {
    problems.push({ reason: "missing-field", detail: `${place}: no code` });
    return undefined;
  }
  const priority = letter !== undefined && Object.hasOwn(priorities, letter) ? (priorities[letter] ?? null) : null;
  if (letter !== undefined && priority === null)
    problems.push({ reason: "wrong-type", detail: `${place}: priority ${JSON.stringify(letter)}` });
  const since = time.length === 0 ? undefined : parseInstant(time.join(" "), place);
  if (since !== undefined && !since.ok) problems.push(since.problem);
  return { ...alarmOf(alarmCodes, code), priority, ...(since?.ok && { since: since.value }) };
};

const decode = (payload: Uint8Array): Result<DecodedReading> => {
  const lines = linesOf(payload);
  if (!lines.ok) return lines;
  const device = need(lines.value, "ID");
  if (!device.ok) return device;
  const sequence = need(lines.value, "SEQ");
  if (!sequence.ok) return sequence;
  if (!/^\d{1,9}$/.test(sequence.value)) return refuse("wrong-type", `SEQ: ${JSON.stringify(sequence.value)}`);
  const time = need(lines.value, "TIME");
  if (!time.ok) return time;
  const deviceTime = parseInstant(time.value, "TIME");
  if (!deviceTime.ok) return deviceTime;
  const said: Said = { mode: lines.value.get("STATE") === "SELFTEST" ? "test" : undefined };
  const measurements: DecodedMeasurement[] = [];
  const problems: Problem[] = [];
  for (const [key, value] of lines.value) {
    if (others.has(key)) continue;
    const one = quantityOf(key, value, said);
    if (one.ok) measurements.push(one.value);
    else problems.push(one.problem);
  }
  const alarm = lines.value.get("ALARM");
  return ok({
    device: device.value,
    boot: lines.value.get("BOOT") ?? null,
    sequence: Number(sequence.value),
    deviceTime: deviceTime.value,
    measurements,
    waveforms: [],
    ...(alarm !== undefined && { alarms: alarmsOf(alarm, problems) }),
    problems,
  });
};

export const adapter: DeviceAdapter = {
  model: "sim-pump",
  vendor: "Afferent simulator",
  decode: (payload, stream) =>
    stream === "numerics"
      ? decode(payload)
      : refuse("unknown-stream", `stream: sim-pump sends no ${JSON.stringify(stream)}`),
};
