/** What thresholds says for the alert circuit: devices and their alarms passed on, series that cannot be judged, episodes that still hold. */
import { describe, expect, it } from "vitest";
import type { SensorState, StillCrossing } from "../schemas/records/alert.ts";
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Measurement } from "../schemas/records/telemetry.ts";
import { eventTime, logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { deviceAlarm, leftAt, ruleOf, stateOf, subject, t0 } from "../streams/sim/said.ts";
import { thresholds } from "./thresholds.ts";

const spo2Low = ruleOf({
  id: "spo2-low",
  metric: "spo2",
  ucum: "%",
  when: "below",
  limit: 90,
  clear: 92,
  priority: "high",
});

const driven = (rules: readonly Rule[] = [spo2Low]) => {
  const d = drive(thresholds);
  d.send("", t0 - 1, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 1), rules });
  return d;
};
type Ward = ReturnType<typeof driven>;
type MetricName = Parameters<typeof measured>[0];

/** Of second `s`, received then or at `comesS`; time passes until it comes. */
const give = (
  d: Ward,
  s: number,
  metric: MetricName,
  value: number | null,
  more: Partial<Measurement> = {},
  comesS = s,
): void => {
  const at = t0 + comesS * 1_000;
  d.tick(at);
  d.send(
    subject,
    at + 20,
    measured(metric, t0 + s * 1_000, value, { subject, receivedTime: receivedTime(at), ...more }),
  );
};
const seconds = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const off = { validity: "sensorOff", evidence: "probeOff flag set" } as const;
const invalid = { validity: "invalid", evidence: "INV: the device calls it invalid" } as const;

const bodies = <K extends string>(d: Ward, kind: K) =>
  d.outputs("episodes").flatMap(({ body }) => (body.kind === kind ? [body as Extract<typeof body, { kind: K }>] : []));
const sensors = (d: Ward): string[] =>
  bodies(d, "sensorState").map((s: SensorState) => `${s.metric} ${s.state} since ${(s.since - t0) / 1_000}`);
const stills = (d: Ward): string[] =>
  bodies(d, "stillCrossing").map((s: StillCrossing) => `${s.why} ${s.value} at ${(s.at - t0) / 1_000}`);

describe("what is not its own", () => {
  const standing = stateOf("silent", 0);
  const alarm = deviceAlarm(0, { metric: "heartRate" });
  const ended = leftAt(5);

  it("is passed on under its key, word for word; who left is told after what ended with it", () => {
    const d = driven();
    for (const s of seconds(0, 12)) give(d, s, "spo2", 84);
    for (const body of [standing, alarm, ended]) d.send(subject, t0 + 12_000, body);
    expect(d.outputs("episodes").map(({ key, body }) => `${key} ${body.kind}`)).toEqual([
      "subject-1 episode",
      "subject-1 deviceState",
      "subject-1 deviceAlarm",
      "subject-1 episode",
      "subject-1 subjectEnded",
    ]);
    expect(bodies(d, "deviceAlarm")).toMatchObject([alarm]);
    expect(bodies(d, "deviceState")).toMatchObject([standing]);
    expect(bodies(d, "subjectEnded")).toMatchObject([ended]);
  });
});

