import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeviceAlarm } from "../schemas/records/alert.ts";
import { alarmOf } from "../schemas/decoding/alarm.ts";
import type { DecodedAlarm, DecodedReading, DeviceAdapter } from "../schemas/devices/adapter.ts";
import { type Association, undisputed } from "../schemas/records/roster.ts";
import type { Reading } from "../schemas/records/telemetry.ts";
import { ok } from "../streams/core/failure.ts";
import { deviceTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { normalise } from "./normalise.ts";

const t0 = 1_800_000_000_000;
const minute = 60_000;

/** Payloads of the tests are decoded readings as JSON, so that each test shows what the device said. */
const adapterOf = (model: string, more: Partial<DeviceAdapter> = {}): DeviceAdapter => ({
  model,
  vendor: "test",
  ...more,
  decode(payload) {
    const nothing = { device: null, boot: null, sequence: null, deviceTime: null, measurements: [], waveforms: [] };
    const said = JSON.parse(new TextDecoder().decode(payload)) as Partial<DecodedReading>;
    return ok({ ...nothing, problems: [], ...said });
  },
});
const adapters = new Map(
  [
    adapterOf("monitor"),
    adapterOf("beacon", { alarmsOnly: true }),
    adapterOf("heart", { alarmsOnly: true, synthetic: true }),
  ].map((adapter) => [adapter.model, adapter]),
);

const codes = {
  ASYSTOLE: { event: "asystole", channel: "ecg", metric: "heartRate" },
  SPO2_LO: { event: "low", channel: "spo2", metric: "spo2" },
  TEMP_HI: { event: "high", channel: "temp", metric: "temperature" },
} as const;
const shown = (code: string, more: Partial<DecodedAlarm> = {}): DecodedAlarm => ({ ...alarmOf(codes, code), ...more });
const since = (ms: number) => ({ since: deviceTime(t0 + ms) });
const hr = {
  channel: "ecg",
  metric: "heartRate",
  value: 72,
  ucum: "/min",
  validity: "valid",
  evidence: null,
  periodMs: 1_000,
} as const;

const association = (change: Partial<Association> = {}): Association => ({
  kind: "association",
  ...undisputed,
  id: "a-1",
  revision: 0,
  device: "mon-1",
  subject: "subject-1",
  patientKey: "p-1",
  bed: "ICU-01",
  unit: "ICU",
  ageBand: "adult",
  from: t0 - 3_600_000,
  to: null,
  confirmedBy: "Nurse A",
  confirmedAt: t0 - 3_600_000,
  assertedBy: "roster",
  ...change,
});

const driven = (associations: readonly Association[] = [association()], model = "monitor") => {
  const d = drive(normalise(adapters));
  d.send("mon-1", t0 - 1, {
    kind: "device",
    device: "mon-1",
    model,
    serial: null,
    unit: "ICU",
    clockUncertaintyMs: 2_000,
    silentAfterMs: 10_000,
    version: 1,
  });
  for (const a of associations) d.send("mon-1", t0 - 1, a);
  return d;
};
type Ward = ReturnType<typeof driven>;

const send = (d: Ward, receivedMs: number, said: object, more: Partial<Reading> = {}): void =>
  d.send("mon-1", receivedMs, {
    kind: "reading",
    device: "mon-1",
    stream: "numerics",
    mqttTopic: "afferent/mon-1/numerics",
    payload: new TextEncoder().encode(JSON.stringify(said)),
    receivedTime: receivedTime(receivedMs),
    session: "s-1",
    dup: false,
    retained: false,
    truncated: null,
    ...more,
  });
/** At t0 + `ms` of its own clock the device lists these; it is received at once unless told otherwise. */
const list = (d: Ward, ms: number, all: readonly DecodedAlarm[], more: object = {}, comesMs = ms): void =>
  send(d, t0 + comesMs, { deviceTime: t0 + ms, alarms: { all }, measurements: [hr], ...more });

const told = (d: Ward): DeviceAlarm[] =>
  d
    .outputs("vitals")
    .map(({ body }) => body)
    .filter((b) => b.kind === "deviceAlarm");
const inShort = (d: Ward): string[] =>
  told(d).map((a) => `${a.why} ${a.code} ${a.present ? "there" : a.signal} ${(a.eventTime - t0) / 1_000}`);

describe("a device's own alarm", () => {
  it("is told when it begins and when it ends, and not in between", () => {
    const d = driven();
    list(d, 0, []);
    for (let second = 1; second <= 5; second++) list(d, second * 1_000, [shown("ASYSTOLE", since(700))]);
    list(d, 6_000, []);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0.7", "ends ASYSTOLE inactive 6"]);
    const [begin, end] = told(d);
    expect(begin).toMatchObject({
      subject: "subject-1",
      association: "a-1",
      device: "mon-1",
      channel: "ecg",
      event: "asystole",
      alertType: "physiological",
      priority: "high", // it says none
      signal: "active",
      deviceTime: t0 + 700,
      receivedTime: t0 + 1_000,
      saidAt: t0 + 1_000,
      test: false,
    });
    expect(end?.identity).toBe(begin?.identity);
    expect(d.outputs("vitals").filter(({ body }) => body.kind === "deviceAlarm")[0]?.key).toBe("subject-1");
  });

  it("is told again when its priority, signal, pause or text changes, and not for its value", () => {
    const d = driven();
    const low = (more: Partial<DecodedAlarm>) =>
      shown("SPO2_LO", { ...since(0), priority: "medium", ucum: "%", ...more });
    list(d, 0, [low({ value: 88 })]);
    list(d, 1_000, [low({ value: 86 })]);
    list(d, 2_000, [low({ value: 79, priority: "high" })]);
    list(d, 3_000, [low({ value: 78, priority: "high", inactivation: "audioPaused" })]);
    list(d, 4_000, [low({ value: 93, priority: "high", signal: "latched" })]);
    list(d, 5_000, []);
    expect(inShort(d)).toEqual([
      "begins SPO2_LO there 0",
      "changes SPO2_LO there 0",
      "changes SPO2_LO there 0",
      "changes SPO2_LO latched 4",
      "ends SPO2_LO inactive 5",
    ]);
    expect(told(d).map(({ value }) => value)).toEqual([88, 79, 78, 93, 93]);
    expect(new Set(told(d).map(({ identity }) => identity)).size).toBe(1);
  });

  it("that ended and began anew between two lists is another one", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    list(d, 10_000 - 1, [shown("ASYSTOLE", since(6_000))]);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0", "ends ASYSTOLE inactive 6", "begins ASYSTOLE there 6"]);
    expect(told(d)[0]?.identity).not.toBe(told(d)[2]?.identity);
  });

  it("in metric units; what is no number is left out, said, and the alarm stands", () => {
    const d = driven();
    list(d, 0, [shown("TEMP_HI", { value: 102.2, ucum: "[degF]", highLimit: 100.4, priority: "low" })]);
    list(d, 1_000, [shown("TEMP_HI"), shown("SPO2_LO", { value: 4, ucum: "mmHg", lowLimit: 90 })]);
    expect(told(d)).toMatchObject([
      { code: "TEMP_HI", value: 39, ucum: "Cel", highLimit: 38 },
      { code: "TEMP_HI", priority: "high" },
      { code: "SPO2_LO", value: null, lowLimit: null },
    ]);
    expect(d.refusals().map(({ reason }) => reason)).toEqual(["unknown-unit", "unknown-unit"]);
  });

  it("whose code nobody has mapped has no event, and comes out all the same", () => {
    const d = driven();
    list(d, 0, [shown("QT_LONG", { text: "QTc\u0000 520 ms" })]);
    expect(told(d)).toMatchObject([
      { code: "QT_LONG", text: "QTc 520 ms", event: null, priority: "high", present: true },
    ]);
  });

  it("of a device in demo mode, and of one that nobody is linked to, comes out too", () => {
    const d = driven([]);
    list(d, 0, [shown("ASYSTOLE")], { measurements: [{ ...hr, validity: "demo" }] });
    expect(told(d)).toMatchObject([{ subject: null, device: "mon-1", test: false, present: true }]);
    expect(d.outputs("vitals").find(({ body }) => body.kind === "deviceAlarm")?.key).toBe("mon-1");
  });

  it("is not ended by a reading that says nothing of alarms, nor by a gap", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    send(d, t0 + 1_000, { deviceTime: t0 + 1_000, measurements: [hr] });
    d.tick(t0 + 60_000);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0"]);
  });

  it("is not ended by a list of which a part could not be read", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    const changes = [{ ...shown("no code", { event: null, text: "?" }), present: true }];
    send(d, t0 + 1_000, { deviceTime: t0 + 1_000, measurements: [hr], alarms: { changes } });
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0", "begins no code there 1"]);
  });

  it("twice in one list is refused the second time", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE"), shown("ASYSTOLE", { text: "again" })]);
    expect(told(d)).toHaveLength(1);
    expect(d.refusals().map(({ reason }) => reason)).toEqual(["alarm-twice"]);
  });
});

