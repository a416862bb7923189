/** A named person has a device stand by for a while: its silence pages nobody until then, and nothing else is kept from anybody. */
import { describe, expect, it } from "vitest";
import type { Standby } from "../schemas/records/alert.ts";
import { alarmAt, at, ended, lost } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

const standby = (second: number, minutes: number, more: Partial<Standby> = {}): Standby => ({
  kind: "standby",
  id: `standby@${second}`,
  device: "mon-4",
  unit: "ICU",
  bed: "4",
  by: "amsel",
  reason: "transport to CT",
  from: at(second),
  to: at(second + 60 * minutes),
  via: "command line",
  ...more,
});

describe("a device that stands by", () => {
  it("is silent and pages nobody; that it stands by is an open note until it is over", () => {
    const w = ward();
    w.say(0, standby(0, 30));
    w.say(20, lost(10, "4"));
    w.pass(20.5, 100);
    expect(w.told()).toEqual([]);
    expect(w.pages()).toMatchObject([
      {
        event: "standby",
        state: "accepted",
        acceptedBy: "amsel",
        bed: "4",
        text: "not monitored, by amsel: transport to CT (mon-4)",
        nextAt: at(1_800),
      },
    ]);
    w.say(900, ended(lost(10, "4"), 900));
    w.pass(1_799, 1_860);
    expect(w.told()).toEqual([]);
    expect(w.pages()).toMatchObject([{ event: "standby", state: "over", overAt: at(1_800) }]);
    expect(w.refusals()).toEqual([]);
  });

  it("that is still silent when its time is over pages then, with its real onset", () => {
    const w = ward();
    w.say(0, standby(0, 5));
    w.say(20, lost(10, "4"));
    w.restart();
    w.pass(295, 301);
    expect(w.told()).toEqual(["300 alarm start monitoringLost -> amsel #0/0"]);
    expect(w.notifications()[0]).toMatchObject({ onset: at(10), beds: ["4"] });
  });

  it("was paged as lost already: that page ends, and comes back when the time is over", () => {
    const w = ward();
    w.say(0, lost(0, "4"));
    w.pass(0.5, 1);
    w.say(10, standby(10, 5));
    expect(w.told()).toEqual([
      "0.5 alarm start monitoringLost -> amsel #0/0",
      "10 ended end monitoringLost -> amsel #0/1",
    ]);
    w.pass(10.5, 312);
    expect(w.told().slice(2)).toEqual(["310 alarm start monitoringLost -> amsel #0/0"]);
    w.say(320, ended(lost(0, "4"), 319));
    expect(w.pages().map(({ event, state }) => `${event} ${state}`)).toEqual([
      "monitoringLost over",
      "standby over",
      "monitoringLost over",
    ]);
    expect(w.refusals()).toEqual([]);
  });

  it("was silent for an instant in which its time was over and it was heard again: nothing is left of it", () => {
    const w = ward();
    w.say(0, standby(0, 5));
    w.say(20, lost(10, "4"));
    w.say(300.2, ended(lost(10, "4"), 300));
    w.pass(300.5, 400);
    expect(w.told()).toEqual([]);
    expect(w.refusals()).toEqual([]);
  });

  it("leaves the page of a network's loss to the other beds", () => {
    const w = ward();
    w.say(0, lost(0, "4"));
    w.say(0, lost(0, "5"));
    w.pass(0.5, 1);
    w.say(5, standby(5, 5));
    expect(w.pages()[0]).toMatchObject({ state: "escalating", text: "monitoring lost: bed 5" });
  });

  it("pages what a rule or the device itself alarms, and what is lost of its neighbour", () => {
    const w = ward();
    w.say(0, standby(0, 30));
    w.say(1, alarmAt(1));
    w.say(
      2,
      alarmAt(2, { identity: "asystole", source: "device", event: "asystole", group: "subject-4/heartRate/low" }),
    );
    w.say(3, lost(3, "5"));
    w.pass(3.5, 4);
    expect(w.told()).toEqual([
      "1 alarm start high -> amsel #0/0",
      "2 alarm start asystole -> amsel #0/0",
      "3.5 alarm start monitoringLost -> birke #0/0",
    ]);
  });

  it("a second word of it counts on from then; one that ends it now tells what is lost at once", () => {
    const w = ward();
    w.say(0, standby(0, 5));
    w.say(20, lost(10, "4"));
    w.say(290, standby(290, 5, { by: "birke" }));
    w.say(290, standby(290, 5, { by: "birke" }));
    w.pass(290.5, 400);
    expect(w.told()).toEqual([]);
    expect(w.pages()).toMatchObject([{ acceptedBy: "birke", nextAt: at(590), state: "accepted" }]);
    w.say(410, standby(410, 0, { by: "charge", reason: "back" }));
    w.pass(410.5, 411);
    expect(w.told()).toEqual(["410.5 alarm start monitoringLost -> amsel #0/0"]);
  });

  it.each([
    ["by nobody", { by: "" }, "answer-by-nobody"],
    ["by a stranger", { by: "visitor" }, "answer-by-nobody"],
    ["by a test receiver", { by: "beats" }, "answer-by-nobody"],
    ["without a reason", { reason: " " }, "standby-without-reason"],
    ["for longer than a shift", { to: at(12 * 3_600 + 1) }, "standby-too-long"],
    ["ended where there is none", { to: at(0) }, "standby-not-there"],
  ])("%s is refused, and its silence pages", (_, change, reason) => {
    const w = ward();
    w.say(0, standby(0, 30, change));
    w.say(1, lost(1, "4"));
    w.pass(1.5, 2);
    expect(w.refusals().map((one) => one.reason)).toEqual([reason]);
    expect(w.told()).toEqual(["1.5 alarm start monitoringLost -> amsel #0/0"]);
  });
});
