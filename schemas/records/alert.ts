/**
 * What the alert circuit's topics carry, and what devices and series say that only it needs: from a device's own alarm to the notification
 * that a person gets (clinical.md 4 to 7, 12 to 18). One declaration gives the Avro schema and the TypeScript type.
 */
import {
  array,
  body,
  boolean,
  deviceTime,
  double,
  eventTime,
  instant,
  int,
  logTime,
  long,
  nullable,
  oneOf,
  receivedTime,
  record,
  string,
  type TypeOf,
  withDefault,
} from "../avro.ts";
import { priority } from "../priority.ts";

export const alarmDirection = oneOf("AlarmDirection", "high", "low", "none");
export type AlarmDirection = TypeOf<typeof alarmDirection>;

/** IHE PCD-04 alert type: SP physiological, ST technical, SA advisory. */
export const alertType = oneOf("AlertType", "physiological", "technical", "advisory");
export type AlertType = TypeOf<typeof alertType>;

/** PCD-04 facet 68483. A pause expires; off stays visible until it is enabled again (clinical.md 12). */
export const inactivation = oneOf(
  "Inactivation",
  "enabled",
  "audioPaused",
  "audioOff",
  "alarmPaused",
  "alarmOff",
  "acknowledged",
);
export type Inactivation = TypeOf<typeof inactivation>;

/** PCD-04 facet 68482. */
export const signalState = oneOf("SignalState", "active", "latched", "inactive");
export type SignalState = TypeOf<typeof signalState>;

// ---- telemetry.vitals and telemetry.episodes: what devices and series say about alarms ----

/** A device's own alarm, said when it begins, changes or ends, and said again after a gap in which nothing was heard of the device. */
export const deviceAlarm = body("deviceAlarm", {
  /** Over the device, channel, code, direction and the time it was claimed to begin: the same after a redelivery. */
  identity: string,
  /**
   * begins · changes (event, text, priority, signal, inactivation) · ends · afterGap: still there after a gap in what the device says of its
   * alarms · current: still there by the first reading that came in time, where what was said before came late (clinical.md 5, 7).
   */
  why: oneOf("DeviceAlarmWhy", "begins", "changes", "ends", "afterGap", "current"),
  subject: nullable(string),
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  channel: string,
  /** A key of schemas/alarm-events.ts; null where the device's code is mapped to none: paged raw (clinical.md 4). */
  event: nullable(string),
  /** As the device names it. */
  code: string,
  text: string,
  metric: nullable(string),
  direction: alarmDirection,
  alertType,
  /** As the device says; high where it says none. */
  priority,
  present: boolean,
  signal: signalState,
  inactivation,
  value: nullable(double),
  ucum: nullable(string),
  lowLimit: nullable(double),
  highLimit: nullable(double),
  /** As claimed, where it was: of `eventTime`. */
  deviceTime: nullable(deviceTime),
  receivedTime,
  /** When it began, or, where it is not present, ended. */
  eventTime,
  /** When the reading that says so was made. Late is what was received more than 60 s after this, however old its onset is (clinical.md 7). */
  saidAt: eventTime,
  /** Only from the platform's own topic (clinical.md 17): what a device marks as test is an alarm like any other. */
  test: boolean,
});
export type DeviceAlarm = TypeOf<typeof deviceAlarm>;

/** Whether a series can be judged at all; said when that changes. */
export const sensorState = body("sensorState", {
  subject: string,
  device: string,
  channel: string,
  metric: string,
  /** silent: the device is heard, this series is not. */
  state: oneOf("SensorStanding", "usable", "sensorOff", "invalid", "silent"),
  since: eventTime,
  evidence: nullable(string),
  receivedTime,
});
export type SensorState = TypeOf<typeof sensorState>;

/** An open episode is still true: after a gap of its series, or at the first current sample where its start came late (clinical.md 5, 7). */
export const stillCrossing = body("stillCrossing", {
  episode: string,
  subject: string,
  device: string,
  why: oneOf("StillCrossingWhy", "afterGap", "current"),
  value: double,
  at: eventTime,
  receivedTime,
});
export type StillCrossing = TypeOf<typeof stillCrossing>;

// ---- alert.alarms, keyed by unit: the alarms stage, and what people and hops say ----

