/** Devices' own alarms: instances, silence at the bedside, what comes late, and the page that they share with a rule. */
import { describe, expect, it } from "vitest";
import type { DeviceAlarm } from "../schemas/records/alert.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import {
  alarmsOf,
  at,
  deviceAlarm,
  endOf,
  episodeOf,
  inShort,
  link,
  ruleOf,
  stateOf,
  subject,
} from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";

const high = ruleOf({ id: "hr-high", when: "above", limit: 120 });
const low = ruleOf({ id: "hr-low", when: "below", limit: 50 });
const zero = ruleOf({ id: "hr-zero", when: "indeterminateZero", limit: 0 });

/** mon-1 streams from bed 4. */
const ward = () => {
  const d = drive(alarms);
  d.send(subject, at(-60), link());
  d.send(subject, at(-59), stateOf("streaming", -59));
  return d;
};

/** A later word about the alarm that `deviceAlarm(1)` began. */
const later = (second: number, why: DeviceAlarm["why"], more: Partial<DeviceAlarm> = {}): DeviceAlarm => ({
  ...deviceAlarm(1),
  why,
  saidAt: eventTime(at(second)),
  ...more,
});
const over = (second: number, more: Partial<DeviceAlarm> = {}): DeviceAlarm =>
  later(second, "ends", { present: false, signal: "inactive", eventTime: eventTime(at(second)), ...more });

describe("a device's own alarm", () => {
  it("is told as the device says it, from its begin to its end", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1, { value: 0, ucum: "/min", lowLimit: 40, priority: "medium" }));
    d.send(subject, at(20), over(20));
    expect(inShort(d)).toEqual(["asystole #0 start current", "asystole #0 end current"]);
    expect(alarmsOf(d)).toMatchObject([
      {
        source: "device",
        text: "ASYSTOLE",
        priority: "medium",
        unit: "ICU",
        bed: "4",
        onset: at(1),
        value: 0,
        lowLimit: 40,
        rule: null,
        origin: "da@1",
        present: true,
      },
      { end: at(20), present: false, signal: "inactive" },
    ]);
  });

  it("shares a group with our rule on the same source and direction, and neither hides the other", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(10), episodeOf(low, 0, 30));
    d.send(subject, at(10), episodeOf(zero, 0, 0));
    d.send(subject, at(10), episodeOf(high, 0, 130));
    d.send(subject, at(11), deviceAlarm(11, { code: "TACHY", event: "extremeTachycardia" }));
    const [asystole, bradycardia, nothing, tachycardia, devices] = alarmsOf(d).map(({ group }) => group);
    expect(alarmsOf(d)).toHaveLength(5);
    expect([bradycardia, nothing]).toEqual([asystole, asystole]);
    expect(devices).toBe(tachycardia);
    expect(tachycardia).not.toBe(asystole);
  });

  it("that nobody has mapped is paged raw, as high as the device says or high, and alone", () => {
    const d = ward();
    const unmapped = { event: null, channel: "vent", code: "E-77", text: "Vaporizer" };
    d.send(subject, at(1), deviceAlarm(1, unmapped));
    d.send(subject, at(1), deviceAlarm(1, { ...unmapped, identity: "other", code: "E-78", priority: "low" }));
    d.send(subject, at(1), deviceAlarm(1, { ...unmapped, identity: "newer", code: "E-79", event: "inventedLater" }));
    expect(alarmsOf(d)).toMatchObject([
      { event: "unmapped", text: "unmapped alarm: Vaporizer", priority: "high", bed: "4" },
      { event: "unmapped", priority: "low" },
      { event: "unmapped", priority: "high" },
    ]);
    expect(new Set(alarmsOf(d).map(({ group }) => group)).size).toBe(3);
  });

  it("that becomes graver escalates, less grave de-escalates, and says so as one instance", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1, { priority: "low" }));
    d.send(subject, at(2), later(2, "changes", { priority: "high" }));
    d.send(subject, at(3), later(3, "changes", { priority: "medium" }));
    d.send(subject, at(4), later(4, "changes", { priority: "medium", text: "ASYSTOLE > 10 s" }));
    expect(alarmsOf(d).map((a) => `${a.phase} ${a.priority} ${a.revision}`)).toEqual([
      "start low 0",
      "escalate high 1",
      "deescalate medium 2",
      "update medium 3",
    ]);
    expect(new Set(alarmsOf(d).map(({ identity }) => identity)).size).toBe(1);
  });

  it("is raised again after a gap, whether it is unchanged or came back graver", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1, { priority: "medium" }));
    d.send(subject, at(20), stateOf("silent", 20));
    d.send(subject, at(40), later(40, "changes", { priority: "high" }));
    d.send(subject, at(40), stateOf("streaming", 40));
    d.send(subject, at(90), later(90, "afterGap", { priority: "high" }));
    expect(inShort(d)).toEqual([
      "asystole #0 start current",
      "monitoringLost #0 start current",
      "asystole #0 end current",
      "asystole #1 start current",
      "monitoringLost #0 end current",
      "asystole #1 end current",
      "asystole #2 start current",
    ]);
    expect(alarmsOf(d).at(-1)).toMatchObject({ priority: "high", onset: at(1) });
  });

  it("that began again without its end having been heard is another instance", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(30), deviceAlarm(30));
    expect(inShort(d)).toEqual(["asystole #0 start current", "asystole #0 end current", "asystole #1 start current"]);
  });

  it("said twice word for word changes nothing, and neither does an end of what is not open", () => {
    const d = ward();
    for (const word of [deviceAlarm(1), later(5, "afterGap"), over(9)]) {
      d.send(subject, at(10), word);
      d.send(subject, at(10), word);
    }
    d.send(subject, at(10), deviceAlarm(1));
    expect(inShort(d)).toEqual([
      "asystole #0 start current",
      "asystole #0 end current",
      "asystole #1 start current",
      "asystole #1 end current",
    ]);
    expect(d.refusals()).toEqual([]);
    d.send(subject, at(11), over(11, { identity: "never heard of" }));
    expect(d.refusals()).toMatchObject([{ reason: "alarm-not-open" }]);
  });

  it("whose clock was set back in between still escalates and ends", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1, { priority: "low" }));
    d.send(subject, at(2), later(-5, "changes", { priority: "high" }));
    d.send(subject, at(3), over(-4));
    expect(alarmsOf(d).map(({ phase }) => phase)).toEqual(["start", "escalate", "end"]);
    expect(alarmsOf(d).at(-1)?.end).toBe(at(1));
  });
});