describe("more alarms at once than a device has", () => {
  const many = (priority: DecodedAlarm["priority"], n: number): DecodedAlarm[] =>
    Array.from({ length: n }, (_, i) => shown(`${priority}-${i}`, { priority }));

  it("a high one is told behind any number of lower ones, in one list or in several", () => {
    const d = driven();
    const flood = many("low", 600);
    list(d, 0, [...flood, ...many("high", 3)]);
    list(d, 1_000, [...flood, ...many("high", 3), ...many("medium", 2), shown("ASYSTOLE")]);
    const codes = told(d).map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(["high-0", "high-2", "medium-1", "ASYSTOLE"]));
    expect(codes.filter((code) => code.startsWith("low")).length).toBeLessThanOrEqual(256);
    expect(new Set(d.refusals().map(({ reason }) => reason))).toEqual(new Set(["too-many-alarms"]));
  });

  it("their number has an end all the same", () => {
    const d = driven();
    list(d, 0, many("high", 2_000));
    expect(told(d)).toHaveLength(768);
  });
});

describe("a device that no roster names", () => {
  const stranger = (alarms: object, seconds: number, d = drive(normalise(adapters))): Ward => {
    send(d, t0 + seconds * 1_000, { alarms, measurements: [hr] });
    return d;
  };
  const all = [shown("ASYSTOLE", { text: "ASYSTOLE bed 7", priority: null })];

  it("has its alarm told raw, under its own name and with its own words, once", () => {
    const d = stranger({ all }, 0);
    for (const s of [1, 2, 60, 600]) stranger({ all }, s, d);
    expect(told(d)).toMatchObject([
      {
        why: "begins",
        subject: null,
        device: "mon-1",
        event: null,
        code: "ASYSTOLE",
        text: "ASYSTOLE bed 7 (mon-1 is not in the roster)",
        priority: "high",
        present: true,
        test: false,
      },
    ]);
    expect(d.outputs("vitals").every(({ key, body }) => key === "mon-1" && body.kind === "deviceAlarm")).toBe(true);
    expect(new Set(d.refusals().map(({ reason }) => reason))).toEqual(new Set(["unknown-device"]));
    stranger({ all: [] }, 601, d);
    expect(inShort(d).at(-1)).toBe("ends ASYSTOLE inactive 601");
  });

  it("without an alarm leaves nothing in state, whatever it is called", () => {
    const d = stranger({ all: [] }, 0);
    send(d, t0 + 1_000, { measurements: [hr] });
    expect([...d.stored().keys()].filter((cell) => cell !== "checkpoint")).toEqual([]);
  });

  it("that is not heard of for an hour is forgotten, and its alarm ends", () => {
    const d = stranger({ all }, 0);
    d.restart();
    d.tick(t0 + 3_599_000);
    expect(d.outputs("vitals")).toHaveLength(1);
    d.tick(t0 + 3_601_000);
    expect(d.outputs("vitals").at(-1)?.body).toMatchObject({ kind: "subjectEnded", device: "mon-1", subject: "mon-1" });
    expect([...d.stored().keys()].filter((cell) => cell !== "checkpoint")).toEqual([]);
  });

  it("once it is in the roster has its alarm told as what it is, of whom it measures", () => {
    const d = stranger({ all }, 0);
    d.send("mon-1", t0 + 1_000, {
      kind: "device",
      device: "mon-1",
      model: "monitor",
      serial: null,
      unit: "ICU",
      clockUncertaintyMs: 2_000,
      silentAfterMs: 10_000,
      version: 1,
    });
    d.send("mon-1", t0 + 1_000, association());
    list(d, 2_000, all);
    expect(told(d).map(({ why, event, subject }) => [why, event, subject])).toEqual([
      ["begins", null, null],
      ["begins", "asystole", "subject-1"],
    ]);
    expect(d.outputs("vitals").filter(({ body }) => body.kind === "subjectEnded")).toHaveLength(1);
  });

  it.each([
    ["on the platform's own topic", { mqttTopic: "afferent-platform/mon-1/numerics" }],
    ["on another device's topic", { mqttTopic: "afferent/mon-2/numerics" }],
    ["as a broker's retained copy", { retained: true }],
    ["cut off", { truncated: { size: 100_000, sha256: "ab" } }],
  ])("%s is only refused", (_, more) => {
    const d = drive(normalise(adapters));
    send(d, t0, { alarms: { all } }, more);
    expect(d.outputs("vitals")).toEqual([]);
    expect(d.refusals()).toHaveLength(1);
  });
});