/** One alarm at one moment of its life. Condition and signal are told here, responsibility is the page's. */
export const alarm = body("alarm", {
  /** Over device, channel path, event, direction and instance (clinical.md 13). */
  identity: string,
  /** From 0; minted at every absent-to-present edge and every re-raise. */
  instance: int,
  /** From 0, within the instance. */
  revision: int,
  /** PCD-04 facet 68481. `start` again with a new instance is a re-raise. */
  phase: oneOf("AlarmPhase", "start", "continue", "update", "escalate", "deescalate", "end", "reset"),
  source: oneOf("AlarmSource", "rule", "device", "technical"),
  /** A key of schemas/alarm-events.ts; "unmapped" where a device's code has none. */
  event: string,
  alertType,
  direction: alarmDirection,
  priority,
  device: string,
  channel: string,
  metric: nullable(string),
  /** What people read, without any name. */
  text: string,
  /** Alarms of one subject, source metric and direction, ours and the device's, are one page. */
  group: string,
  subject: nullable(string),
  unit: string,
  bed: nullable(string),
  /** Since when the device is known to stand at that bed; null where nobody said. */
  bedSince: nullable(instant),
  bedConfirmed: boolean,
  onset: eventTime,
  /** Null in an `end` that only makes way for the next instance (raised again after a gap, moved to another unit): the condition is still there. */
  end: nullable(eventTime),
  /** Of the reading that raised or changed it. */
  receivedTime,
  present: boolean,
  signal: signalState,
  inactivation,
  /** current: pages now · late: began more than 60 s before it came and may be over: pages nobody yet · over: ended before anybody was paged: one delayed item (clinical.md 7). */
  timeliness: oneOf("Timeliness", "current", "late", "over"),
  value: nullable(double),
  ucum: nullable(string),
  lowLimit: nullable(double),
  highLimit: nullable(double),
  rule: nullable(string),
  ruleVersion: nullable(int),
  /** The episode's or device alarm's identity; empty for a technical condition of ours. */
  origin: string,
  test: boolean,
  detail: nullable(string),
});
export type Alarm = TypeOf<typeof alarm>;

/** What a person says to a page. Refused where the page does not exist or nobody says it. */
export const answer = body("answer", {
  id: string,
  page: string,
  who: string,
  what: oneOf("AnswerWhat", "accept", "reject", "reset"),
  at: instant,
  /** webhook, mqtt, command line. */
  via: string,
});
export type Answer = TypeOf<typeof answer>;

/**
 * A named person's word that nothing is to be expected of a device until a time: only monitoring lost is held back by it, never what a rule or
 * the device itself alarms (clinical.md 5). Another one of the same device takes its place; one whose `to` has come ends it.
 */
export const standby = body("standby", {
  id: string,
  device: string,
  unit: string,
  bed: nullable(string),
  by: string,
  reason: string,
  from: instant,
  to: instant,
  via: string,
});
export type Standby = TypeOf<typeof standby>;

/** What became of a notification at one notifier: an undeliverable one redirects at once. */
export const notified = body("notified", {
  notification: string,
  page: string,
  recipient: string,
  notifier: string,
  outcome: oneOf("NotifiedOutcome", "confirmed", "failed"),
  detail: string,
  at: instant,
});
export type Notified = TypeOf<typeof notified>;

/** A part of the platform went away or came back, as the circuit sees it; its page goes to the platform's own unit. */
export const hop = body("hop", {
  /** broker, circuit, notifier/<name>, kafka, configuration, ... */
  hop: string,
  up: boolean,
  since: instant,
  detail: string,
});
export type Hop = TypeOf<typeof hop>;

/** An episode as the telemetry plane saw it: matched to the circuit's alarms, paged only where the circuit has none (clinical.md 13). */
export const reported = body("reported", {
  episode: string,
  device: string,
  channel: string,
  metric: string,
  event: string,
  direction: alarmDirection,
  priority,
  unit: string,
  text: string,
  start: eventTime,
  end: nullable(eventTime),
  subject: nullable(string),
});
export type Reported = TypeOf<typeof reported>;

// ---- the policy: who is told, in which order; broadcast on alert.alarms ----

const recipient = record("Recipient", {
  id: string,
  /** nurse, chargeNurse, physician, clinicalEngineering, display, ... */
  role: string,
  /** False: outside the trust boundary, and told only "alarm in unit X, open the app" (clinical.md 18). */
  inside: boolean,
  /** Never a person's device: receives heartbeats and tests only. */
  test: boolean,
  addresses: array(record("Address", { notifier: string, to: string })),
});
export type Recipient = TypeOf<typeof recipient>;

const step = record("EscalationStep", {
  /** Recipient ids, or "@bed": whoever is assigned to the bed on this shift. */
  to: array(string),
  /** How long without an accept before the next step; at most 60 s for high. */
  acceptWithinMs: long,
});
export type EscalationStep = TypeOf<typeof step>;

const schedule = record("Schedule", {
  priorities: array(priority),
  /** Minutes of the unit's local day, [from, to); to below from runs over midnight; equal: all day. */
  fromMinute: int,
  toMinute: int,
  /** A named chain of the policy. */
  chain: string,
});

const chain = record("Chain", {
  name: string,
  steps: array(step),
  /** Another chain to go on with before the last resort; null: none. */
  continuesWith: nullable(string),
});

