import { describe, expect, it } from "vitest";
import { adapter as heartbeat } from "../schemas/devices/afferent-heartbeat.ts";
import { adapter as monitor } from "../schemas/devices/sim-monitor.ts";
import type { Notification, Page, Policy } from "../schemas/alert-records.ts";
import type { Association, Device, Rule } from "../schemas/records.ts";
import type { RawBody } from "../schemas/topics.ts";
import { logTime, receivedTime } from "../streams/core/time.ts";
import { chain } from "../streams/sim/chain.ts";
import { drive } from "../streams/sim/drive.ts";
import { alarmsOf, at, inShort, link, ruleOf, t0 } from "../streams/sim/said.ts";
import { alarms } from "./alarms.ts";
import { circuitTopology } from "./circuit.ts";
import { normalise } from "./normalise.ts";
import { paging } from "./paging.ts";
import { thresholds } from "./thresholds.ts";

const adapters = new Map([monitor, heartbeat].map((adapter) => [adapter.model, adapter]));

const rules: readonly Rule[] = [
  ruleOf({ id: "hr-low", when: "below", limit: 50, clear: 54, minimumMs: 5_000, priority: "high" }),
  ruleOf({ id: "hr-high", when: "above", limit: 120, clear: 115, minimumMs: 5_000 }),
  ruleOf({ id: "hr-zero", when: "indeterminateZero", limit: 0, minimumMs: 4_000, priority: "high" }),
];

const recipient = (id: string): Policy["recipients"][number] => ({
  id,
  role: id,
  inside: true,
  test: id === "watch",
  addresses: [{ notifier: "console", to: id }],
});
const allDay = { fromMinute: 0, toMinute: 0 };
const policy: Policy = {
  kind: "policy",
  version: 1,
  effectiveFrom: logTime(t0 - 1),
  recipients: ["nurse", "charge", "doctor", "engineer", "watch"].map(recipient),
  chains: [
    {
      name: "bedside",
      steps: [
        { to: ["nurse"], acceptWithinMs: 60_000 },
        { to: ["charge"], acceptWithinMs: 60_000 },
      ],
      continuesWith: null,
    },
    { name: "platform", steps: [{ to: ["engineer"], acceptWithinMs: 60_000 }], continuesWith: null },
  ],
  units: [
    { unit: "*", chain: "bedside", last: "doctor" },
    { unit: "platform", chain: "platform", last: "engineer" },
  ].map(({ unit, chain: of, last }) => ({
    unit,
    utcOffsetMinutes: 0,
    offsets: [],
    schedules: [{ priorities: ["high", "medium", "low"], ...allDay, chain: of }],
    lastResort: { to: [last], repeatMs: 60_000 },
    remindAcceptedMs: 600_000,
    assignments: [],
  })),
};

/** The circuit's stages one after the other, as over its log. */
const circuit = () => {
  const first = drive(normalise(adapters));
  const second = drive(thresholds);
  const third = drive(alarms);
  const last = drive(paging);
  second.send("", t0 - 1, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 1), rules });
  last.send("", t0 - 1, policy);
  return {
    ...chain<RawBody>([first, second, third, last], ["vitals", "episodes", "alarms"]),
    outputs: third.outputs,
    answer: last.send,
    told: () =>
      last
        .outputs("notifications")
        .map(({ body }) => body)
        .filter((body): body is Notification => body.kind === "notification"),
    pages: () =>
      last
        .outputs("notifications")
        .map(({ body }) => body)
        .filter((body): body is Page => body.kind === "page"),
    refusals: () => [first, second, third, last].flatMap((stage) => stage.refusals()),
  };
};
type Circuit = ReturnType<typeof circuit>;

const device: Device = {
  kind: "device",
  device: "mon-1",
  model: "sim-monitor",
  serial: null,
  unit: "ICU",
  clockUncertaintyMs: 2_000,
  silentAfterMs: 10_000,
  version: 1,
};
const iso = (ms: number): string => new Date(ms).toISOString();