describe("after a gap", () => {
  it("one that is still there is told again, with its own onset and identity", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    d.tick(t0 + 30_000);
    list(d, 30_000, [shown("ASYSTOLE", since(0))]);
    list(d, 31_000, [shown("ASYSTOLE", since(0))]);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0", "afterGap ASYSTOLE there 0"]);
    expect(told(d)[1]).toMatchObject({ identity: told(d)[0]?.identity, saidAt: t0 + 30_000 });
  });

  it("one second short of the limit is no gap", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    list(d, 9_999, [shown("ASYSTOLE", since(0))]);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0"]);
  });

  it("values that cannot be used are no gap in what the device says of its alarms", () => {
    const d = driven();
    for (let second = 0; second < 30; second++)
      list(d, second * 1_000, [shown("ASYSTOLE", since(0))], {
        measurements: [{ ...hr, value: null, validity: "invalid" }],
      });
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0"]);
  });

  it("one that is gone has ended at the first list without it", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(0))]);
    list(d, 300_000, []);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0", "ends ASYSTOLE inactive 300"]);
  });
});

describe("what comes twice, late or retained", () => {
  it("a repeated reading says nothing, whatever came in between", () => {
    const d = driven();
    const first = { deviceTime: t0, sequence: 1, boot: "b", alarms: { all: [shown("ASYSTOLE", since(0))] } };
    send(d, t0, first);
    send(d, t0 + 1_000, { deviceTime: t0 + 1_000, sequence: 2, boot: "b", alarms: { all: [] } });
    send(d, t0 + 2_000, first);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 0", "ends ASYSTOLE inactive 1"]);
  });

  it("a backlog that drains beside the live stream tells what was, and changes nothing of what is", () => {
    const d = driven();
    const asystole = shown("ASYSTOLE", since(-300_000));
    const low = shown("SPO2_LO", since(-1_000));
    list(d, 0, [low], { sequence: 400, boot: "b" });
    list(d, -299_000, [asystole], { sequence: 101, boot: "b" }, 100);
    list(d, 1_000, [low], { sequence: 401, boot: "b" });
    list(d, -298_000, [asystole], { sequence: 102, boot: "b" }, 1_100);
    list(d, -297_000, [], { sequence: 103, boot: "b" }, 1_200);
    list(d, 2_000, [low], { sequence: 402, boot: "b" });
    expect(inShort(d)).toEqual([
      "begins SPO2_LO there -1",
      "begins ASYSTOLE there -300",
      "ends ASYSTOLE inactive -297",
    ]);
    expect(told(d).map((a) => a.receivedTime - a.saidAt > minute)).toEqual([false, true, true]);
  });

  it("what only a backlog had, and what it never said the end of, ends when no more of it comes", () => {
    const d = driven();
    list(d, 0, [], { sequence: 400, boot: "b" });
    list(d, -299_000, [shown("ASYSTOLE", since(-300_000))], { sequence: 101, boot: "b" }, 100);
    for (let second = 1; second <= 11; second++) list(d, second * 1_000, [], { sequence: 400 + second, boot: "b" });
    expect(inShort(d)).toEqual(["begins ASYSTOLE there -300", "ends ASYSTOLE inactive 11"]);
  });

  it("one that was told late and is still there is told again by the first list that comes in time", () => {
    const d = driven();
    list(d, 0, [], { sequence: 1, boot: "b" });
    const asystole = shown("ASYSTOLE", since(1_000));
    for (const second of [1, 2, 100]) list(d, second * 1_000, [asystole], { sequence: 1 + second, boot: "b" }, 300_000);
    list(d, 301_000, [asystole], { sequence: 302, boot: "b" });
    list(d, 302_000, [asystole], { sequence: 303, boot: "b" });
    expect(inShort(d)).toEqual(["begins ASYSTOLE there 1", "current ASYSTOLE there 1"]);
    expect(told(d)).toMatchObject([{ saidAt: t0 + 1_000 }, { saidAt: t0 + 301_000, receivedTime: t0 + 301_000 }]);
  });

  it("an alarm of an hour ago that a device shows on its first reading is said now", () => {
    const d = driven();
    list(d, 0, [shown("ASYSTOLE", since(-60 * minute))]);
    expect(told(d)).toMatchObject([{ why: "begins", eventTime: t0 - 60 * minute, saidAt: t0, receivedTime: t0 }]);
  });

  it("a retained copy without a time raises nothing; with one it tells what was, and is no sign of life", () => {
    const d = driven();
    send(d, t0, { alarms: { all: [shown("ASYSTOLE")] } }, { retained: true });
    expect(told(d)).toEqual([]);
    expect(d.refusals().map(({ reason }) => reason)).toEqual(["retained-undated"]);
    list(d, 1_000, []);
    send(d, t0 + 2_000, { deviceTime: t0 - 200_000, alarms: { all: [shown("ASYSTOLE")] } }, { retained: true });
    list(d, 3_000, []);
    expect(inShort(d)).toEqual(["begins ASYSTOLE there -200", "ends ASYSTOLE inactive 3"]);
    expect((told(d)[0]?.receivedTime ?? 0) - (told(d)[0]?.saidAt ?? 0)).toBeGreaterThan(minute);
  });

  it("single changes: an end that is had without its beginning tells that there was an alarm, and is over", () => {
    const d = driven();
    const change = (ms: number, present: boolean, more: object = {}) =>
      send(d, t0 + ms, {
        deviceTime: t0 + ms,
        alarms: { changes: [{ ...shown("ASYSTOLE", more), present }] },
        measurements: [hr],
      });
    change(0, true, since(0));
    change(5_000, false, since(0));
    change(200_000, false, since(100_000));
    change(201_000, false);
    expect(inShort(d)).toEqual([
      "begins ASYSTOLE there 0",
      "ends ASYSTOLE inactive 5",
      "begins ASYSTOLE there 100",
      "ends ASYSTOLE inactive 200",
    ]);
    expect(told(d)[2]).toMatchObject({ saidAt: t0 + 100_000, receivedTime: t0 + 200_000 });
  });
});

