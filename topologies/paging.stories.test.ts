import { describe, expect, it } from "vitest";
import type { Policy } from "../schemas/alert-records.ts";
import { logTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { alarmAt, at, ended, lost, pagedWard, type PagedWard, policy, reportedAt } from "../streams/sim/paged.ts";
import { paging } from "./paging.ts";

const ward = (inForce: Policy | null = policy()): PagedWard => pagedWard(drive(paging), inForce);
const low = { event: "low", direction: "low", rule: "hr-low", group: "subject-4/heartRate/low" } as const;
const asystole = {
  identity: "asystole",
  source: "device",
  event: "asystole",
  direction: "none",
  group: "subject-4/heartRate/low",
} as const;

describe("answers", () => {
  it("a reject goes on to the next step at once, and only once", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(4, "amsel", "reject");
    w.answer(5, "amsel", "reject");
    expect(w.told()).toEqual(["0 alarm start high -> amsel #0/0", "4 alarm continue high -> charge #1/0"]);
    expect(w.pages()).toMatchObject([
      { nextAt: at(64), responsibilities: [{ state: "rejected" }, { state: "pending" }] },
    ]);
  });

  it("who gives back what he had accepted is passed over", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(4, "amsel", "accept");
    w.answer(9, "amsel", "reject");
    expect(w.told().at(-1)).toBe("9 alarm continue high -> charge #1/0");
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null, nextAt: at(69) }]);
  });

  it("by nobody, by a test receiver, of no page, of one that is over, by somebody who was not told: refused and counted; a good one beside them is taken", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    const [page] = w.pages();
    for (const who of ["", "  ", "stranger", "beats"]) w.answer(1, who, "accept");
    w.answer(2, "amsel", "accept", "no such page");
    w.answer(3, "charge", "reject");
    w.answer(3, "amsel", "reset");
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null }]);
    w.answer(4, "amsel", "accept");
    expect(w.pages()).toMatchObject([{ state: "accepted", acceptedBy: "amsel" }]);
    w.say(5, ended(alarmAt(0), 5));
    w.answer(6, "amsel", "accept", page?.identity);
    expect(w.refusals().map(({ reason }) => reason)).toEqual([
      "answer-by-nobody",
      "answer-by-nobody",
      "answer-by-nobody",
      "answer-by-nobody",
      "page-unknown",
      "not-told",
      "not-latched",
      "page-over",
    ]);
  });

  it("what no notifier could deliver goes on at once; what one of two did deliver does not", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.notified(2, w.notifications()[0], "mqtt", "failed");
    expect(w.told().at(-1)).toBe("2 alarm continue high -> charge #1/0");
    const charge = w.notifications()[1];
    w.notified(3, charge, "mqtt", "failed");
    w.notified(3, charge, "webhook", "confirmed");
    w.pass(3.5, 61);
    expect(w.told().length).toBe(2);
    expect(w.pages()[0]?.responsibilities).toMatchObject([{ state: "undeliverable" }, { state: "pending" }]);
  });
});

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

describe("what came late", () => {
  it("pages nobody; once it is known to be true now, it does with its real onset", () => {
    const w = ward();
    const late = alarmAt(-900, { timeliness: "late" });
    w.say(0, late);
    w.pass(0.5, 5);
    expect(w.rows()).toEqual([]);
    w.say(6, { ...late, timeliness: "current", revision: 1 });
    expect(w.notifications()).toMatchObject([{ what: "alarm", recipient: "amsel", onset: at(-900) }]);
  });

  it("and is over is one delayed item, which nobody has to accept", () => {
    const w = ward();
    const late = alarmAt(-900, { timeliness: "late" });
    w.say(0, late);
    w.say(1, ended(late, -600, { timeliness: "over" }));
    w.say(1, ended(late, -600, { timeliness: "over" }));
    w.pass(1.5, 700);
    expect(w.told()).toEqual(["1 delayed end high -> amsel #0/0"]);
    expect(w.pages()).toMatchObject([{ state: "over", nextAt: null }]);
  });
});