describe("a signal that somebody silenced at the bedside", () => {
  it("is shown, and mutes neither another condition nor ours", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(2), later(2, "changes", { inactivation: "alarmOff" }));
    d.send(subject, at(3), deviceAlarm(3, { code: "VF", event: "ventricularFibrillation" }));
    d.send(subject, at(10), episodeOf(low, 0, 30));
    expect(alarmsOf(d).map((a) => `${a.event} ${a.phase} ${a.inactivation} ${a.present}`)).toEqual([
      "asystole start enabled true",
      "asystole update alarmOff true",
      "ventricularFibrillation start enabled true",
      "low start enabled true",
    ]);
  });

  it("sounds again when the device says so, or after two minutes; what is off stays off", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(2), later(2, "changes", { inactivation: "audioPaused" }));
    d.send(subject, at(60), later(60, "changes", { inactivation: "audioPaused", text: "ASYSTOLE again" }));
    d.tick(at(121));
    expect(alarmsOf(d).at(-1)).toMatchObject({ inactivation: "audioPaused" });
    d.tick(at(122));
    expect(alarmsOf(d).at(-1)).toMatchObject({ phase: "update", inactivation: "enabled", present: true });
    d.send(subject, at(130), later(130, "changes", { inactivation: "audioOff" }));
    d.tick(at(5_000));
    expect(alarmsOf(d).at(-1)).toMatchObject({ inactivation: "audioOff" });
  });

  it("acknowledged there is acknowledged until the condition ends, and not for the next", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(2), later(2, "changes", { inactivation: "acknowledged" }));
    d.send(subject, at(9), over(9, { inactivation: "acknowledged" }));
    d.send(subject, at(20), deviceAlarm(20));
    expect(alarmsOf(d).map((a) => `${a.instance} ${a.phase} ${a.inactivation}`)).toEqual([
      "0 start enabled",
      "0 update acknowledged",
      "0 end enabled",
      "1 start enabled",
    ]);
  });

  it("latched outlives its condition: the device letting it go is no reset, and its coming back is a new alarm", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(5), later(5, "changes", { signal: "latched", present: false, eventTime: eventTime(at(5)) }));
    d.send(subject, at(9), over(9));
    d.send(subject, at(20), deviceAlarm(20));
    expect(alarmsOf(d).map((a) => `${a.instance} ${a.phase} ${a.signal} ${a.present}`)).toEqual([
      "0 start active true",
      "0 end latched false",
      "1 start active true",
    ]);
    expect(d.refusals()).toEqual([]);
  });

  it("latched when it is first heard of is an alarm all the same", () => {
    const d = ward();
    d.send(subject, at(1), deviceAlarm(1, { signal: "latched", present: false }));
    expect(alarmsOf(d).map((a) => `${a.phase} ${a.signal} ${a.present}`)).toEqual([
      "start latched true",
      "end latched false",
    ]);
  });
});

