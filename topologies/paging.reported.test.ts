/** What the telemetry plane reports and the circuit had, had not, or can no longer tell. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended, reportedAt } from "../streams/sim/paged.ts";
import { low, ward } from "./paging.fixture.ts";

describe("an episode that the telemetry plane reports", () => {
  it("pages nothing where the circuit had it, before or within the grace, open or over", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.say(9, ended(alarmAt(0), 9));
    w.say(20, { ...reportedAt(0), end: alarmAt(9).onset });
    w.say(100, reportedAt(95));
    w.say(120, alarmAt(96));
    w.pass(120.5, 140);
    expect(w.pages().map(({ event }) => event)).toEqual(["high", "high"]);
    expect(w.told().filter((one) => one.includes("missed"))).toEqual([]);
  });

  it("and that the circuit's own alarm comes after is one page: it takes the reported one's place in silence", () => {
    const w = ward();
    w.say(10, reportedAt(5));
    w.pass(10.5, 41);
    w.answer(42, "charge", "accept", w.pages()[0]?.identity);
    const told = (): readonly string[] => w.told().filter((one) => !one.includes("missedByCircuit"));
    expect(told()).toEqual(["40 alarm start high -> duty #3/0", "40 alarm start high -> charge #1/0"]);
    const own = alarmAt(5, { origin: reportedAt(5).episode, timeliness: "late" });
    w.say(70, own);
    w.say(71, { ...own, timeliness: "current", revision: 1 });
    w.restart();
    w.pass(71.5, 75);
    expect(told().length).toBe(2);
    expect(w.pages().filter(({ event }) => event === "high")).toMatchObject([
      { state: "accepted", acceptedBy: "charge", alarms: [own.identity] },
    ]);
    w.say(80, { ...reportedAt(5), end: alarmAt(79).onset });
    expect(w.pages().filter(({ state }) => state === "accepted").length).toBe(1);
    w.say(81, ended(own, 79, { timeliness: "current", revision: 2 }));
    expect(told().slice(2)).toEqual(["81 ended end high -> duty #3/1", "81 ended end high -> charge #1/1"]);
    w.pass(81.5, 130);
    expect(told().length).toBe(4);
  });

  it("and that the circuit's own word says is over, late, is told once", () => {
    const w = ward();
    w.say(10, { ...reportedAt(5), end: alarmAt(9).onset });
    w.pass(10.5, 41);
    const own = alarmAt(5, { origin: reportedAt(5).episode, timeliness: "late" });
    w.say(100, own);
    w.say(101, ended(own, 9, { timeliness: "over" }));
    expect(
      w
        .notifications()
        .filter(({ what }) => what === "delayed")
        .every(({ at: told }) => told === at(40)),
    ).toBe(true);
  });

  it("that ended before what the circuit still knows can't be compared: counted, and paged to nobody", () => {
    const w = ward();
    const own = alarmAt(0, { end: null });
    w.say(0, own);
    w.say(9, ended(own, 9));
    w.pass(0.5, 1);
    w.tick(at(3_700));
    const before = w.told().length;
    w.say(3_701, reportedAt(0)); // Kafka is back: its start, and then its end
    w.say(3_702, { ...reportedAt(0), end: alarmAt(9).onset });
    w.pass(3_702.5, 3_740);
    expect(w.told().length).toBe(before);
    expect(w.refusals().map(({ reason }) => reason)).toEqual(["reported-too-old"]);
    w.say(3_741, { ...reportedAt(200), end: alarmAt(210).onset }); // within the hour: comparable, and missed
    w.pass(3_741.5, 3_780);
    expect(
      w
        .told()
        .slice(before)
        .map((one) => one.split(" ").slice(1, 4).join(" ")),
    ).toEqual(["delayed end high", "alarm start missedByCircuit"]);
  });

  it("that the circuit lacks is paged after the grace, with an alarm to the platform's people that it was missed", () => {
    const w = ward();
    w.say(0, alarmAt(-50, { ...low, device: "mon-4" })); // below is not above
    w.say(1, ended(alarmAt(-50, { ...low }), 1));
    w.say(10, reportedAt(5));
    w.restart();
    w.pass(10.5, 41);
    const since = w.told().slice(2);
    expect(since).toEqual(["40 alarm start high -> amsel #0/0", "40.5 alarm start missedByCircuit -> engineer #0/0"]);
    expect(w.pages().slice(1)).toMatchObject([
      { event: "high", bed: "4", onset: at(5), unit: "ICU" },
      { event: "missedByCircuit", unit: "ICU", latched: true },
    ]);
    w.say(60, { ...reportedAt(5), end: alarmAt(55).onset });
    expect(w.pages().slice(1)).toMatchObject([{ state: "over" }, { state: "escalating" }]);
    w.answer(61, "engineer", "reset");
    expect(w.pages().slice(1)).toMatchObject([{ state: "over" }, { state: "over" }]);
  });
});
