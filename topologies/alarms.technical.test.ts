/** Technical alarms: sensors that are off, series and devices that are lost, where a device stands. */
import { describe, expect, it } from "vitest";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import {
  alarmsOf,
  at,
  deviceAlarm,
  endOf,
  episodeOf,
  inShort,
  leftAt,
  link,
  ruleOf,
  sensorOf,
  stateOf,
  still,
  subject,
} from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";

const high = ruleOf({ id: "hr-high", when: "above", limit: 120 });

/** mon-1 streams from bed 4. */
const ward = () => {
  const d = drive(alarms);
  d.send(subject, at(-60), link());
  d.send(subject, at(-59), stateOf("streaming", -59));
  return d;
};

describe("a sensor that is off and then says nothing at all", () => {
  it("was off until it was lost, and not for a moment", () => {
    const d = ward();
    d.send(subject, at(12), sensorOf("sensorOff", 2));
    d.send(subject, at(40), sensorOf("silent", 2));
    expect(alarmsOf(d)).toMatchObject([
      { phase: "start", event: "sensorOff" },
      { phase: "end", event: "sensorOff", end: at(40) },
      { phase: "start", event: "seriesLost" },
    ]);
  });
});

describe("nothing usable of a device", () => {
  it("is monitoring lost, high, with its reason, until it streams again; a reason that only counts on is not told again", () => {
    const d = ward();
    d.send(subject, at(10), stateOf("silent", 10));
    d.send(subject, at(70), stateOf("silent", 10, { detail: "no usable measurement for 70 s" }));
    d.send(subject, at(80), stateOf("quarantining", 80, { detail: "its last 3 readings were refused: bad-json" }));
    d.send(subject, at(90), stateOf("streaming", 90));
    expect(alarmsOf(d)).toMatchObject([
      { phase: "start", event: "monitoringLost", priority: "high", bed: "4", detail: "no usable measurement for 10 s" },
      { phase: "update", detail: "what it sends cannot be used: its last 3 readings were refused: bad-json" },
      { phase: "end", end: at(90), present: false },
    ]);
  });

  it("ends when the device says itself that it stands by; what it last showed is not over, and is raised again", () => {
    const d = ward();
    const start = episodeOf(high, 0, 131);
    d.send(subject, at(10), start);
    d.send(subject, at(20), stateOf("silent", 20));
    d.send(subject, at(30), stateOf("standby", 30));
    d.send(subject, at(900), stateOf("streaming", 900));
    d.send(subject, at(901), still(start, 901, "afterGap"));
    expect(inShort(d)).toEqual([
      "high #0 start current",
      "monitoringLost #0 start current",
      "monitoringLost #0 end current",
      "high #0 end current",
      "high #1 start current",
    ]);
  });

  it("of a device that was silent for an hour when it was linked is a loss of now", () => {
    const d = drive(alarms);
    d.send(subject, at(3_600), link());
    d.send(subject, at(3_600), stateOf("silent", 0));
    expect(inShort(d)).toEqual(["monitoringLost #0 start current"]);
  });

  it("twice is two alarms", () => {
    const d = ward();
    for (const second of [10, 40]) {
      d.send(subject, at(second), stateOf("silent", second));
      d.send(subject, at(second + 10), stateOf("streaming", second + 10));
    }
    expect(inShort(d).filter((said) => said.includes("start"))).toEqual([
      "monitoringLost #0 start current",
      "monitoringLost #1 start current",
    ]);
  });
});