describe("times and people", () => {
  it("a clock that is two minutes slow is corrected for the onset too; identity is by what was claimed", () => {
    const slow = driven();
    const right = driven();
    list(slow, -120_000, [], {}, 0);
    list(slow, -119_000, [shown("ASYSTOLE", since(-119_500))], {}, 1_000);
    list(right, -119_000, [shown("ASYSTOLE", since(-119_500))]);
    expect(told(slow)).toMatchObject([{ eventTime: t0 + 500, saidAt: t0 + 1_000, deviceTime: t0 - 119_500 }]);
    expect(told(right)).toMatchObject([{ eventTime: t0 - 119_500, identity: told(slow)[0]?.identity }]);
  });

  it("an onset in the future began when it was received; one that no calendar has is left out, and said", () => {
    const d = driven();
    list(d, 0, []);
    list(d, 1_000, [shown("ASYSTOLE", since(600_000)), shown("SPO2_LO", { since: deviceTime(1e18) })]);
    expect(told(d).map(({ eventTime: at }) => at - t0)).toEqual([1_000, 1_000]);
    expect(d.refusals().map(({ reason }) => reason)).toEqual(["device-time-invalid"]);
  });

  it("an alarm so near a change of patient that nobody knows whose it was pages where the device stands now", () => {
    const d = driven([
      association({ to: t0 + 1_000 }),
      association({ id: "a-2", subject: "subject-2", bed: "ICU-02", from: t0 + 1_000 }),
    ]);
    list(d, 0, [], { sequence: 1, boot: "b" });
    list(d, 500, [shown("ASYSTOLE", since(400))], { sequence: 2, boot: "b" }, 100_000);
    expect(told(d)).toMatchObject([{ subject: "subject-2", association: "a-2", eventTime: t0 + 400 }]);
  });

  it("one that is still there when the device goes to another patient is told for that one", () => {
    const d = driven([
      association({ to: t0 + 10_000 }),
      association({ id: "a-2", subject: "subject-2", bed: "ICU-02", from: t0 + 10_000 }),
    ]);
    list(d, 5_000, [shown("ASYSTOLE", since(5_000))]);
    list(d, 11_000, [shown("ASYSTOLE", since(5_000))]);
    list(d, 12_000, []);
    expect(told(d).map(({ why, subject }) => `${why} ${subject}`)).toEqual([
      "begins subject-1",
      "begins subject-2",
      "ends subject-2",
    ]);
  });
});

