/** What `thresholds` and `normalise` say to the alarms stage, for tests: of one monitor, one subject and one bed, with everything open to change. */
import type { Alarm, DeviceAlarm, SensorState, StillCrossing } from "../../schemas/records/alert.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import { type Association, type Device, undisputed } from "../../schemas/records/roster.ts";
import type { DeviceState, Episode, SubjectEnded } from "../../schemas/records/telemetry.ts";
import type { AlarmsBody } from "../../schemas/topics.ts";
import { deviceTime, eventTime, logTime, receivedTime } from "../core/time.ts";

export const t0 = 1_800_000_000_000;
export const subject = "subject-1";
/** Seconds after the beginning of the test, in ms of any time. */
export const at = (second: number): number => t0 + second * 1_000;

export const ruleOf = (change: Partial<Rule> & Pick<Rule, "id" | "when" | "limit">): Rule => ({
  version: 1,
  title: change.id,
  metric: "heartRate",
  ucum: "/min",
  clear: null,
  minimumMs: 10_000,
  clearMs: 5_000,
  priority: "medium",
  critical: false,
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain: false,
  approval: { by: "Dr. Amsel", at: t0, demo: false },
  ...change,
});

/** Crossing from `from` on, qualified ten seconds later by `value`. */
export const episodeOf = (rule: Rule, from: number, value: number, more: Partial<Episode> = {}): Episode => ({
  kind: "episode",
  identity: `${rule.id}@${from}`,
  revision: 0,
  phase: "start",
  subject,
  association: "a-1",
  associationRevision: 1,
  device: "mon-1",
  channel: "ecg",
  metric: rule.metric,
  mdc: null,
  loinc: null,
  ucum: rule.ucum,
  rule,
  rulesVersion: 1,
  start: eventTime(at(from)),
  end: null,
  qualifyingValue: value,
  qualifyingAt: eventTime(at(from + 10)),
  qualifyingIdentity: "q",
  qualifyingValidity: "valid",
  clockUncertaintyMs: 2_000,
  companions: [],
  extreme: value,
  min: value,
  max: value,
  mean: value,
  count: 10,
  ended: null,
  late: false,
  ...more,
});
export const endOf = (start: Episode, to: number, ended = "cleared"): Episode => ({
  ...start,
  revision: 1,
  phase: "end",
  end: eventTime(at(to)),
  ended,
});
export const still = (episode: Episode, second: number, why: StillCrossing["why"], value = 130): StillCrossing => ({
  kind: "stillCrossing",
  episode: episode.identity,
  subject,
  device: episode.device,
  why,
  value,
  at: eventTime(at(second)),
  receivedTime: receivedTime(at(second)),
});
export const stateOf = (state: DeviceState["state"], second: number, more: Partial<DeviceState> = {}): DeviceState => ({
  kind: "deviceState",
  device: "mon-1",
  subject,
  bed: "4",
  unit: "ICU",
  state,
  clock: "sound",
  clockOffsetMs: 0,
  since: logTime(at(second)),
  detail: state === "streaming" ? null : "no usable measurement for 10 s",
  ...more,
});
/** As the roster has it. */
export const monitorOf = (more: Partial<Device> = {}): Device => ({
  kind: "device",
  device: "mon-1",
  model: "test-monitor",
  serial: null,
  unit: "ICU",
  clockUncertaintyMs: 2_000,
  silentAfterMs: 10_000,
  version: 1,
  ...more,
});
export const link = (more: Partial<Association> = {}): Association => ({
  kind: "association",
  ...undisputed,
  id: "a-1",
  revision: 1,
  device: "mon-1",
  subject,
  patientKey: "p-1",
  bed: "4",
  unit: "ICU",
  ageBand: "adult",
  from: at(-3_600),
  to: null,
  confirmedBy: "Nurse Birke",
  confirmedAt: at(-3_600),
  assertedBy: "Nurse Birke",
  ...more,
});
export const deviceAlarm = (second: number, more: Partial<DeviceAlarm> = {}): DeviceAlarm => ({
  kind: "deviceAlarm",
  identity: `da@${second}`,
  why: "begins",
  subject,
  association: "a-1",
  associationRevision: 1,
  device: "mon-1",
  channel: "ecg",
  event: "asystole",
  code: "ASYS",
  text: "ASYSTOLE",
  metric: null,
  direction: "none",
  alertType: "physiological",
  priority: "high",
  present: true,
  signal: "active",
  inactivation: "enabled",
  value: null,
  ucum: null,
  lowLimit: null,
  highLimit: null,
  deviceTime: deviceTime(at(second)),
  receivedTime: receivedTime(at(second)),
  eventTime: eventTime(at(second)),
  saidAt: eventTime(at(second)),
  test: false,
  ...more,
});

export const sensorOf = (
  state: SensorState["state"],
  second: number,
  more: Partial<SensorState> = {},
): SensorState => ({
  kind: "sensorState",
  subject,
  device: "mon-1",
  channel: "ecg",
  metric: "heartRate",
  state,
  since: eventTime(at(second)),
  evidence: state === "sensorOff" ? "lead off" : null,
  receivedTime: receivedTime(at(second)),
  ...more,
});
export const leftAt = (second: number): SubjectEnded => ({
  kind: "subjectEnded",
  subject,
  device: "mon-1",
  at: eventTime(at(second)),
});

interface Told {
  outputs(to: "alarms"): readonly { readonly body: AlarmsBody }[];
}

/** The alarms that a driven stage told, in order. */
export const alarmsOf = (driven: Told): Alarm[] =>
  driven
    .outputs("alarms")
    .map(({ body }) => body)
    .filter((body): body is Alarm => body.kind === "alarm");

/** As "high #0 start current". */
export const inShort = (driven: Told): string[] =>
  alarmsOf(driven).map((a) => `${a.event} #${a.instance} ${a.phase} ${a.timeliness}`);