describe("a series that cannot be judged", () => {
  it("is sensor off or lost, medium, one at a time", () => {
    const d = ward();
    d.send(subject, at(1), sensorOf("sensorOff", 1));
    d.send(subject, at(1), sensorOf("sensorOff", 1));
    d.send(subject, at(20), sensorOf("silent", 20));
    d.send(subject, at(30), sensorOf("usable", 30));
    expect(inShort(d)).toEqual([
      "sensorOff #0 start current",
      "sensorOff #0 end current",
      "seriesLost #0 start current",
      "seriesLost #0 end current",
    ]);
    expect(alarmsOf(d)[0]).toMatchObject({
      priority: "medium",
      alertType: "technical",
      text: "sensor off: Heart rate (ECG)",
      detail: "lead off",
    });
  });

  it("is as grave as the alarm that nobody can see any more, and does not end it", () => {
    const d = ward();
    d.send(subject, at(10), episodeOf({ ...high, priority: "high" }, 0, 180));
    d.send(subject, at(12), sensorOf("sensorOff", 12));
    d.send(subject, at(12), sensorOf("sensorOff", 12, { metric: "spo2", channel: "spo2" }));
    expect(alarmsOf(d).map((a) => `${a.event} ${a.phase} ${a.priority}`)).toEqual([
      "high start high",
      "sensorOff start high",
      "sensorOff start medium",
    ]);
  });

  it("is lost now, however long its limit let it be", () => {
    const d = ward();
    d.send(subject, at(1_200), sensorOf("silent", 0, { metric: "glucoseInterstitial", channel: "cgm" }));
    expect(inShort(d)).toEqual(["seriesLost #0 start current"]);
    expect(alarmsOf(d)[0]?.onset).toBe(at(0));
  });

  it("takes from a late alarm the hope of a newer word: it pages", () => {
    const d = ward();
    d.send(subject, at(0), episodeOf(high, -600, 180));
    d.send(subject, at(1), sensorOf("silent", 1));
    expect(inShort(d)).toEqual(["high #0 start late", "seriesLost #0 start current", "high #0 start current"]);
  });
});

describe("where a device stands", () => {
  it("a device that leaves takes its alarms with it, all of them, and nobody else's", () => {
    const d = ward();
    const start = episodeOf(high, 0, 130);
    const other = episodeOf(high, 0, 130, { device: "mon-2", identity: "other" });
    d.send(subject, at(0), link({ id: "a-2", device: "mon-2" }));
    d.send(subject, at(10), start);
    d.send(subject, at(10), other);
    d.send(subject, at(11), deviceAlarm(11));
    d.send(subject, at(12), sensorOf("sensorOff", 12));
    d.send(subject, at(20), leftAt(20));
    d.send(subject, at(20), endOf(start, 19, "subject ended"));
    const ends = alarmsOf(d).filter(({ phase }) => phase === "end");
    expect(ends.map(({ event, device, detail }) => `${event} ${device} ${detail}`).sort()).toEqual([
      "asystole mon-1 the device left",
      "high mon-1 the device left",
      "sensorOff mon-1 lead off; the device left",
    ]);
    expect(d.refusals()).toEqual([]);
  });

  it("a late alarm of a device that left is a delayed item", () => {
    const d = ward();
    d.send(subject, at(0), episodeOf(high, -600, 180));
    d.send(subject, at(1), leftAt(1));
    expect(inShort(d)).toEqual(["high #0 start late", "high #0 end over"]);
  });

  it("what it still says of before it left is a delayed item; what it says once it is back is an alarm", () => {
    const d = ward();
    d.send(subject, at(20), leftAt(20));
    d.send(subject, at(20), deviceAlarm(19));
    d.tick(at(22));
    expect(inShort(d)).toEqual(["asystole #0 start late", "asystole #0 end over"]);
    expect(alarmsOf(d)[1]).toMatchObject({ bed: "4", detail: "the device left", present: false });
    d.send(subject, at(600), deviceAlarm(600));
    d.send(subject, at(600), stateOf("streaming", 600));
    expect(inShort(d).slice(2)).toEqual(["asystole #1 start current"]);
  });

  it("another unit has the alarm raised anew, another bed is told as a change", () => {
    const d = ward();
    d.send(subject, at(10), episodeOf(high, 0, 130));
    d.send(subject, at(20), link({ revision: 2, to: at(20) }));
    d.send(subject, at(20), link({ id: "a-2", bed: "7", from: at(20), confirmedBy: null }));
    d.send(subject, at(20), stateOf("streaming", 20, { bed: "7" }));
    d.send(subject, at(30), stateOf("streaming", 30, { bed: "1", unit: "CCU" }));
    expect(d.outputs("alarms").map(({ key, body }) => [key, (body as { phase: string }).phase])).toEqual([
      ["ICU", "start"],
      ["ICU", "update"],
      ["ICU", "end"],
      ["CCU", "start"],
    ]);
    expect(alarmsOf(d)).toMatchObject([
      { bed: "4", bedSince: at(-3_600), bedConfirmed: true },
      { bed: "7", bedSince: at(20), bedConfirmed: false },
      { bed: "7", end: null, detail: "moved to unit CCU" },
      { bed: "1", bedSince: null, bedConfirmed: false, onset: at(0), instance: 1 },
    ]);
  });

  it("a bed whose link a power cycle interrupted is told without anybody's confirmation", () => {
    const confirmedAfter = (interruptedAt: number | null): unknown => {
      const d = ward();
      const interrupted =
        interruptedAt === null ? null : ({ what: "powerCycle", from: null, at: eventTime(interruptedAt) } as const);
      d.send(subject, at(10), link({ interrupted, telling: 1 }));
      d.send(subject, at(20), episodeOf(high, 12, 130));
      return alarmsOf(d).at(-1);
    };
    expect(confirmedAfter(at(5))).toMatchObject({ bed: "4", bedConfirmed: false });
    expect(confirmedAfter(null)).toMatchObject({ bed: "4", bedConfirmed: true });
  });

  it("nobody's device that is in alarm when it is first heard is told to its own unit, once", () => {
    const d = drive(alarms);
    d.send("mon-9", at(0), deviceAlarm(0, { device: "mon-9", subject: null }));
    d.send("mon-9", at(0), stateOf("streaming", 0, { device: "mon-9", subject: null, bed: null }));
    expect(d.outputs("alarms").map(({ key }) => key)).toEqual(["ICU"]);
    expect(alarmsOf(d)).toMatchObject([{ subject: null, bed: null, bedSince: null, bedConfirmed: false }]);
  });

  it("and one that nobody ever places is told after a second, as of an unknown unit", () => {
    const d = drive(alarms);
    d.send("mon-9", at(0), deviceAlarm(0, { device: "mon-9", subject: null }));
    d.tick(at(0.5));
    expect(alarmsOf(d)).toEqual([]);
    d.restart();
    d.tick(at(1));
    d.send("mon-9", at(2), deviceAlarm(2, { device: "mon-9", subject: null, code: "VF" }));
    expect(d.outputs("alarms").map(({ key }) => key)).toEqual(["unknown", "unknown"]);
  });

  it("a patient whose age nobody knows, or for whom there is no rule, is paged by the adults' and it says so", () => {
    const d = drive(alarms);
    d.send(subject, at(0), link({ ageBand: null }));
    d.send(subject, at(10), episodeOf(high, 0, 130));
    d.send(subject, at(11), link({ revision: 2, ageBand: "child" }));
    d.send(subject, at(12), endOf(episodeOf(high, 0, 130), 11));
    d.send(subject, at(30), episodeOf(high, 20, 130));
    expect(alarmsOf(d).filter(({ phase }) => phase === "start")).toMatchObject([
      { detail: "age not known: judged by the rules for adults" },
      { detail: "judged by the rules for adults, though the patient is not one of them (child)" },
    ]);
  });
});