describe("a delayed item that its first recipients' system refuses", () => {
  const overLate = (bed: string | null) =>
    ended(alarmAt(-900, { timeliness: "late", bed }), -600, { timeliness: "over" });
  const fail = (w: PagedWard, second: number, nth: number, notifier: string): void =>
    w.notified(second, w.notifications()[nth], notifier, "failed");

  it("is told to the last resort, once, even after its page is long forgotten", () => {
    const w = ward();
    w.say(1, overLate("4"));
    w.pass(1.5, 3);
    w.tick(at(3_600));
    w.restart();
    fail(w, 3_601, 0, "mqtt");
    fail(w, 3_602, 0, "mqtt");
    fail(w, 3_603, 1, "mqtt"); // the last resort's own: nobody is left
    expect(w.told()).toEqual(["1 delayed end high -> amsel #0/0", "3601 delayed end high -> duty #3/0"]);
    expect(w.notifications()[1]).toMatchObject({ lastResort: true, alarms: ["high@-900"], bed: "4", onset: at(-900) });
    expect(new Set(w.notifications().map(({ identity }) => identity)).size).toBe(2);
  });

  it("by one way only, or with one of them told, is told to nobody else; nor where it was the last resort's, nor after a day", () => {
    const chargeFirst = ward(
      policy({
        chains: [{ name: "high", steps: [{ to: ["charge", "amsel"], acceptWithinMs: 9 }], continuesWith: null }],
      }),
    );
    chargeFirst.say(1, overLate("4"));
    fail(chargeFirst, 2, 0, "mqtt");
    fail(chargeFirst, 2, 1, "mqtt");
    chargeFirst.notified(3, chargeFirst.notifications()[0], "webhook", "confirmed");
    fail(chargeFirst, 4, 0, "webhook");
    expect(chargeFirst.told().length).toBe(2);

    const nobodyAtTheBed = ward();
    nobodyAtTheBed.say(1, overLate("9"));
    fail(nobodyAtTheBed, 2, 0, "mqtt");
    expect(nobodyAtTheBed.told()).toEqual(["1 delayed end high -> duty #3/0"]);

    const dayAfter = ward();
    dayAfter.say(1, overLate("4"));
    dayAfter.tick(at(26 * 3_600));
    fail(dayAfter, 26 * 3_600 + 1, 0, "mqtt");
    expect(dayAfter.told().length).toBe(1);
  });
});

