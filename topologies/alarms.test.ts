import { describe, expect, it } from "vitest";
import type { Alarm, DeviceAlarm, StillCrossing } from "../schemas/alert-records.ts";
import type { Association, DeviceState, Episode, Rule } from "../schemas/records.ts";
import { deviceTime, eventTime, logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { alarms } from "./alarms.ts";

const t0 = 1_800_000_000_000;
const subject = "subject-1";
const at = (second: number): number => t0 + second * 1_000;

const ruleOf = (change: Partial<Rule> & Pick<Rule, "id" | "when" | "limit">): Rule => ({
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
const high = ruleOf({ id: "hr-high", when: "above", limit: 120 });
const low = ruleOf({ id: "hr-low", when: "below", limit: 50 });
const zero = ruleOf({ id: "hr-zero", when: "indeterminateZero", limit: 0, priority: "low" });
const shadow = ruleOf({ id: "hr-shadow", when: "above", limit: 120, approval: null });

/** Crossing from `from` on, qualified ten seconds later by `value`. */
const episodeOf = (rule: Rule, from: number, value: number, more: Partial<Episode> = {}): Episode => ({
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
  extreme: value,
  min: value,
  max: value,
  mean: value,
  count: 10,
  ended: null,
  ...more,
});
const endOf = (start: Episode, to: number, ended = "cleared"): Episode => ({
  ...start,
  revision: 1,
  phase: "end",
  end: eventTime(at(to)),
  ended,
});
const still = (episode: Episode, second: number, why: StillCrossing["why"], value = 130): StillCrossing => ({
  kind: "stillCrossing",
  episode: episode.identity,
  subject,
  device: episode.device,
  why,
  value,
  at: eventTime(at(second)),
  receivedTime: receivedTime(at(second)),
});
const stateOf = (state: DeviceState["state"], second: number, more: Partial<DeviceState> = {}): DeviceState => ({
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
const link = (more: Partial<Association> = {}): Association => ({
  kind: "association",
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
const deviceAlarm = (second: number, more: Partial<DeviceAlarm> = {}): DeviceAlarm => ({
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

/** A ward in which mon-1 streams from bed 4. */
const ward = () => {
  const d = drive(alarms);
  d.send(subject, at(-60), link());
  d.send(subject, at(-59), stateOf("streaming", -59));
  return d;
};
type Ward = ReturnType<typeof ward>;
const told = (d: Ward): Alarm[] =>
  d
    .outputs("alarms")
    .map(({ body }) => body)
    .filter((b): b is Alarm => b.kind === "alarm");
const inShort = (d: Ward): string[] => told(d).map((a) => `${a.event} #${a.instance} ${a.phase} ${a.timeliness}`);

describe("an approved rule", () => {
  it("becomes an alarm with value, limit, real onset, and a bed whose age is told", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(40), endOf(start, 30));
    const [begun, over] = told(d);
    expect(begun).toMatchObject({
      phase: "start",
      source: "rule",
      event: "high",
      direction: "high",
      priority: "medium",
      text: "Heart rate (ECG) 131 /min, above its limit of 120",
      unit: "ICU",
      bed: "4",
      bedSince: at(-3_600),
      bedConfirmed: true,
      onset: at(0),
      end: null,
      present: true,
      signal: "active",
      inactivation: "enabled",
      timeliness: "current",
      value: 131,
      ucum: "/min",
      lowLimit: null,
      highLimit: 120,
      rule: "hr-high",
      ruleVersion: 1,
      origin: start.identity,
      test: false,
      detail: null,
      revision: 0,
    });
    expect(over).toMatchObject({
      identity: begun?.identity,
      phase: "end",
      present: false,
      signal: "inactive",
      end: at(30),
      revision: 1,
    });
    expect(d.outputs("alarms").map(({ key }) => key)).toEqual(["ICU", "ICU"]);
  });

  it("above its limit, below it, and above again within a minute is three alarms", () => {
    const d = ward();
    const first = episodeOf(high, 0, 130);
    const second = episodeOf(low, 15, 44);
    const third = episodeOf(high, 32, 133);
    d.send(subject, at(10), first);
    d.send(subject, at(14), endOf(first, 13));
    d.send(subject, at(25), second);
    d.send(subject, at(31), endOf(second, 30));
    d.send(subject, at(42), third);
    expect(inShort(d)).toEqual([
      "high #0 start current",
      "high #0 end current",
      "low #0 start current",
      "low #0 end current",
      "high #1 start current",
    ]);
    expect(new Set(told(d).map(({ identity }) => identity)).size).toBe(3);
  });

  it("in shadow makes none", () => {
    const d = ward();
    const start = episodeOf(shadow, 0, 140);
    d.send(subject, at(10), start);
    d.send(subject, at(15), still(start, 15, "afterGap"));
    d.send(subject, at(20), endOf(start, 19));
    expect(told(d)).toEqual([]);
    expect(d.refusals()).toEqual([]);
  });

  it("for a zero that nothing explains is high, whatever the rule says, and says: check the patient", () => {
    const d = ward();
    d.send(subject, at(10), episodeOf(zero, 0, 0));
    expect(told(d)).toMatchObject([
      {
        event: "noSignalOrPulse",
        priority: "high",
        value: 0,
        text: "no signal or no pulse: check the patient (Heart rate (ECG) 0 /min)",
      },
    ]);
  });

  it("repeated word for word changes nothing", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(10), start);
    d.send(subject, at(40), endOf(start, 30));
    d.send(subject, at(40), endOf(start, 30));
    d.send(subject, at(40), start);
    expect(inShort(d)).toEqual(["high #0 start current", "high #0 end current"]);
  });
});

describe("a gap", () => {
  it("ends nothing; what is there after it is raised again, and the instance before makes way without having ended", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(30), stateOf("silent", 30));
    d.send(subject, at(50), still(start, 50, "afterGap", 135));
    d.send(subject, at(50), stateOf("streaming", 50));
    expect(inShort(d)).toEqual([
      "high #0 start current",
      "monitoringLost #0 start current",
      "high #0 end current",
      "high #1 start current",
      "monitoringLost #0 end current",
    ]);
    const [first, lost, makesWay, again] = told(d);
    expect(lost).toMatchObject({ priority: "high", alertType: "technical", detail: "no usable measurement for 10 s" });
    expect(makesWay).toMatchObject({ identity: first?.identity, end: null, present: false });
    expect(again).toMatchObject({ onset: at(0), value: 135, present: true });
    expect(again?.identity).not.toBe(first?.identity);
  });

  it("is not over because a late sample of it says so", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(600), still(start, 300, "afterGap"));
    expect(inShort(d)).toEqual(["high #0 start current"]);
  });
});

describe("what comes late", () => {
  it("pages nobody: over by then it is one delayed item, still true it is current with its real onset", () => {
    const d = ward();
    const over = episodeOf(high, -14_000, 140);
    const open = episodeOf(low, -7_000, 40);
    d.send(subject, at(0), over);
    d.send(subject, at(0), endOf(over, -13_000));
    d.send(subject, at(1), open);
    d.send(subject, at(2), still(open, 2, "current", 41));
    expect(inShort(d)).toEqual(["high #0 start late", "high #0 end over", "low #0 start late", "low #0 start current"]);
    expect(told(d).at(1)).toMatchObject({ onset: at(-14_000), end: at(-13_000), present: false });
    expect(told(d).at(3)).toMatchObject({ onset: at(-7_000), value: 41, revision: 1, present: true });
  });

  it("is told by the sample that completed it, not by an onset that lies a quarter of an hour back", () => {
    const d = ward();
    d.send(subject, at(0), episodeOf(high, -900, 131, { qualifyingAt: eventTime(at(0)) }));
    expect(inShort(d)).toEqual(["high #0 start current"]);
  });

  it("and then nothing more is heard: it pages, for nobody knows that it is over", () => {
    const d = ward();
    d.send(subject, at(0), episodeOf(high, -600, 140));
    d.send(subject, at(10), stateOf("silent", 10));
    expect(inShort(d)).toEqual(["high #0 start late", "monitoringLost #0 start current", "high #0 start current"]);
    expect(told(d).at(-1)?.detail).toBe("came late and is not known to be over");
  });
});

describe("a device's own alarm", () => {
  it("shares a group with our rule on the same source and direction, and neither hides the other", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(10), episodeOf(low, 0, 30));
    d.send(subject, at(10), episodeOf(high, 0, 130));
    const [device, rule, other] = told(d);
    expect([device?.source, rule?.source]).toEqual(["device", "rule"]);
    expect(device?.group).toBe(rule?.group);
    expect(other?.group).not.toBe(rule?.group);
  });
});