describe("what is kept", () => {
  const conditions = (d: ReturnType<typeof ward>): number =>
    [...d.stored().keys()].filter((key) => key.includes("condition")).length;

  it("of an alarm that is over is kept for a day, and its next instance is another even after that", () => {
    const d = ward();
    const first = episodeOf(high, 0, 130);
    d.send(subject, at(10), first);
    d.send(subject, at(20), endOf(first, 19));
    d.tick(at(20 + 86_399));
    expect(conditions(d)).toBe(1);
    d.tick(at(20 + 86_400));
    expect(conditions(d)).toBe(0);
    d.send(subject, at(90_010), episodeOf(high, 90_000, 130));
    const starts = alarmsOf(d).filter(({ phase }) => phase === "start");
    expect(starts.map(({ instance }) => instance)).toEqual([0, 0]);
    expect(starts[0]?.identity).not.toBe(starts[1]?.identity);
  });

  it("of an open one stays for as long as it is open, over restarts", () => {
    const d = ward();
    const start = episodeOf(high, 0, 130);
    d.send(subject, at(10), start);
    d.tick(at(200_000));
    d.restart();
    d.send(subject, at(200_000), still(start, 200_000, "afterGap"));
    expect(inShort(d)).toEqual(["high #0 start current", "high #0 end current", "high #1 start current"]);
  });

  it("of a device that makes up codes is bounded", () => {
    const d = ward();
    for (let i = 0; i < 300; i++) {
      d.send(subject, at(i), deviceAlarm(i, { code: `C${i}`, identity: `i-${i}` }));
      d.send(subject, at(i), deviceAlarm(i, { code: `C${i}`, identity: `i-${i}`, why: "ends", present: false }));
    }
    expect(alarmsOf(d)).toHaveLength(600);
    expect(conditions(d)).toBe(256);
  });

  it("of a device that left is its place, for a day", () => {
    const d = ward();
    d.send(subject, at(20), leftAt(20));
    d.tick(at(20 + 86_400));
    expect([...d.stored().keys()].filter((key) => key.includes("mon-1"))).toEqual([]);
  });
});