interface Second {
  readonly hr?: number;
  readonly pr?: number;
  readonly alarms?: readonly object[];
  readonly flags?: object;
  /** When it arrives, in seconds; the second itself unless told otherwise. */
  readonly arrives?: number;
  /** By how much the device's clock is wrong. */
  readonly clockMs?: number;
  /** What second its clock gives. */
  readonly claims?: number;
}

/** One reading of mon-1, as the simulated ward's monitor sends it. */
const say = (c: Circuit, second: number, { hr = 72, pr = hr, alarms: shown = [], ...more }: Second = {}): void => {
  const { arrives = second, clockMs = 0, claims = second, flags } = more;
  const payload = {
    device: "mon-1",
    boot: "b1",
    seq: second + 20_000,
    time: iso(at(claims) + clockMs),
    numerics: [
      { name: "HR", value: hr, unit: "bpm" },
      { name: "PR", value: pr, unit: "bpm" },
    ],
    alarms: shown,
    ...(flags !== undefined && { flags }),
  };
  sendBytes(c, arrives, JSON.stringify(payload));
};
const sendBytes = (c: Circuit, second: number, text: string): void =>
  c.send("mon-1", at(second), {
    kind: "reading",
    device: "mon-1",
    stream: "numerics",
    mqttTopic: "afferent/mon-1/numerics",
    payload: new TextEncoder().encode(text),
    receivedTime: receivedTime(at(second)),
    session: "s-1",
    dup: false,
    retained: false,
    truncated: null,
  });
const asystole = (since: number, clockMs = 0): object => ({
  code: "ASYSTOLE",
  text: "*** ASYSTOLE",
  priority: "high",
  state: "active",
  silence: "none",
  since: iso(at(since) + clockMs),
});
/** Seconds `from` to `to`, each with a reading and a tick. */
const stream = (c: Circuit, from: number, to: number, of: Second = {}): void => {
  for (let second = from; second <= to; second++) {
    say(c, second, of);
    c.tick(at(second) + 500);
  }
};
const silence = (c: Circuit, from: number, to: number): void => {
  for (let second = from; second <= to; second++) c.tick(at(second) + 500);
};
const linked = (more: Partial<Association> = {}): Circuit => {
  const c = circuit();
  c.send("mon-1", t0, device);
  c.send("mon-1", t0, link({ from: t0 - 3_600_000, ...more }));
  return c;
};

/** A beat of the platform's own device, five seconds after the last. */
const beat = (c: Circuit, seq: number): void =>
  c.send("beat-1", at(5 * seq), {
    kind: "reading",
    device: "beat-1",
    stream: "alarms",
    mqttTopic: "afferent-platform/beat-1/alarms",
    payload: new TextEncoder().encode(JSON.stringify({ device: "beat-1", boot: "x", seq, time: at(5 * seq) })),
    receivedTime: receivedTime(at(5 * seq)),
    session: "s",
    dup: false,
    retained: false,
    truncated: null,
  });

