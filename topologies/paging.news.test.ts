/** One page of several alarms: what joins it, what of it is news, how it ends. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended } from "../streams/sim/paged.ts";
import { asystole, low, ward } from "./paging.fixture.ts";

describe("one page, and what is news of it", () => {
  it("above, below, above again within a minute, an accept and a restart in between: three pages", () => {
    const w = ward();
    const first = alarmAt(0);
    const second = alarmAt(20, { identity: "low@20", ...low });
    const third = alarmAt(42, { instance: 1 });
    w.say(0, first);
    w.answer(8, "amsel", "accept");
    w.restart();
    w.say(14, ended(first, 13));
    w.say(20, second);
    w.restart();
    w.say(31, ended(second, 30));
    w.say(42, third);
    w.pass(42.5, 71);
    w.restart();
    w.pass(71.5, 72);
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "14 ended end high -> amsel #0/1",
      "20 alarm start low -> amsel #0/0",
      "31 ended end low -> amsel #0/1",
      "42 alarm start high -> amsel #0/0",
      "72 alarm continue high -> charge #1/0",
    ]);
    expect(w.pages().map(({ state }) => state)).toEqual(["over", "over", "escalating"]);
    expect(new Set(w.notifications().map(({ identity }) => identity)).size).toBe(6);
  });

  it("our rule and the device on one source and direction are one page, told once; another event on it is news", () => {
    const w = ward();
    w.say(0, alarmAt(0, { identity: "ours", ...low }));
    w.say(1, alarmAt(1, { identity: "device's", ...low, source: "device", rule: null }));
    expect(w.told()).toEqual(["0 alarm start low -> amsel #0/0"]);
    w.answer(2, "amsel", "accept");
    w.say(3, alarmAt(3, asystole));
    expect(w.told().slice(1)).toEqual(["3 alarm start low -> amsel #0/1"]);
    expect(w.pages()).toMatchObject([
      { state: "escalating", acceptedBy: null, alarms: ["ours", "device's", "asystole"] },
    ]);
  });

  it("another rule of equal priority on what somebody took is told to him; so is one that is worse, before anybody took it", () => {
    const w = ward();
    const hr50 = { ...low, value: 49, lowLimit: 50, highLimit: null } as const;
    const hr40 = { ...hr50, rule: "hr-very-low", value: 39, lowLimit: 40 } as const;
    w.say(0, alarmAt(0, { identity: "below 50", ...hr50 }));
    w.answer(2, "amsel", "accept");
    w.say(9, alarmAt(9, { identity: "below 40", ...hr40 }));
    expect(w.told().slice(1)).toEqual(["9 alarm start low -> amsel #0/1"]);
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null, alarms: ["below 50", "below 40"] }]);
    expect(w.notifications().at(-1)?.alarms).toContain("below 40");
    w.say(10, alarmAt(10, { identity: "below 30", ...hr40, rule: "hr-lowest", value: 29, lowLimit: 30 }));
    w.say(11, alarmAt(11, { identity: "below 45", ...hr40, rule: "hr-lower", value: 39, lowLimit: 45 }));
    expect(w.told().slice(2)).toEqual(["10 alarm start low -> amsel #0/2"]);
  });

  it("a probe that is off says so of each thing it measures, and is told once", () => {
    const w = ward();
    const off = { event: "sensorOff", direction: "none", source: "technical", group: "subject-4/sensor" } as const;
    const blank = { ...off, value: null, highLimit: null, rule: null } as const;
    w.say(0, alarmAt(0, { identity: "spo2", ...blank, metric: "spo2" }));
    w.answer(1, "amsel", "accept");
    w.say(2, alarmAt(2, { identity: "pulse", ...blank, metric: "pulseRate" }));
    expect(w.told()).toEqual(["0 alarm start sensorOff -> amsel #0/0"]);
    expect(w.pages()).toMatchObject([{ state: "accepted", alarms: ["spo2", "pulse"] }]);
  });

  it("ours that comes again while the device's stays is news", () => {
    const w = ward();
    const ours = alarmAt(0, { identity: "ours", ...low });
    w.say(0, ours);
    w.say(1, alarmAt(1, { identity: "device's", ...low, source: "device", rule: null }));
    w.answer(2, "amsel", "accept");
    w.say(9, ended(ours, 9));
    w.say(20, alarmAt(20, { identity: "ours again", instance: 1, ...low }));
    expect(w.told().slice(1)).toEqual(["20 alarm start low -> amsel #0/1"]);
    expect(w.pages()).toMatchObject([{ state: "escalating", alarms: ["device's", "ours again"] }]);
  });

  it("a rise in priority after an accept begins the escalation again; a fall is an update only", () => {
    const w = ward();
    const medium = alarmAt(0, { priority: "medium" });
    w.say(0, medium);
    w.answer(5, "amsel", "accept");
    w.say(9, { ...medium, priority: "high", phase: "escalate", revision: 1 });
    w.pass(9.5, 39);
    w.say(40, { ...medium, phase: "deescalate", revision: 2 });
    w.say(41, { ...medium, priority: "high", phase: "escalate", revision: 3 });
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "9 alarm escalate high -> amsel #0/1",
      "39 alarm continue high -> charge #1/0",
      "41 alarm escalate high -> amsel #0/2",
      "41 alarm escalate high -> charge #1/1",
    ]);
    expect(w.pages()).toMatchObject([{ nextAt: at(99) }]); // news does not put off the next step
  });

  it("raised again after a gap is told again on the same page, with its real onset", () => {
    const w = ward();
    const first = alarmAt(0);
    w.say(0, first);
    w.answer(5, "amsel", "accept");
    w.say(60, ended(first, 0, { end: null }));
    w.say(60, alarmAt(60, { instance: 1, onset: first.onset }));
    w.tick(at(60.5));
    expect(w.told().slice(1)).toEqual(["60 alarm start high -> amsel #0/1"]);
    expect(w.pages()).toMatchObject([{ state: "escalating", onset: at(0), alarms: ["high@60"] }]);
  });

  it("one that moved to another unit is over here with the next tick, for those who were told", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.say(9, ended(alarmAt(0), 0, { end: null, detail: "moved to unit OR" }));
    w.tick(at(9.5));
    expect(w.told().slice(1)).toEqual(["9.5 ended end high -> amsel #0/1"]);
    expect(w.pages()).toMatchObject([{ state: "over" }]);
  });

  it("who is on the way hears of another bed", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(3, "amsel", "accept");
    w.say(5, alarmAt(0, { revision: 1, phase: "update", bed: "5" }));
    expect(w.notifications().at(-1)).toMatchObject({ recipient: "amsel", phase: "update", bed: "5" });
    expect(w.pages()).toMatchObject([{ state: "accepted", bed: "5" }]);
  });

  it("a latched one outlives its condition and ends only by a named reset", () => {
    const w = ward();
    w.say(0, alarmAt(0, asystole));
    w.answer(3, "amsel", "accept");
    w.say(9, ended(alarmAt(0, asystole), 8, { signal: "latched" }));
    w.pass(9.5, 700);
    expect(w.pages()).toMatchObject([{ state: "accepted", latched: true }]);
    w.answer(701, "", "reset");
    expect(w.pages()).toMatchObject([{ state: "accepted", latched: true }]);
    w.answer(702, "charge", "reset");
    expect(w.pages()).toMatchObject([{ state: "over", latched: false }]);
    expect(w.told().slice(1)).toEqual(["702 ended reset asystole -> amsel #0/1"]);
  });
});