describe("tests and what is expected of a device", () => {
  const beat = (ms: number) => ({
    deviceTime: t0 + ms,
    alarms: { changes: [{ ...shown("BEAT", { ...since(ms), value: ms / 1_000 }), present: true }] },
  });
  const ofPlatform = { mqttTopic: "afferent-platform/mon-1/alarms", stream: "alarms" };

  it("a test is what comes on the platform's topic; each beat is an alarm of its own", () => {
    const d = driven([], "heart");
    send(d, t0, beat(0), ofPlatform);
    send(d, t0 + 5_000, beat(5_000), ofPlatform);
    expect(told(d).map((a) => [a.why, a.value, a.test])).toEqual([
      ["begins", 0, true],
      ["ends", 0, true],
      ["begins", 5, true],
    ]);
  });

  it("a device that calls its alarm a test on its own topic is a device like any other", () => {
    const d = driven([], "heart");
    send(d, t0, { ...beat(0), test: true, mode: "test" });
    expect(told(d)).toMatchObject([{ test: false }]);
  });

  it("a device is not the platform, whoever lets it publish there", () => {
    const d = driven();
    send(d, t0, beat(0), ofPlatform);
    expect(told(d)).toEqual([]);
    expect(d.refusals()).toMatchObject([{ reason: "platform-topic" }]);
  });

  const standings = (d: Ward): string[] =>
    d.outputs("vitals").flatMap(({ body }) => (body.kind === "deviceState" ? [body.state] : []));

  it("a monitor of which only alarms come is not monitored", () => {
    const d = driven();
    list(d, 0, []);
    for (let second = 1; second <= 12; second++) {
      send(d, t0 + second * 1_000, { deviceTime: t0 + second * 1_000, alarms: { all: [] } });
      d.tick(t0 + second * 1_000);
    }
    expect(standings(d)).toEqual(["streaming", "silent"]);
  });

  it("a device that only has alarms to report streams while it says that there are none, and falls silent like any other", () => {
    const d = driven([association()], "beacon");
    for (let second = 0; second <= 12; second++)
      send(d, t0 + second * 1_000, { deviceTime: t0 + second * 1_000, alarms: { all: [] } });
    d.tick(t0 + 22_000);
    expect(standings(d)).toEqual(["streaming", "silent"]);
  });
});