describe("monitoring lost", () => {
  it("of a whole unit is one page that names every bed, told with the next tick; what comes back leaves it", () => {
    const w = ward();
    for (const bed of ["4", "10", "5"]) w.say(0.1, lost(0.1, bed));
    w.say(0.2, lost(0.2, null, "pump-1"));
    expect(w.told()).toEqual([]);
    w.tick(at(0.5));
    // nobody is at bed 10: the last resort too
    expect(w.told()).toEqual([
      "0.5 alarm start monitoringLost -> amsel #0/0",
      "0.5 alarm start monitoringLost -> birke #0/0",
      "0.5 alarm start monitoringLost -> duty #3/0",
    ]);
    expect(w.notifications()[0]?.beds).toEqual(["4", "5", "10", "no bed (pump-1)"]);
    expect(w.notifications()[0]?.text).toBe("monitoring lost: beds 4, 5, 10, no bed (pump-1)");
    for (const [bed, device] of [
      ["10", "mon-10"],
      [null, "pump-1"],
      ["5", "mon-5"],
    ] as const)
      w.say(3, ended(lost(device === "pump-1" ? 0.2 : 0.1, bed, device), 3));
    w.pass(3.5, 5);
    expect(w.notifications().length).toBe(3);
    expect(w.pages()).toMatchObject([{ text: "monitoring lost: bed 4", bed: "4", state: "escalating" }]);
    w.say(6, lost(6, "5"));
    w.say(6.1, lost(6.1, "9"));
    w.tick(at(6.5));
    expect(
      w
        .notifications()
        .slice(3)
        .map(({ recipient, beds }) => [recipient, beds]),
    ).toEqual([
      ["amsel", ["4", "5", "9"]],
      ["birke", ["4", "5", "9"]],
      ["duty", ["4", "5", "9"]],
    ]);
  });

  it("of one more bed, accepted before it was told, is told with the next tick all the same", () => {
    const w = ward();
    w.say(0.1, lost(0.1, "4"));
    w.tick(at(0.5));
    w.say(3.1, lost(3.1, "5"));
    w.answer(3.3, "amsel", "accept");
    w.restart();
    w.pass(3.5, 10);
    expect(w.told().slice(1)).toEqual([
      "3.5 alarm start monitoringLost -> amsel #0/1",
      "3.5 alarm start monitoringLost -> birke #0/0",
    ]);
    expect(w.notifications().at(-1)?.beds).toEqual(["4", "5"]);
    expect(w.pages()).toMatchObject([{ state: "escalating", acceptedBy: null }]);
  });

  it("of one more device with every tick does not keep the next step from being told", () => {
    const w = ward();
    for (let i = 0; i < 70; i++) {
      w.say(i / 2 + 0.1, lost(i / 2 + 0.1, "4", `mon-${i}`));
      w.tick(at(i / 2 + 0.5));
    }
    expect(w.told().filter((one) => one.includes("-> charge"))[0]).toBe(
      "30.5 alarm continue monitoringLost -> charge #1/0",
    );
  });

  it("for less than a tick is told as over", () => {
    const w = ward();
    w.say(0.1, lost(0.1, "4"));
    w.say(0.3, ended(lost(0.1, "4"), 0.3));
    w.pass(0.5, 60);
    expect(w.told()).toEqual(["0.3 delayed end monitoringLost -> amsel #0/0"]);
  });
});