describe("from what a monitor sends to an alarm", () => {
  it("an arrest that reads as zeros is high: check the patient, and the monitor's own asystole is the same page", () => {
    const c = linked();
    stream(c, 1, 5);
    stream(c, 6, 12, { hr: 0, alarms: [asystole(6)] });
    expect(alarmsOf(c)).toMatchObject([
      { source: "device", event: "asystole", priority: "high", onset: at(6), bed: "4", unit: "ICU" },
      { source: "rule", event: "noSignalOrPulse", priority: "high", onset: at(6), value: 0, timeliness: "current" },
    ]);
    expect(alarmsOf(c)[0]?.group).toBe(alarmsOf(c)[1]?.group);
  });

  it("nobody's monitor, its clock a year off, already in alarm when it is first heard: told at once, in its unit", () => {
    const c = circuit();
    const clockMs = -365 * 86_400_000;
    c.send("mon-1", t0, device);
    say(c, 1, { clockMs, alarms: [asystole(-30, clockMs)] });
    expect(alarmsOf(c)).toMatchObject([
      { event: "asystole", unit: "ICU", bed: null, onset: at(-30), timeliness: "current", instance: 0 },
    ]);
  });

  it("a monitor whose clock stands still is judged by ours: its zeros are an alarm within their rule's time", () => {
    const c = linked();
    stream(c, 1, 60);
    for (let second = 61; second <= 300; second++) {
      say(c, second, { claims: 60, hr: second < 90 ? 72 : 0 });
      c.tick(at(second) + 500);
    }
    expect(alarmsOf(c)).toMatchObject([
      { source: "rule", event: "noSignalOrPulse", phase: "start", onset: at(90), value: 0, timeliness: "current" },
    ]);
    expect(alarmsOf(c)[0]?.receivedTime).toBe(at(94));
    expect(c.pages()[0]).toMatchObject({ priority: "high", raisedAt: at(94) });
  });

  it("and no later where its zeros begin at the moment in which its clock stops", () => {
    const c = linked();
    stream(c, 1, 60);
    for (let second = 61; second <= 80; second++) say(c, second, { claims: 60, hr: 0 });
    expect(alarmsOf(c)).toMatchObject([{ event: "noSignalOrPulse", phase: "start", timeliness: "current" }]);
    expect(alarmsOf(c)[0]?.receivedTime).toBeLessThanOrEqual(at(61 + 3 + 4));
  });

  it("twelve silent seconds are monitoring lost and end nothing; what is there afterwards is raised again", () => {
    const c = linked();
    stream(c, 1, 20, { hr: 30, alarms: [asystole(1)] });
    silence(c, 21, 32);
    stream(c, 33, 36, { hr: 30, alarms: [asystole(1)] });
    expect(inShort(c)).toEqual([
      "asystole #0 start current",
      "low #0 start current",
      "monitoringLost #0 start current",
      "low #0 end current",
      "low #1 start current",
      "asystole #0 end current",
      "asystole #1 start current",
      "monitoringLost #0 end current",
    ]);
    expect(
      alarmsOf(c)
        .filter(({ phase }) => phase === "start")
        .at(-2)?.onset,
    ).toBe(at(1));
  });

  it("four hours of backlog page nobody as current: what is over is one delayed item each, what is still so pages with its onset", () => {
    const c = linked();
    stream(c, 1, 10);
    silence(c, 11, 30);
    const now = 14_400;
    for (let second = 31; second < now; second += 3) {
      const hr = second >= 1_000 && second < 1_100 ? 150 : second >= 14_002 ? 30 : 72;
      const shown = second >= 2_000 && second < 2_050 ? [asystole(2_000)] : [];
      say(c, second, { hr, alarms: shown, arrives: now + second / 1_000 });
    }
    for (let second = now; second < now + 20; second++) say(c, second, { hr: 30, arrives: Math.max(second, now + 15) });
    const told = alarmsOf(c).filter(({ event }) => event !== "monitoringLost");
    expect(told.map((a) => `${a.event} ${a.phase} ${a.timeliness} ${(a.onset - t0) / 1_000}`)).toEqual([
      "high start late 1000",
      "high end over 1000",
      "asystole start late 2000",
      "asystole end over 2000",
      "low start late 14002",
      "low start current 14002",
    ]);
  });

  it("what it had stored comes after it is live again: one delayed item each, none of now, and none when it comes once more", () => {
    const c = linked();
    stream(c, 1, 10);
    silence(c, 11, 30);
    const now = 3_600;
    stream(c, now, now + 20, { hr: 30 });
    const stored = (from: number): void => {
      for (let second = 31; second < now; second += 3) {
        const hr = second >= 1_000 && second < 1_100 ? 150 : second >= 1_999 && second < 2_100 ? 30 : 72;
        say(c, second, { hr, arrives: from + second / 1_000 });
      }
      stream(c, from + 20, from + 40, { hr: 30 });
    };
    stored(now + 21);
    stored(now + 1_200);
    const ofRules = alarmsOf(c).filter(({ source }) => source === "rule");
    const late = ofRules.filter(({ timeliness }) => timeliness !== "current");
    expect(late.map((a) => `${a.event} ${a.phase} ${a.timeliness} ${(a.onset - t0) / 1_000}`)).toEqual([
      "high start late 1000",
      "high end over 1000",
      "low start late 1999",
      "low end over 1999",
    ]);
    expect(new Set(ofRules.filter((a) => !late.includes(a)).map(({ onset }) => onset))).toEqual(new Set([at(now)]));
    expect(
      c
        .told()
        .filter(({ what, event }) => what === "delayed" && event !== "monitoringLost")
        .map(({ event, recipient }) => `${event} ${recipient}`),
    ).toEqual(["high nurse", "low nurse"]);
  });

  it("a device that no roster names, in alarm, reaches whoever is there for what nobody has placed", () => {
    const c = circuit();
    for (let second = 1; second <= 40; second++) {
      say(c, second, { alarms: [asystole(1)] });
      c.tick(at(second) + 500);
    }
    expect(alarmsOf(c)).toMatchObject([
      { event: "unmapped", unit: "unknown", bed: null, device: "mon-1", priority: "high", timeliness: "current" },
    ]);
    expect(c.told().map(({ recipient, text }) => `${recipient}: ${text}`)).toEqual([
      "nurse: unmapped alarm: *** ASYSTOLE (mon-1 is not in the roster)",
    ]);
  });

  it("an adapter that a new firmware breaks sounds", () => {
    const c = linked();
    stream(c, 1, 5);
    for (let second = 6; second < 10; second++) sendBytes(c, second, JSON.stringify({ fw: 2, hr: 30 }));
    expect(inShort(c)).toEqual(["monitoringLost #0 start current"]);
    expect(alarmsOf(c)[0]?.detail).toContain("what it sends cannot be used");
  });

  it("a lead that is off is one alarm, and one page with what the monitor says of it", () => {
    const c = linked();
    stream(c, 1, 5);
    const leads = { code: "LEADS_OFF", text: "ECG leads off", priority: "low", state: "active", silence: "none" };
    stream(c, 6, 20, { hr: 0, pr: 70, flags: { ecg: ["leadOff"] }, alarms: [{ ...leads, since: iso(at(6)) }] });
    expect(alarmsOf(c)).toMatchObject([
      { source: "device", event: "sensorOff", alertType: "technical" },
      { source: "technical", event: "sensorOff", detail: "leadOff flag set", priority: "medium" },
    ]);
    expect(alarmsOf(c)[0]?.group).toBe(alarmsOf(c)[1]?.group);
  });

  it("a monitor that goes to the next patient takes its alarms from the one and raises them for the other", () => {
    const c = linked();
    stream(c, 1, 10, { alarms: [asystole(1)] });
    c.send("mon-1", at(10.6), link({ from: t0 - 3_600_000, revision: 2, to: at(10.6) }));
    c.send("mon-1", at(10.6), link({ id: "a-2", subject: "subject-2", bed: "9", from: at(10.6) }));
    stream(c, 11, 13, { alarms: [asystole(1)] });
    expect(alarmsOf(c).map((a) => `${a.phase} ${a.subject} ${a.bed} ${a.detail}`)).toEqual([
      "start subject-1 4 null",
      "end subject-1 4 the device left",
      "start subject-2 9 null",
    ]);
  });

  it("the platform's heartbeat is a test", () => {
    const c = circuit();
    c.send("beat-1", t0, { ...device, device: "beat-1", model: "afferent-heartbeat", unit: "platform" });
    for (const seq of [1, 2]) beat(c, seq);
    expect(alarmsOf(c).map((a) => `${a.event} ${a.phase} ${a.value} ${a.test} ${a.unit}`)).toEqual([
      "heartbeat start 1 true platform",
      "heartbeat end 1 true platform",
      "heartbeat start 2 true platform",
      "heartbeat end 2 true platform",
    ]);
    expect(c.refusals()).toEqual([]);
  });
});

