/**
 * From what a device says of an alarm to one of ours, by the model's own table of codes. An alarm is never lost to bad input (clinical.md 4): a
 * code that the table lacks, or an entry that cannot be read but names something, is given without an event and is paged raw; a part that
 * cannot be read counts as its gravest (no priority is high, no known signal state is active, no known pause is none) and is refused by its place.
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { type AlarmEventName, alarmEventOf } from "../alarm-events.ts";
import type { AlarmDirection, Inactivation, SignalState } from "../records/alert.ts";
import type { DecodedAlarm, DecodedAlarms } from "../devices/adapter.ts";
import type { Priority } from "../priority.ts";
import type { MetricName } from "../terminology.ts";
import { parseInstant } from "./instant.ts";
import { Fields } from "./json.ts";

/** What one of a model's alarm codes means. */
export interface AlarmCode {
  readonly event: AlarmEventName;
  readonly channel: string;
  /** What it is judged on. */
  readonly metric?: MetricName;
  /** Of a limit that is crossed; the event's own unless it is said. */
  readonly direction?: AlarmDirection;
}
export type AlarmCodes = Readonly<Record<string, AlarmCode>>;

export interface ReadAlarms {
  readonly alarms: DecodedAlarms;
  readonly problems: readonly Problem[];
}

/** The channel of an alarm of which nobody knows where it comes from. */
const wholeDevice = "device";

/** An alarm of this code as if nothing more were said of it. */
export const alarmOf = (codes: AlarmCodes, code: string, text = code): DecodedAlarm => {
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined;
  const event = known?.event ?? null;
  const kind = alarmEventOf(event ?? "unmapped");
  return {
    channel: known?.channel ?? wholeDevice,
    code,
    text,
    event,
    metric: known?.metric ?? null,
    direction: known?.direction ?? kind.direction,
    alertType: kind.alertType,
    priority: null,
    signal: "active",
    inactivation: "enabled",
    value: null,
    ucum: null,
    lowLimit: null,
    highLimit: null,
  };
};

/** Words of our simulated devices for what IEEE 11073-10201 and PCD-04 call by name. */
const priorities: Readonly<Record<string, Priority>> = { high: "high", medium: "medium", low: "low" };
const signals: Readonly<Record<string, SignalState>> = { active: "active", latched: "latched" };
const silences: Readonly<Record<string, Inactivation>> = {
  none: "enabled",
  audioPaused: "audioPaused",
  audioOff: "audioOff",
  alarmPaused: "alarmPaused",
  alarmOff: "alarmOff",
  acknowledged: "acknowledged",
};

/**
 * A device's list of all the alarms that it shows: objects with `code`, and as far as it says so `text`, `priority`, `state`, `silence`,
 * `since`, `value`, `limit` and `unit`. Problems: `missing-field`, `wrong-type`, `not-a-number` or `bad-time`, with the place.
 */
export const readAlarms = (value: unknown, place: string, codes: AlarmCodes): ReadAlarms => {
  const problems: Problem[] = [];
  const isList = Array.isArray(value);
  if (!isList) problems.push({ reason: "wrong-type", detail: `${place}: not an array` });
  const entries: readonly unknown[] = isList ? value : [value];
  const read = entries.map((entry, i) => readAlarm(entry, isList ? `${place}[${i}]` : place, codes, problems));
  const all = read.flatMap(({ alarm }) => (alarm === undefined ? [] : [alarm]));
  // which condition an entry without a code speaks of nobody knows: then none has ended by being absent
  const whole = isList && read.every(({ named }) => named);
  return { alarms: whole ? { all } : { changes: all.map((alarm) => ({ ...alarm, present: true })) }, problems };
};

interface ReadAlarm {
  readonly alarm?: DecodedAlarm;
  /** It is known which condition it speaks of. */
  readonly named: boolean;
}

const readAlarm = (entry: unknown, place: string, codes: AlarmCodes, problems: Problem[]): ReadAlarm => {
  const fields = Fields.of(entry, place);
  if (!fields.ok) {
    problems.push(fields.problem);
    const speaks = typeof entry === "string" || typeof entry === "number";
    return speaks ? { alarm: alarmOf({}, String(entry)), named: false } : { named: false };
  }
  const text = fields.value.raw("text");
  const code = fields.value.string("code");
  if (!code.ok) problems.push(code.problem);
  const said = typeof text === "string" ? text : undefined;
  const alarm = code.ok ? alarmOf(codes, code.value, said) : alarmOf({}, "no code", said);
  return { alarm: withDetails(alarm, fields.value, problems), named: code.ok };
};

const withDetails = (alarm: DecodedAlarm, fields: Fields, problems: Problem[]): DecodedAlarm => {
  const say = <T, F>(name: string, read: (name: string) => Result<T>, otherwise: F): T | F => {
    if (!fields.has(name) || fields.raw(name) === null) return otherwise;
    const result = read(name);
    if (result.ok) return result.value;
    problems.push(result.problem);
    return otherwise;
  };
  const number = (name: string): number | null => say(name, (n) => fields.number(n), null);
  const word =
    <T>(words: Readonly<Record<string, T>>) =>
    (name: string) =>
      wordOf(fields, name, words);
  const since = say("since", (name) => timeOf(fields, name), undefined);
  const limit = number("limit");
  return {
    ...alarm,
    priority: say("priority", word(priorities), null),
    signal: say("state", word(signals), alarm.signal),
    inactivation: say("silence", word(silences), alarm.inactivation),
    value: number("value"),
    ucum: say("unit", (name) => fields.string(name), null),
    lowLimit: alarm.direction === "low" ? limit : null,
    highLimit: alarm.direction === "high" ? limit : null,
    ...(since !== undefined && { since }),
  };
};

const wordOf = <T>(fields: Fields, name: string, words: Readonly<Record<string, T>>): Result<T> => {
  const text = fields.string(name);
  if (!text.ok) return text;
  const meaning = Object.hasOwn(words, text.value) ? words[text.value] : undefined;
  return meaning === undefined
    ? refuse("wrong-type", `${fields.place(name)}: ${JSON.stringify(text.value)}`)
    : ok(meaning);
};

const timeOf = (fields: Fields, name: string): ReturnType<typeof parseInstant> => {
  const text = fields.string(name);
  return text.ok ? parseInstant(text.value, fields.place(name)) : text;
};