describe("the platform's own", () => {
  it("a hop that is down pages the platform's people until it is back; the same word again is nothing", () => {
    const w = ward();
    w.hop(0, "broker", false);
    w.hop(1, "broker", false);
    w.hop(9, "broker", true);
    w.hop(10, "broker", true);
    expect(w.told()).toEqual(["0 alarm start hopDown -> engineer #0/0", "9 ended end hopDown -> engineer #0/1"]);
    expect(w.pages()).toMatchObject([
      { unit: "platform", text: "part of the alarm path is down: broker", priority: "high" },
    ]);
  });

  it("is as grave as the table of degradation says", () => {
    const w = ward();
    for (const hop of ["kafka", "notifier/webhook", "watch", "circuit", "something new"]) w.hop(0, hop, false);
    expect(w.pages().map(({ device, priority }) => `${device} ${priority}`)).toEqual([
      "kafka low",
      "notifier/webhook medium",
      "watch medium",
      "circuit high",
      "something new high",
    ]);
  });

  it("enters and leaves modes of degradation, each an event of its own, once", () => {
    const w = ward();
    const modes = (): string[] =>
      w
        .outputs("notifications")
        .map(({ body }) => body)
        .filter((body) => body.kind === "mode")
        .map(({ mode, which, entered, since }) => `${entered ? "+" : "-"}${mode}/${which} ${(since - at(0)) / 1_000}`);
    w.hop(0, "kafka", false);
    w.hop(1, "kafka", false);
    w.hop(2, "notifier/mqtt", false);
    w.hop(3, "notifier/webhook", false);
    w.restart();
    w.hop(4, "notifier/smtp", false);
    w.hop(5, "notifier/mqtt", true);
    w.hop(6, "kafka", true);
    w.hop(7, "kafka", true);
    expect(modes()).toEqual([
      "+kafka/null 0",
      "+notifier/mqtt 2",
      "+notifier/webhook 3",
      "-notifier/mqtt 4",
      "-notifier/webhook 4",
      "+notifiers/null 4",
      "-notifiers/null 5",
      "+notifier/smtp 5",
      "+notifier/webhook 5",
      "-kafka/null 6",
    ]);
  });

  it("a heartbeat reaches the test receiver alone, once, and leaves no page and no state", () => {
    const w = ward();
    const beat = alarmAt(0, { test: true, identity: "beat", event: "heartbeat", unit: "platform" });
    w.say(0, beat, "platform");
    w.say(0, ended(beat, 0), "platform");
    expect(w.told()).toEqual(["0 test start heartbeat -> beats #0/0"]);
    expect(w.rows()).toEqual([]);
    w.say(1, alarmAt(1));
    expect(w.notifications().at(-1)?.recipient).toBe("amsel");
  });

  it("without any policy the console is told until somebody accepts, and that there is none; a policy ends that", () => {
    const w = ward(null);
    w.say(0, alarmAt(0));
    w.pass(0.5, 61);
    expect(w.told()).toEqual([
      "0 alarm start configurationRefused -> console #0/0",
      "0 alarm start high -> console #0/0",
      "60 alarm continue configurationRefused -> console #0/1",
      "60 alarm continue high -> console #0/1",
    ]);
    w.send("", at(62), policy());
    w.pass(62.5, 121);
    expect(w.pages().map(({ event, state }) => `${event} ${state}`)).toEqual([
      "configurationRefused over",
      "high escalating",
    ]);
    expect(w.told().at(-1)).toBe("120 alarm continue high -> duty #3/0");
  });

  it("outside the trust boundary only the unit is told", () => {
    const w = ward();
    w.say(0, alarmAt(0, { unit: "outside" }), "outside");
    const [told] = w.notifications();
    expect(told).toMatchObject({ recipient: "family", inside: false, unit: "outside", priority: "high" });
    expect(told?.text).toBe("alarm in unit outside, open the app");
    expect(JSON.stringify(told)).not.toMatch(/mon-4|heartRate|Heart|"high@|ecg|150|140|"bed":"4"/);
  });
});

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

describe("a change of shift while a page escalates", () => {
  const [icu, ...others] = policy().units;
  const evening = policy({
    version: 2,
    effectiveFrom: logTime(at(20)),
    units: icu === undefined ? others : [{ ...icu, assignments: [{ bed: "4", to: ["birke"] }] }, ...others],
  });

  it("who comes is told of what happens from then on; the deadlines of the page stay", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.send("", at(20), evening);
    w.say(26, alarmAt(26, { identity: "again", instance: 1, value: 180 }));
    w.pass(26.5, 31);
    expect(w.told()).toEqual([
      "0 alarm start high -> amsel #0/0",
      "26 alarm start high -> birke #0/0",
      "30 alarm continue high -> charge #1/0",
    ]);
  });

  it("a reminder of what was accepted goes to who accepted, and to whoever has the bed now", () => {
    const w = ward();
    w.say(0, alarmAt(0));
    w.answer(5, "amsel", "accept");
    w.send("", at(20), evening);
    w.pass(20.5, 610);
    expect(w.told().slice(1)).toEqual([
      "605 reminder continue high -> amsel #0/1",
      "605 reminder continue high -> birke #0/0",
    ]);
  });

  it("to a night that has a chain of its own begins that chain: who is on shift hears of it before the last resort", () => {
    const w = ward();
    const before = 13 * 3_600 - 15; // 15 s before 22:00 in the unit
    w.say(before, alarmAt(before));
    w.pass(before + 0.5, before + 200);
    expect(w.told()).toEqual([
      `${before} alarm start high -> amsel #0/0`,
      `${before + 30} alarm continue high -> night #0/0`,
      `${before + 90} alarm continue high -> duty #1/0`,
    ]);
  });

  it("while only the last resort is left tells those of the night beside its next repeat", () => {
    const w = ward();
    const before = 13 * 3_600 - 300; // five minutes before 22:00 in the unit
    w.say(before, alarmAt(before));
    w.pass(before + 0.5, before + 460);
    expect(w.told().slice(3)).toEqual([
      `${before + 150} alarm continue high -> duty #3/0`,
      `${before + 270} alarm continue high -> duty #3/1`,
      `${before + 390} alarm continue high -> night #0/0`,
      `${before + 390} alarm continue high -> duty #1/0`,
      `${before + 450} alarm continue high -> duty #1/1`,
    ]);
  });
});