const inWords = (c: Circuit): string[] =>
  c.told().map((n) => `${(n.at - t0) / 1_000} ${n.recipient}: ${n.what} ${n.event} ${n.phase} bed ${n.bed}`);

describe("from what a monitor sends to a person", () => {
  it("an arrest reaches the nurse with its reading, the charge nurse when nobody takes it, and nobody more once she does", () => {
    const c = linked();
    stream(c, 1, 5);
    stream(c, 6, 70, { hr: 0, alarms: [asystole(6)] });
    const [page] = c.pages();
    c.answer("ICU", at(71), {
      kind: "answer",
      id: "1",
      page: page?.identity ?? "",
      who: "charge",
      what: "accept",
      at: at(71),
      via: "mqtt",
    });
    stream(c, 72, 200, { hr: 0, alarms: [asystole(6)] });
    expect(inWords(c)).toEqual([
      "6 nurse: alarm asystole start bed 4",
      "10 nurse: alarm noSignalOrPulse start bed 4",
      "66.5 charge: alarm noSignalOrPulse continue bed 4",
    ]);
    expect(c.pages().at(-1)).toMatchObject({ state: "accepted", acceptedBy: "charge", priority: "high" });
    expect(c.refusals()).toEqual([]);
  });

  it("silence reaches her too, what is still there afterwards is news, and what is over is not", () => {
    const c = linked();
    stream(c, 1, 10, { alarms: [asystole(1)] });
    silence(c, 11, 21);
    stream(c, 22, 23, { alarms: [asystole(1)] });
    stream(c, 24, 25);
    expect(inWords(c).filter((said) => !said.includes("ended"))).toEqual([
      "1 nurse: alarm asystole start bed 4",
      "20.5 nurse: alarm monitoringLost start bed 4",
      "22 nurse: alarm asystole start bed 4",
    ]);
    expect(c.pages().filter(({ state }) => state === "over")).toHaveLength(2);
  });

  it("a backlog of four hours is one delayed item for each alarm that is over", () => {
    const c = linked();
    stream(c, 1, 10);
    const now = 14_400;
    for (let second = 11; second < now; second += 4) {
      const shown = second >= 2_000 && second < 2_050 ? [asystole(2_000)] : [];
      say(c, second, { alarms: shown, arrives: now + second / 1_000 });
    }
    const [item, ...more] = c.told();
    expect(more).toEqual([]);
    expect(item).toMatchObject({ what: "delayed", recipient: "nurse", event: "asystole", bed: "4", onset: at(2_000) });
    expect(item?.end).toBe(at(2_051));
  });

  it("a heartbeat reaches the watch and nobody else", () => {
    const c = circuit();
    c.send("beat-1", t0, { ...device, device: "beat-1", model: "afferent-heartbeat", unit: "platform" });
    beat(c, 1);
    expect(inWords(c)).toEqual(["5 watch: test heartbeat start bed null"]);
  });
});

describe("the circuit's topology", () => {
  it("is four stages over topics of its own log, and each hears the ticks of the one before", () => {
    const circuitOf = circuitTopology(adapters);
    expect(circuitOf.stages.map(({ name }) => name)).toEqual(["normalise", "thresholds", "alarms", "paging"]);
    expect(circuitOf.topics.map(({ name }) => name).sort()).toEqual([
      "alert.alarms",
      "alert.notifications",
      "alert.quarantine",
      "telemetry.episodes",
      "telemetry.quarantine",
      "telemetry.raw",
      "telemetry.vitals",
    ]);
    expect(circuitOf.upstreams("alert.alarms")).toEqual(["alarms:telemetry.episodes/0", "alarms:telemetry.episodes/1"]);
  });
});
