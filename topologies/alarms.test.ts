/** Alarms by rule: from an episode's beginning to its end, over gaps, late data and new versions. */
import { describe, expect, it } from "vitest";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { alarmsOf, at, endOf, inShort, episodeOf, link, ruleOf, stateOf, still, subject } from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";

const high = ruleOf({ id: "hr-high", when: "above", limit: 120 });
const low = ruleOf({ id: "hr-low", when: "below", limit: 50 });
const zero = ruleOf({ id: "hr-zero", when: "indeterminateZero", limit: 0, priority: "low" });
const shadow = ruleOf({ id: "hr-shadow", when: "above", limit: 120, approval: null });

/** A ward in which mon-1 streams from bed 4. */
const ward = () => {
  const d = drive(alarms);
  d.send(subject, at(-60), link());
  d.send(subject, at(-59), stateOf("streaming", -59));
  return d;
};
describe("an approved rule", () => {
  it("becomes an alarm with value, limit, real onset, and a bed whose age is told", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(40), endOf(start, 30));
    const [begun, over] = alarmsOf(d);
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
    expect(new Set(alarmsOf(d).map(({ identity }) => identity)).size).toBe(3);
  });

  it("in shadow makes none", () => {
    const d = ward();
    const start = episodeOf(shadow, 0, 140);
    d.send(subject, at(10), start);
    d.send(subject, at(15), still(start, 15, "afterGap"));
    d.send(subject, at(20), endOf(start, 19));
    expect(alarmsOf(d)).toEqual([]);
    expect(d.refusals()).toEqual([]);
  });

  it("for a zero that nothing explains is high, whatever the rule says, and says: check the patient", () => {
    const d = ward();
    d.send(subject, at(10), episodeOf(zero, 0, 0));
    expect(alarmsOf(d)).toMatchObject([
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
    const [first, lost, makesWay, again] = alarmsOf(d);
    expect(lost).toMatchObject({ priority: "high", alertType: "technical", detail: "no usable measurement for 10 s" });
    expect(makesWay).toMatchObject({ identity: first?.identity, end: null, present: false });
    expect(again).toMatchObject({ onset: at(0), value: 135, present: true });
    expect(again?.identity).not.toBe(first?.identity);
  });

  it("is not over by a late sample, but by the first that is of now", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(600), still(start, 300, "afterGap"));
    expect(inShort(d)).toEqual(["high #0 start current"]);
    d.send(subject, at(610), still(start, 610, "current"));
    expect(inShort(d).slice(1)).toEqual(["high #0 end current", "high #1 start current"]);
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
    expect(alarmsOf(d).at(1)).toMatchObject({ onset: at(-14_000), end: at(-13_000), present: false });
    expect(alarmsOf(d).at(3)).toMatchObject({ onset: at(-7_000), value: 41, revision: 1, present: true });
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
    expect(alarmsOf(d).at(-1)?.detail).toBe("came late and is not known to be over");
  });
});

describe("readings that were stored and came after later ones", () => {
  const stored = episodeOf(high, 0, 131, { late: true });

  it("become one delayed item, whatever is open now and whatever happens to the device meanwhile", () => {
    const d = ward();
    d.send(subject, at(600), episodeOf(high, 590, 140));
    d.send(subject, at(601), stored);
    d.send(subject, at(602), stateOf("silent", 602));
    d.send(subject, at(603), stateOf("streaming", 603, { bed: "5" }));
    d.send(subject, at(660), endOf(stored, 60, "the stored readings end here"));
    const ofStored = alarmsOf(d).filter(({ origin }) => origin === stored.identity);
    expect(ofStored.map(({ timeliness }) => timeliness)).toEqual(["late", "late", "over"]);
    expect(ofStored.at(-1)).toMatchObject({ phase: "end", onset: at(0), end: at(60), bed: "5" });
    const ofNow = alarmsOf(d).filter(({ origin, source }) => source === "rule" && origin !== stored.identity);
    expect(ofNow.every(({ present }) => present)).toBe(true);
    expect(d.refusals()).toEqual([]);
  });

  it("are as late where they came within a minute", () => {
    const d = ward();
    d.send(subject, at(30), stored);
    d.send(subject, at(40), endOf(stored, 25, "the stored readings end here"));
    expect(alarmsOf(d).map(({ timeliness }) => timeliness)).toEqual(["late", "over"]);
  });

  it("of a device that left are told to the unit where it stood", () => {
    const d = ward();
    d.send(subject, at(100), { kind: "subjectEnded", subject, device: "mon-1", at: eventTime(at(100)) });
    d.send(subject, at(700), stored);
    d.tick(at(702));
    d.send(subject, at(712), endOf(stored, 60, "the stored readings end here"));
    expect(alarmsOf(d).map(({ timeliness, unit }) => `${timeliness} ${unit}`)).toEqual(["late ICU", "over ICU"]);
    expect(d.refusals()).toEqual([]);
  });
});

describe("a new version of a rule whose alarm is open", () => {
  const start = episodeOf(high, 0, 131);

  it("raises nothing again; a higher priority of it escalates, and what it changes is told", () => {
    const d = ward();
    d.send(subject, at(10), start);
    const rule = { ...high, version: 2, limit: 125, priority: "high" as const };
    d.send(subject, at(20), { ...start, revision: 1, rule });
    d.send(subject, at(21), { ...start, revision: 1, rule });
    d.send(subject, at(40), { ...endOf(start, 30), revision: 2, rule });
    expect(
      alarmsOf(d).map(({ phase, instance, priority, highLimit }) => [phase, instance, priority, highLimit]),
    ).toEqual([
      ["start", 0, "medium", 120],
      ["escalate", 0, "high", 125],
      ["end", 0, "high", 125],
    ]);
  });

  it("that only has another version is an update, with the value that was told last", () => {
    const d = ward();
    d.send(subject, at(10), start);
    d.send(subject, at(50), still(start, 50, "afterGap", 139));
    d.send(subject, at(60), { ...start, revision: 1, rule: { ...high, version: 2 } });
    expect(alarmsOf(d).at(-1)).toMatchObject({ phase: "update", ruleVersion: 2, value: 139, onset: at(0) });
  });
});
