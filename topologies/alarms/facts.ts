/** What an episode, a device's own alarm or a technical condition comes to as an alarm: event, priority, value, limits, and what people read. */
import { eventTime, receivedTime, type EventTime, type LogTime } from "../../streams/core/time.ts";
import { alarmEventOf, type AlarmEventName, isAlarmEvent } from "../../schemas/alarm-events.ts";
import type { DeviceAlarm } from "../../schemas/records/alert.ts";
import type { Priority } from "../../schemas/priority.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { isMetric, metricOf } from "../../schemas/terminology.ts";
import { platformUnit } from "../policy.ts";
import type { Facts } from "./condition.ts";
import { groupOf } from "./group.ts";
import { ageBandOf, type Place, standing, unknownUnit } from "./place.ts";
import { unmeasured } from "./unmeasured.ts";

/** Whose it is and where, at a log time. `who` is the key of the entry: the subject, or the device while nobody is linked to it. */
export interface Context {
  readonly who: string;
  readonly place: Place;
  readonly now: LogTime;
}

const eventOfRule: Readonly<Record<Rule["when"], AlarmEventName>> = {
  above: "high",
  below: "low",
  equals: "low",
  indeterminateZero: "noSignalOrPulse",
};

/** What an episode of a rule is called and how grave it is: the same for our alarm and for what the telemetry plane reports of it. */
export const eventOfEpisode = (
  episode: Episode,
): Pick<Facts, "event" | "alertType" | "direction" | "priority" | "text"> => {
  const { rule } = episode;
  const event = eventOfRule[rule.when];
  const { alertType, direction } = alarmEventOf(event);
  const priority = event === "noSignalOrPulse" ? "high" : rule.priority;
  return { event, alertType, direction, priority, text: textOfEpisode(episode, event) };
};

/** An alarm by rule: the qualifying sample, the limit that it crossed, the real onset (clinical.md 1, 7, 15). */
export const factsOfEpisode = (episode: Episode, { who, place, now }: Context): Facts => {
  const { rule, device, channel, metric, subject } = episode;
  const said = eventOfEpisode(episode);
  const { event, direction, alertType } = said;
  return {
    source: "rule",
    ...said,
    device,
    channel,
    metric,
    group: groupOf({ who, device, channel, metric, event, direction, alertType, code: null }),
    subject: subject === device ? null : subject,
    ...standing(place, now),
    onset: episode.start,
    receivedTime: receivedTime(now),
    value: finite(episode.qualifyingValue),
    ucum: episode.ucum,
    lowLimit: rule.when === "below" ? finite(rule.limit) : null,
    highLimit: rule.when === "above" ? finite(rule.limit) : null,
    rule: rule.id,
    ruleVersion: rule.version,
    origin: episode.identity,
    test: false,
    detail: populationNote(rule, ageBandOf(place, now)),
  };
};

const textOfEpisode = ({ metric, qualifyingValue, ucum, rule }: Episode, event: AlarmEventName): string => {
  const { label } = alarmEventOf(event);
  const said = `${displayOf(metric)} ${rounded(qualifyingValue)} ${ucum}`;
  return event === "noSignalOrPulse" ? `${label} (${said})` : `${said}, ${label} of ${rounded(rule.limit)}`;
};

/** Who is not known to be of the rule's population is paged by the unit's default, which are the adult rules (clinical.md 15). */
const populationNote = (rule: Rule, ageBand: Rule["ageBand"] | null): string | null => {
  if (ageBand === rule.ageBand) return null;
  const judged = `judged by the rules for ${population[rule.ageBand]}`;
  return ageBand === null
    ? `age not known: ${judged}`
    : `${judged}, though the patient is not one of them (${ageBand})`;
};

const population: Readonly<Record<Rule["ageBand"], string>> = {
  adult: "adults",
  child: "children",
  neonate: "neonates",
};

const textMost = 300;

/** An alarm as the device reports it. One that nobody has mapped is paged raw (clinical.md 4). */
export const factsOfDevice = (said: DeviceAlarm, { who, place, now }: Context): Facts => {
  const event = said.event !== null && isAlarmEvent(said.event) ? said.event : "unmapped";
  const { device, channel, metric, direction, alertType, code } = said;
  const text = said.text === "" ? code : said.text;
  const stands = standing(place, now);
  return {
    source: "device",
    event,
    alertType,
    direction,
    priority: said.priority,
    device,
    channel,
    metric,
    text: (event === "unmapped" ? `unmapped alarm: ${text}` : text).slice(0, textMost),
    group: groupOf({ who, device, channel, metric, event, direction, alertType, code }),
    subject: said.subject,
    ...stands,
    unit: said.test && stands.unit === unknownUnit ? platformUnit : stands.unit,
    onset: said.eventTime,
    receivedTime: said.receivedTime,
    value: finite(said.value),
    ucum: said.ucum,
    lowLimit: finite(said.lowLimit),
    highLimit: finite(said.highLimit),
    rule: null,
    ruleVersion: null,
    origin: said.identity,
    test: said.test,
    detail: null,
  };
};

/** A condition of ours: nothing usable of a device or of one of its series. */
export interface Technical {
  readonly event: "monitoringLost" | "sensorOff" | "seriesLost";
  readonly device: string;
  readonly channel: string;
  readonly metric: string | null;
  readonly priority: Priority;
  readonly since: EventTime;
  readonly detail: string | null;
}

export const factsOfTechnical = (technical: Technical, { who, place, now }: Context): Facts => {
  const { event, device, channel, metric, priority, since, detail } = technical;
  const { label, alertType, direction } = alarmEventOf(event);
  return {
    source: "technical",
    event,
    alertType,
    direction,
    priority,
    device,
    channel,
    metric,
    text: metric === null ? label : `${label}: ${displayOf(metric)}`,
    group: groupOf({ who, device, channel, metric, event, direction, alertType, code: null }),
    subject: who === device ? null : who,
    ...standing(place, now),
    onset: eventTime(since),
    receivedTime: receivedTime(now),
    ...unmeasured,
    origin: "",
    test: false,
    detail,
  };
};

const displayOf = (metric: string): string => (isMetric(metric) ? metricOf(metric).display : metric);

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

/** As a cell can hold it. */
const finite = (n: number | null): number | null => (n === null || !Number.isFinite(n) ? null : n + 0);
