/**
 * An alarm as a device's adapter gives it, made fit to be told: its numbers in the metric's unit, its words of a length that a pager can show.
 * Whatever is wrong with a part of it, the alarm itself is never refused (clinical.md 4): the part is, and says so.
 */
import type { Problem, Result } from "../../streams/core/failure.ts";
import type { DeviceTime } from "../../streams/core/time.ts";
import { isAlarmEvent } from "../../schemas/alarm-events.ts";
import type { DeviceAlarm } from "../../schemas/records/alert.ts";
import type { DecodedAlarm } from "../../schemas/devices/adapter.ts";
import { metricOf, toMetricUnit, ucumFor } from "../../schemas/terminology.ts";
import { channelName, isStorableTime, storableTimeProblem } from "./intake.ts";

/** What is told of an alarm beside whose it is and when. */
export type SaidAlarm = Pick<
  DeviceAlarm,
  | "channel"
  | "code"
  | "text"
  | "event"
  | "metric"
  | "direction"
  | "alertType"
  | "priority"
  | "signal"
  | "inactivation"
  | "value"
  | "ucum"
  | "lowLimit"
  | "highLimit"
>;

export interface Cleaned {
  readonly said: SaidAlarm;
  /** When it began, as the device says it. */
  readonly claimed: DeviceTime | null;
  readonly problems: readonly Problem[];
}

const codeLength = 64;
const textLength = 200;
const unnamed = "unnamed";

/** Problems: `bad-channel`, `not-a-number`, `device-time-invalid` and what the unit conversion refuses. */
export const cleaned = (alarm: DecodedAlarm): Cleaned => {
  const problems: Problem[] = [];
  const named = channelName.test(alarm.channel);
  if (!named) problems.push({ reason: "bad-channel", detail: `alarm: ${JSON.stringify(alarm.channel)} is no channel` });
  const code = printable(alarm.code, codeLength) || unnamed;
  const inUnit = unitOf(alarm, code, problems);
  const claimed = alarm.since ?? null;
  const dated = claimed === null || isStorableTime(claimed);
  if (!dated) problems.push(storableTimeProblem(claimed));
  return {
    said: {
      channel: named ? alarm.channel : unnamed,
      event: alarm.event !== null && isAlarmEvent(alarm.event) ? alarm.event : null,
      code,
      text: printable(alarm.text, textLength) || code,
      metric: alarm.metric,
      direction: alarm.direction,
      alertType: alarm.alertType,
      priority: alarm.priority ?? "high",
      signal: alarm.signal,
      inactivation: alarm.inactivation,
      value: inUnit(alarm.value, "value"),
      ucum: unitTold(alarm),
      lowLimit: inUnit(alarm.lowLimit, "low limit"),
      highLimit: inUnit(alarm.highLimit, "high limit"),
    },
    claimed: dated ? claimed : null,
    problems,
  };
};

/** On one line, without control characters, and cut. */
const printable = (text: string, length: number): string =>
  text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, length);

const unitTold = ({ metric, ucum }: DecodedAlarm): string | null =>
  metric !== null && ucum !== null && ucumFor(metric, ucum).ok ? metricOf(metric).ucum : ucum;

const unitOf =
  ({ metric, ucum }: DecodedAlarm, code: string, problems: Problem[]) =>
  (value: number | null, what: string): number | null => {
    if (value === null) return null;
    const number: Result<number> =
      metric !== null && ucum !== null && Number.isFinite(value)
        ? toMetricUnit(metric, value, ucum)
        : Number.isFinite(value)
          ? { ok: true, value }
          : { ok: false, problem: { reason: "not-a-number", detail: `is ${value}` } };
    // There is no negative zero in JSON.
    if (number.ok) return number.value + 0;
    problems.push({ reason: number.problem.reason, detail: `alarm ${code}, ${what}: ${number.problem.detail}` });
    return null;
  };
