/** The platform's own pages: hops, modes of degradation, heartbeats, no policy, and what leaves the trust boundary. */
import { describe, expect, it } from "vitest";
import { alarmAt, at, ended, policy } from "../streams/sim/paged.ts";
import { ward } from "./paging.fixture.ts";

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
