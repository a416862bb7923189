/** Episodes: when one begins, qualifies, goes on and ends. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Episode, Measurement } from "../schemas/records/telemetry.ts";
import { eventTime, receivedTime } from "../streams/core/time.ts";
import { subject, t0 } from "../streams/sim/said.ts";
import { spo2Low, hrLow, hrZero, hrHigh, driven, give, stream, times, episodes, told } from "./thresholds.fixture.ts";

describe("a slow desaturation", () => {
  it("becomes an episode once it has lasted, with its real onset, and ends once it is past the clear limit for long enough", () => {
    const d = driven([spo2Low]);
    stream(d, 0, "spo2", [95, 93, 91, 89, 88, 87, 86, 85, 84, 84, 84, 84, 84]);
    expect(told(d)).toEqual([]);
    stream(d, 13, "spo2", [84, 83, 86, 89, 91, 92, 93, 94, 95, 96, 96]);
    expect(told(d)).toEqual(["spo2-low start 3-", "spo2-low end 3-16"]);
    const [start, end] = episodes(d);
    expect(start).toMatchObject({
      qualifyingValue: 84,
      qualifyingAt: t0 + 13_000,
      qualifyingValidity: "valid",
      revision: 0,
      subject,
    });
    expect(end).toMatchObject({
      identity: start?.identity,
      revision: 1,
      extreme: 83,
      min: 83,
      max: 89,
      count: 14,
      ended: "cleared",
    });
    expect(end?.mean).toBeCloseTo((89 + 88 + 87 + 86 + 85 + 84 * 6 + 83 + 86 + 89) / 14, 6);
  });

  it("that lasts two seconds is no episode", () => {
    const d = driven([spo2Low]);
    stream(d, 0, "spo2", [95, 89, 88, 95, 95]);
    expect(told(d)).toEqual([]);
  });

  it("whose value chatters between limit and clear stays one episode", () => {
    const d = driven([spo2Low]);
    stream(d, 0, "spo2", times(11, 89));
    stream(d, 11, "spo2", [...times(60, 91), 89, ...times(4, 93), 91, ...times(4, 93), 88, ...times(4, 93), 88]);
    expect(told(d)).toEqual(["spo2-low start 0-"]);
  });
});

describe("a gap", () => {
  it("never ends an episode", () => {
    const d = driven([spo2Low]);
    stream(d, 0, "spo2", times(11, 85));
    for (let minute = 1; minute < 60; minute++) d.tick(t0 + minute * 60_000);
    expect(told(d)).toEqual(["spo2-low start 0-"]);
    stream(d, 3_600, "spo2", times(6, 95));
    expect(told(d)).toEqual(["spo2-low start 0-", "spo2-low end 0-10"]);
  });

  it("does not count towards the minimum duration, nor towards the time of being back", () => {
    const d = driven([spo2Low]);
    stream(d, 0, "spo2", [85, 85, ...times(60, null), 85]);
    expect(told(d)).toEqual([]);
    stream(d, 63, "spo2", times(10, 85));
    expect(told(d)).toEqual(["spo2-low start 62-"]);
    stream(d, 73, "spo2", [95, ...times(60, null), 95, 95]);
    expect(told(d)).toHaveLength(1);
  });
});

describe("an asystole that shows as zeros", () => {
  it("opens the rule for unexplained zeros and does not end the bradycardia before it", () => {
    const d = driven([hrLow, hrZero]);
    stream(d, 0, "heartRate", times(11, 40));
    for (let second = 11; second < 20; second++) give(d, second, "heartRate", 0, { validity: "indeterminate" });
    expect(told(d)).toEqual(["hr-low start 0-", "hr-zero start 11-"]);
    expect(episodes(d)[1]).toMatchObject({
      rule: { priority: "high" },
      qualifyingValue: 0,
      qualifyingValidity: "indeterminate",
    });
  });

  it("is not what a lead that fell off shows", () => {
    const d = driven([hrLow, hrZero]);
    for (let second = 0; second < 60; second++) give(d, second, "heartRate", 0, { validity: "sensorOff" });
    expect(told(d)).toEqual([]);
  });
});

describe("what a value must be to cross", () => {
  it.each(["invalid", "test", "demo", "sensorOff", "empty"] as const)("%s never does", (validity) => {
    const d = driven([hrHigh]);
    for (let second = 0; second < 30; second++)
      give(d, second, "heartRate", validity === "empty" ? null : 180, { validity });
    expect(told(d)).toEqual([]);
  });

  it("questionable does, and says so", () => {
    const d = driven([hrHigh]);
    for (let second = 0; second < 11; second++) give(d, second, "heartRate", 180, { validity: "questionable" });
    expect(episodes(d)).toMatchObject([{ phase: "start", qualifyingValidity: "questionable" }]);
  });

  it("a repeated or late measurement is not judged", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(9, 130));
    const late = { receivedTime: receivedTime(t0 + 8_500) };
    for (let repeat = 0; repeat < 20; repeat++) give(d, repeat % 9, "heartRate", 130, late);
    give(d, 4, "heartRate", 80, late);
    expect(told(d)).toEqual([]);
    stream(d, 9, "heartRate", times(2, 130));
    expect(told(d)).toEqual(["hr-high start 0-"]);
  });

  it("nor is another value for the time that was judged last", () => {
    const d = driven([{ ...hrHigh, minimumMs: 0, clearMs: 0 }]);
    give(d, 0, "heartRate", 130);
    give(d, 0, "heartRate", 80);
    expect(told(d)).toEqual(["hr-high start 0-"]);
  });
});

describe("a value that says it is from the future", () => {
  const tenYears = 10 * 365 * 86_400_000;
  const fromTheFuture = (second: number, aheadMs: number): Partial<Measurement> => ({
    eventTime: eventTime(t0 + second * 1_000 + aheadMs),
  });

  it("silences nothing: it is judged when it was received, and what comes after it as if it were no such value", () => {
    const d = driven([hrHigh]);
    give(d, 0, "heartRate", 80);
    give(d, 1, "heartRate", 80, fromTheFuture(1, tenYears));
    stream(d, 2, "heartRate", times(11, 150));
    expect(told(d)).toEqual(["hr-high start 2-"]);
  });

  it("is an alarm like any other", () => {
    const d = driven([hrHigh]);
    for (let second = 0; second < 11; second++) give(d, second, "heartRate", 150, fromTheFuture(second, tenYears));
    expect(told(d)).toEqual(["hr-high start 0-"]);
  });

  it("does not count as such inside its device's uncertainty", () => {
    const d = driven([hrHigh]);
    for (const second of [0, 10])
      give(d, second, "heartRate", 150, { ...fromTheFuture(second, 60_000), clockUncertaintyMs: 60_000 });
    expect(episodes(d)).toMatchObject([{ qualifyingAt: t0 + 70_000, clockUncertaintyMs: 60_000 }]);
  });

  it("was right once, before the server's clock was set back an hour: rules go on, and what is open stays open until it ends", () => {
    const d = driven([hrHigh, spo2Low]);
    stream(d, 3_600, "heartRate", times(11, 150));
    stream(d, 3_600, "spo2", times(5, 85));
    stream(d, 12, "heartRate", times(20, 150));
    stream(d, 12, "spo2", times(11, 85));
    expect(told(d)).toEqual(["hr-high start 3600-", "spo2-low start 12-"]);
    stream(d, 32, "heartRate", times(6, 80));
    expect(episodes(d).at(-1)).toMatchObject({ rule: { id: "hr-high" }, phase: "end", ended: "cleared" });
    for (const e of episodes(d)) expect(e.end ?? e.start).toBeGreaterThanOrEqual(e.start);
  });

  it("and what was about to clear then starts to clear anew", () => {
    const d = driven([hrHigh]);
    stream(d, 3_600, "heartRate", [...times(11, 150), ...times(4, 80)]);
    stream(d, 20, "heartRate", times(5, 80));
    expect(told(d)).toEqual(["hr-high start 3600-"]);
    stream(d, 25, "heartRate", times(1, 80));
    expect(told(d)).toHaveLength(2);
  });
});

describe("a device that leaves its subject", () => {
  it("ends its episodes; later measurements from before it left start none", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(11, 150));
    d.send(subject, t0 + 12_000, { kind: "subjectEnded", subject, device: "mon-1", at: eventTime(t0 + 60_000) });
    stream(d, 20, "heartRate", times(20, 150));
    expect(told(d)).toEqual(["hr-high start 0-", "hr-high end 0-10"]);
    expect(episodes(d)[1]).toMatchObject({ ended: "subject ended" });
    d.tick(t0 + 86_500_000);
    expect([...d.stored().keys()].filter((k) => k !== "checkpoint")).toEqual([]);
  });

  it("says nothing of another device of the same subject", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(11, 150));
    d.send(subject, t0 + 12_000, { kind: "subjectEnded", subject, device: "mon-2", at: eventTime(t0 + 12_000) });
    expect(told(d)).toEqual(["hr-high start 0-"]);
  });
});

describe("whatever is measured", () => {
  const rules = [
    hrLow,
    hrZero,
    hrHigh,
    { ...hrHigh, id: "plain-hr", plain: true, minimumMs: 0, clearMs: 0, clear: null },
  ];
  const sample = fc.record({
    second: fc.integer({ min: 0, max: 300 }),
    value: fc.constantFrom(0, 30, 49, 52, 80, 118, 121, 180),
    validity: fc.constantFrom("valid", "questionable", "indeterminate", "sensorOff", "invalid"),
    leaves: fc.boolean(),
  });

  it("an episode never ends without having started, never starts twice, and a restart changes nothing", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 200 }),
        fc.nat({ max: 200 }),
        fc.boolean(),
        (samples, restartAt, inOrder) => {
          const ordered = inOrder ? samples.toSorted((a, b) => a.second - b.second) : samples;
          const run = (restart: number | null): Episode[] => {
            const d = driven(rules);
            ordered.forEach(({ second, value, validity, leaves }, i) => {
              if (i === restart) d.restart();
              const at = eventTime(t0 + second * 1_000);
              give(d, second, "heartRate", value, { validity } as Partial<Measurement>);
              if (leaves && i % 40 === 39) d.send(subject, at, { kind: "subjectEnded", subject, device: "mon-1", at });
            });
            return episodes(d);
          };
          const out = run(null);
          const open = new Set<string>();
          for (const e of out) {
            const episode = `${e.rule.id} ${e.late}`;
            if (e.phase === "start") {
              expect(open.has(episode)).toBe(false);
              open.add(episode);
            } else expect(open.delete(episode)).toBe(true);
            expect(e.end ?? e.start).toBeGreaterThanOrEqual(e.start);
          }
          expect(run(restartAt)).toEqual(out);
        },
      ),
      { numRuns: 60 },
    );
  });
});