const unitPolicy = record("UnitPolicy", {
  unit: string,
  /** Minutes that local time is ahead of UTC, before the first of `offsets`. */
  utcOffsetMinutes: int,
  /** When that changes, ascending: summer time, as the zone's own rules say at the time when the policy was announced. */
  offsets: withDefault(array(record("UtcOffset", { from: instant, minutes: int })), []),
  schedules: array(schedule),
  /** Who is told in the end, again and again until somebody accepts. */
  lastResort: record("LastResort", { to: array(string), repeatMs: long }),
  /** Present and accepted for longer than this notifies again (clinical.md 12). */
  remindAcceptedMs: long,
  /** By bed: recipients on shift now. */
  assignments: array(record("Assignment", { bed: string, to: array(string) })),
});
export type UnitPolicy = TypeOf<typeof unitPolicy>;

/** The whole escalation policy in force from a version on. The unit named `*` is for every other unit; `platform` is for the platform's own alarms. */
export const policy = body("policy", {
  version: int,
  effectiveFrom: logTime,
  recipients: array(recipient),
  chains: array(chain),
  units: array(unitPolicy),
});
export type Policy = TypeOf<typeof policy>;

// ---- alert.notifications, keyed by unit: the paging stage ----

/** What one recipient is to be told once. Equal identities are one notification, however often it is sent. */
export const notification = body("notification", {
  /** Over the page's alarms, phase, priority, escalation step, recipient and attempt (clinical.md 13). */
  identity: string,
  page: string,
  /** The alarms it is about, the gravest first. */
  alarms: array(string),
  what: oneOf("NotificationWhat", "alarm", "reminder", "delayed", "ended", "test"),
  /** Of the gravest alarm, from here to `highLimit`. */
  phase: oneOf("NotificationPhase", "start", "continue", "update", "escalate", "deescalate", "end", "reset"),
  priority,
  alertType,
  event: string,
  direction: alarmDirection,
  device: string,
  channel: string,
  metric: nullable(string),
  text: string,
  onset: eventTime,
  end: nullable(eventTime),
  signal: signalState,
  inactivation,
  value: nullable(double),
  ucum: nullable(string),
  lowLimit: nullable(double),
  highLimit: nullable(double),
  unit: string,
  bed: nullable(string),
  bedSince: nullable(instant),
  bedConfirmed: boolean,
  /** For one loss that concerns several: every bed that nobody watches now. */
  beds: array(string),
  recipient: string,
  inside: boolean,
  addresses: array(record("NotificationAddress", { notifier: string, to: string })),
  /** 0 is the first; the last resort is the number of steps. */
  step: int,
  /** How often this recipient was told at this step of this page before: the last resort's repeats, reminders, news. */
  attempt: int,
  lastResort: boolean,
  /** Of the reading that raised it: how long the circuit took is `at` minus this. */
  receivedTime,
  at: logTime,
});
export type Notification = TypeOf<typeof notification>;

const responsibility = record("Responsibility", {
  recipient: string,
  /** clinical.md 12: three answers that are not the same. */
  state: oneOf("ResponsibilityState", "pending", "accepted", "rejected", "noAnswer", "undeliverable"),
  since: logTime,
});
export type Responsibility = TypeOf<typeof responsibility>;

/** A page as it stands: what `afferent alarms` lists, what the audit checks and the board shows. */
export const page = body("page", {
  identity: string,
  revision: int,
  unit: string,
  bed: nullable(string),
  /** As an alarm's: how old the knowledge of the bed is, and whether a named person vouches for it. */
  bedSince: nullable(instant),
  bedConfirmed: boolean,
  device: string,
  event: string,
  alertType,
  text: string,
  priority,
  onset: eventTime,
  alarms: array(string),
  /** escalating: somebody has to accept · accepted · over: its condition ended, or it was reset. */
  state: oneOf("PageState", "escalating", "accepted", "over"),
  latched: boolean,
  step: int,
  lastResort: boolean,
  /** When somebody is told again unless somebody accepts: later than this by more than the slack, the circuit is not well. */
  nextAt: nullable(logTime),
  acceptedBy: nullable(string),
  responsibilities: array(responsibility),
  raisedAt: logTime,
  overAt: nullable(logTime),
  test: boolean,
});
export type Page = TypeOf<typeof page>;

/** A mode of partial degradation (degradation-table.ts) was entered or left: an event of its own, whoever else is told of the part. */
export const mode = body("mode", {
  mode: string,
  /** The one notifier, address or unit; null where there is but one of the part. */
  which: nullable(string),
  entered: boolean,
  /** When the part went away, or came back. */
  since: instant,
  priority,
  /** What displays show while it is in force; null: nothing changes for clinicians. */
  banner: nullable(string),
  at: logTime,
});
export type ModeEvent = TypeOf<typeof mode>;