describe("whatever lists come, in order", () => {
  const reading = fc.record({
    afterMs: fc.integer({ min: 500, max: 25_000 }),
    codes: fc.subarray(["ASYSTOLE", "SPO2_LO", "TEMP_HI"]),
    priority: fc.constantFrom("high" as const, "low" as const),
  });
  it("what was told last of each alarm is what the device says, over any restart", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), fc.nat(20), (readings, restartAt) => {
        const d = driven();
        let ms = 0;
        readings.forEach(({ afterMs, codes: present, priority }, i) => {
          ms += afterMs;
          if (i === restartAt) d.restart();
          list(
            d,
            ms,
            present.map((code) => shown(code, { priority })),
          );
          const last = new Map(told(d).map((alarm) => [alarm.code, alarm]));
          const there = [...last.values()].filter((alarm) => alarm.present);
          expect(there.map(({ code }) => code).sort()).toEqual([...present].sort());
          expect(there.every((alarm) => alarm.priority === priority)).toBe(true);
          // each that is there was told by this reading if there was a gap
          if (afterMs >= 10_000 && i > 0) expect(there.every(({ saidAt }) => saidAt === t0 + ms)).toBe(true);
        });
        const begun = told(d).filter(({ why }) => why === "begins").length;
        const ended = told(d).filter(({ why }) => why === "ends").length;
        expect(begun - ended).toBe((readings.at(-1)?.codes ?? []).length);
      }),
      { numRuns: 100 },
    );
  });
});