describe("what a device says late of its alarms", () => {
  it("four hours of it page nobody: what is over is a delayed item, what is still there pages with its real onset", () => {
    const d = ward();
    d.send(subject, at(0), deviceAlarm(-14_000));
    d.send(subject, at(1), over(-13_900, { identity: "da@-14000" }));
    d.send(subject, at(2), deviceAlarm(-600));
    d.send(subject, at(3), { ...deviceAlarm(-600), why: "current", saidAt: eventTime(at(3)) });
    expect(inShort(d)).toEqual([
      "asystole #0 start late",
      "asystole #0 end over",
      "asystole #1 start late",
      "asystole #1 start current",
    ]);
    expect(alarmsOf(d).at(-1)?.onset).toBe(at(-600));
  });

  it("in a reading of now is current, however long ago it began", () => {
    const d = ward();
    d.send(subject, at(0), deviceAlarm(0, { eventTime: eventTime(at(-7_200)) }));
    expect(inShort(d)).toEqual(["asystole #0 start current"]);
    expect(alarmsOf(d)[0]?.onset).toBe(at(-7_200));
  });

  it("and nothing after it pages after a minute, for nobody knows that it is over", () => {
    const d = ward();
    d.send(subject, at(0), deviceAlarm(-600));
    d.tick(at(59));
    expect(inShort(d)).toEqual(["asystole #0 start late"]);
    d.tick(at(60));
    expect(inShort(d).at(-1)).toBe("asystole #0 start current");
    d.tick(at(120));
    expect(inShort(d)).toHaveLength(2);
  });
});

describe("a heartbeat", () => {
  const beat = (second: number): DeviceAlarm =>
    deviceAlarm(second, {
      test: true,
      event: "heartbeat",
      code: "BEAT",
      alertType: "technical",
      priority: "low",
      device: "beat-1",
    });

  it("is one short alarm each, marked as test, at once and wherever its device stands; nothing of it is kept", () => {
    const d = drive(alarms);
    for (const second of [0, 5, 10]) {
      d.send("beat-1", at(second), beat(second));
      d.send("beat-1", at(second), { ...beat(second), why: "ends", present: false });
    }
    expect(inShort(d)).toEqual(Array(3).fill(["heartbeat #0 start current", "heartbeat #0 end current"]).flat());
    expect(alarmsOf(d).every(({ test, unit }) => test && unit === "platform")).toBe(true);
    expect(new Set(alarmsOf(d).map(({ identity }) => identity)).size).toBe(3);
    expect([...d.stored().keys()].filter((key) => key.includes("beat-1"))).toEqual([]);
  });
});

describe("rule and device", () => {
  it("each end on their own", () => {
    const d = ward();
    const start = episodeOf(low, 0, 30);
    d.send(subject, at(1), deviceAlarm(1));
    d.send(subject, at(10), start);
    d.send(subject, at(12), over(12));
    d.send(subject, at(30), endOf(start, 25));
    expect(inShort(d)).toEqual([
      "asystole #0 start current",
      "low #0 start current",
      "asystole #0 end current",
      "low #0 end current",
    ]);
  });
});