describe("a series that cannot be judged", () => {
  it("a probe that is off is said once it has been off for ten seconds, and when it measures again", () => {
    const d = driven();
    for (const s of seconds(0, 5)) give(d, s, "spo2", 97);
    for (const s of seconds(5, 14)) give(d, s, "spo2", null, off);
    expect(sensors(d)).toEqual([]);
    for (const s of seconds(14, 40)) give(d, s, "spo2", null, off);
    for (const s of seconds(40, 45)) give(d, s, "spo2", 96);
    expect(sensors(d)).toEqual(["spo2 sensorOff since 5", "spo2 usable since 40"]);
    expect(bodies(d, "sensorState")[0]).toMatchObject({
      subject,
      device: "mon-1",
      evidence: "probeOff flag set",
      receivedTime: t0 + 14_000,
    });
  });

  it("what is invalid now and then says nothing; ten seconds of it, or of null, or of a test, do", () => {
    const d = driven();
    for (const s of seconds(0, 60)) give(d, s, "spo2", s % 3 === 0 ? 97 : null, s % 3 === 0 ? {} : invalid);
    expect(sensors(d)).toEqual([]);
    const kinds = [
      invalid,
      { validity: "empty", evidence: "sent as empty" },
      { validity: "test", evidence: null },
    ] as const;
    for (const s of seconds(60, 75)) give(d, s, "spo2", null, kinds[s % 3]);
    expect(sensors(d)).toEqual(["spo2 invalid since 58"]);
  });

  it("a value that was never usable is said ten seconds after its first sample", () => {
    const d = driven();
    for (const s of seconds(0, 10)) give(d, s, "artMean", null, invalid);
    expect(sensors(d)).toEqual([]);
    give(d, 10, "artMean", null, invalid);
    expect(sensors(d)).toEqual(["artMean invalid since 0"]);
  });

  it("a zero that no evidence explains is no broken sensor: it is judged", () => {
    const d = driven();
    for (const s of seconds(0, 30)) give(d, s, "spo2", 0, { validity: "indeterminate" });
    expect(sensors(d)).toEqual([]);
  });

  it("one that stops while its device is heard falls silent after its limit; that it is back is said at once", () => {
    const d = driven();
    for (const s of seconds(0, 5)) give(d, s, "spo2", 97);
    for (const s of seconds(0, 40)) give(d, s, "heartRate", 72);
    expect(sensors(d)).toEqual(["spo2 silent since 4"]);
    const told = d.outputs("episodes").find(({ body }) => body.kind === "sensorState");
    expect((told?.logTime ?? 0) - t0).toBe(15_000);
    give(d, 40, "spo2", 97);
    expect(sensors(d)).toEqual(["spo2 silent since 4", "spo2 usable since 40"]);
  });

  it("a device that is not heard at all has no silent series: its standing says it; what does not come back with it is", () => {
    const d = driven();
    for (const s of seconds(0, 5)) for (const metric of ["spo2", "heartRate"] as const) give(d, s, metric, 80);
    for (const s of seconds(5, 120)) d.tick(t0 + s * 1_000);
    expect(sensors(d)).toEqual([]);
    for (const s of seconds(120, 135)) give(d, s, "heartRate", 72);
    expect(sensors(d)).toEqual(["spo2 silent since 4"]);
  });

  it("limits follow the cadence: a pump's every ten seconds, a glucose every five minutes, a cuff on demand", () => {
    const d = driven();
    give(d, 0, "infusionRate", 12, { periodMs: 10_000 });
    give(d, 0, "glucoseInterstitial", 120, { periodMs: 300_000 });
    give(d, 0, "nibpSystolic", 120, { periodMs: null });
    for (const s of seconds(1, 1_500))
      if (s % 5 === 0) give(d, s, "heartRate", 72);
      else d.tick(t0 + s * 1_000);
    const told = d.outputs("episodes").filter(({ body }) => body.kind === "sensorState");
    expect(sensors(d)).toEqual(["infusionRate silent since 0", "glucoseInterstitial silent since 0"]);
    expect(told.map(({ logTime: at }) => (at - t0) / 1_000)).toEqual([26, 1_201]);
  });

  it("silence after an invalid stretch keeps since when it was of no use, and a restart keeps all of it", () => {
    const d = driven();
    give(d, 0, "spo2", 97);
    for (const s of seconds(1, 30)) {
      give(d, s, "heartRate", 72);
      if (s < 6) give(d, s, "spo2", null, invalid);
      if (s === 3 || s === 12) d.restart();
    }
    expect(sensors(d)).toEqual(["spo2 invalid since 1", "spo2 silent since 1"]);
  });

  it("one whose time does not advance is said, though its samples come; that it goes on is said at once", () => {
    const d = driven();
    for (const s of seconds(0, 60)) give(d, s, "spo2", 97);
    for (const s of seconds(60, 120)) give(d, 59, "spo2", 80, {}, s);
    expect(sensors(d)).toEqual(["spo2 invalid since 59"]);
    const [told] = d.outputs("episodes").filter(({ body }) => body.kind === "sensorState");
    expect(told?.body).toMatchObject({ subject, device: "mon-1", evidence: "its time does not advance" });
    expect((told?.logTime ?? 0) - t0).toBeLessThanOrEqual(82_000);
    for (const s of seconds(120, 135)) give(d, s, "spo2", 80);
    expect(sensors(d)).toEqual(["spo2 invalid since 59", "spo2 usable since 120"]);
    expect(bodies(d, "episode").map(({ start }) => (start - t0) / 1_000)).toEqual([120]);
  });

  it("samples out of order and stragglers after a gap say nothing of the series", () => {
    const d = driven();
    for (const s of seconds(0, 60)) {
      give(d, s, "spo2", 97);
      if (s % 7 === 0) give(d, s - 5, "spo2", 97, {}, s);
    }
    for (const s of [100, 101, 102]) give(d, s - 45, "spo2", 97, {}, s);
    for (const s of seconds(103, 130)) give(d, s, "spo2", 97);
    expect(sensors(d)).toEqual([]);
  });

  it("a series whose device left is forgotten", () => {
    const d = driven();
    for (const s of seconds(0, 5)) for (const metric of ["spo2", "heartRate"] as const) give(d, s, metric, 80);
    d.send(subject, t0 + 5_000, { kind: "subjectEnded", subject, device: "mon-1", at: eventTime(t0 + 5_000) });
    for (const s of seconds(5, 60)) d.tick(t0 + s * 1_000);
    expect(sensors(d)).toEqual([]);
  });
});

describe("an open episode still holds", () => {
  const open = (d: Ward): void => {
    for (const s of seconds(0, 12)) give(d, s, "spo2", 84);
  };

  it("after a gap longer than its series' limit, by the first sample", () => {
    const d = driven();
    open(d);
    give(d, 40, "spo2", 83);
    give(d, 41, "spo2", 82);
    expect(stills(d)).toEqual(["afterGap 83 at 40"]);
    const [episode] = bodies(d, "episode");
    expect(bodies(d, "stillCrossing")).toMatchObject([
      { episode: episode?.identity, subject, device: "mon-1", receivedTime: t0 + 40_000 },
    ]);
  });

  it("also by one between limit and clear limit, after invalid samples, and after a restart", () => {
    const d = driven();
    open(d);
    for (const s of seconds(12, 30)) give(d, s, "spo2", null, invalid);
    d.restart();
    give(d, 30, "spo2", 91);
    expect(stills(d)).toEqual(["afterGap 91 at 30"]);
  });

  it("not after ten seconds, not when it is back, and not for what is only pending", () => {
    const d = driven();
    give(d, -60, "spo2", 84);
    open(d);
    give(d, 21, "spo2", 84);
    give(d, 60, "spo2", 97);
    give(d, 61, "spo2", 84);
    expect(stills(d)).toEqual([]);
  });

  it("by the first sample that comes in time, where its start came late: with its real onset, once", () => {
    const d = driven();
    for (const s of seconds(0, 200)) give(d, s, "spo2", 84, {}, 600);
    expect(bodies(d, "episode")).toMatchObject([{ phase: "start", start: t0 }]);
    expect(stills(d)).toEqual([]);
    give(d, 601, "spo2", 83);
    give(d, 602, "spo2", 82);
    expect(stills(d)).toEqual(["current 83 at 601"]);
  });

  it("not where it was over before anything came in time", () => {
    const d = driven();
    for (const s of seconds(0, 20)) give(d, s, "spo2", 84, {}, 600);
    for (const s of seconds(20, 40)) give(d, s, "spo2", 97, {}, 600);
    give(d, 601, "spo2", 97);
    expect(bodies(d, "episode").map(({ phase }) => phase)).toEqual(["start", "end"]);
    expect(stills(d)).toEqual([]);
  });

  it("late is also what lay in the log for long before its log took it", () => {
    const d = driven();
    for (const s of seconds(0, 12))
      d.send(
        subject,
        t0 + 500_000,
        measured("spo2", t0 + s * 1_000, 84, { subject, receivedTime: receivedTime(t0 + s * 1_000) }),
      );
    give(d, 501, "spo2", 84);
    expect(stills(d)).toEqual(["current 84 at 501"]);
  });
});
