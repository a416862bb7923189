/** Episodes: when one begins, qualifies, goes on and ends, by which rule, and whom a rule is for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Episode, Measurement, Rule } from "../schemas/records.ts";
import { eventTime, logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { link, ruleOf, subject, t0 } from "../streams/sim/said.ts";
import { thresholds } from "./thresholds.ts";

const spo2Low = ruleOf({ id: "spo2-low", metric: "spo2", ucum: "%", when: "below", limit: 90, clear: 92 });
const hrLow = ruleOf({ id: "hr-low", metric: "heartRate", when: "below", limit: 50, clear: 54 });
const hrZero = ruleOf({
  id: "hr-zero",
  metric: "heartRate",
  when: "indeterminateZero",
  limit: 0,
  minimumMs: 4_000,
  priority: "high",
});
const hrHigh = ruleOf({ id: "hr-high", metric: "heartRate", when: "above", limit: 120, clear: 115 });

const driven = (rules: readonly Rule[], version = 1) => {
  const d = drive(thresholds);
  d.send("", t0, { kind: "rules", version, effectiveFrom: logTime(t0), rules });
  return d;
};
type Ward = ReturnType<typeof driven>;
const give = (
  d: Ward,
  second: number,
  metric: "spo2" | "heartRate",
  value: number | null,
  more: Partial<Measurement> = {},
): void =>
  d.send(
    subject,
    (more.receivedTime ?? t0 + second * 1_000) + 100,
    measured(metric, t0 + second * 1_000, value, { subject, ...more }),
  );
/** One value a second from `from` on. */
const stream = (d: Ward, from: number, metric: "spo2" | "heartRate", values: readonly (number | null)[]): void =>
  values.forEach((value, i) => {
    if (value !== null) give(d, from + i, metric, value);
  });
const times = (n: number, value: number | null): (number | null)[] => Array.from({ length: n }, () => value);
const episodes = (d: Ward): Episode[] =>
  d
    .outputs("episodes")
    .map(({ body }) => body)
    .filter((b) => b.kind === "episode");
const told = (d: Ward): string[] =>
  episodes(d).map(
    (e) => `${e.rule.id} ${e.phase} ${(e.start - t0) / 1_000}-${e.end === null ? "" : (e.end - t0) / 1_000}`,
  );

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

describe("whom a rule is for", () => {
  const association = link({ ageBand: "child", from: t0, confirmedBy: null, confirmedAt: null });

  it("a child is judged by a child's limits, and the link goes on to the episodes", () => {
    const d = driven([hrHigh, { ...hrHigh, id: "hr-high-child", ageBand: "child", limit: 160, clear: 155 }]);
    d.send(subject, t0, association);
    stream(d, 0, "heartRate", times(20, 150));
    expect(told(d)).toEqual([]);
    expect(d.outputs("episodes")).toMatchObject([{ key: subject, body: { kind: "association", id: "a-1" } }]);
  });

  it("a child for whose metric there is no rule is judged by the adult's: nobody goes without an alarm", () => {
    const d = driven([hrHigh]);
    d.send(subject, t0, association);
    stream(d, 0, "heartRate", times(20, 150));
    expect(told(d)).toEqual(["hr-high start 0-"]);
  });

  it("a unit's rule is for its own patients", () => {
    const d = driven([
      { ...hrHigh, units: ["CCU"] },
      { ...hrHigh, id: "hr-high-icu", units: ["ICU"] },
    ]);
    d.send(subject, t0, { ...association, ageBand: "adult" });
    stream(d, 0, "heartRate", times(20, 150));
    expect(told(d)).toEqual(["hr-high-icu start 0-"]);
  });

  it("a device that nobody is linked to is judged by the adult rules, for the board", () => {
    const d = driven([hrHigh]);
    for (let second = 0; second < 11; second++)
      d.send("mon-1", t0 + second * 1_000, measured("heartRate", t0 + second * 1_000, 150));
    expect(episodes(d)).toMatchObject([{ subject: "mon-1", association: null }]);
  });

  it("an age that becomes known ends what no longer applies", () => {
    const d = driven([hrHigh, { ...hrHigh, id: "hr-high-child", ageBand: "child", limit: 160, clear: 155 }]);
    stream(d, 0, "heartRate", times(11, 150));
    d.send(subject, t0 + 11_000, association);
    stream(d, 11, "heartRate", [150]);
    expect(episodes(d).at(-1)).toMatchObject({ phase: "end", ended: "rule changed" });
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

describe("a new set of rules", () => {
  it("holds from its own time on and ends the episodes of rules that changed", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(11, 125));
    const changed = { ...hrHigh, version: 2, limit: 130, clear: 126 };
    d.send("", t0 + 11_000, { kind: "rules", version: 2, effectiveFrom: logTime(t0 + 20_000), rules: [changed] });
    stream(d, 11, "heartRate", times(8, 125));
    expect(told(d)).toEqual(["hr-high start 0-"]);
    stream(d, 20, "heartRate", times(20, 125));
    expect(episodes(d).at(-1)).toMatchObject({ phase: "end", ended: "rule changed", rule: { version: 1 } });
    expect(told(d)).toHaveLength(2);
  });

  const announce = (d: ReturnType<typeof driven>, rule: Rule, second: number): void =>
    d.send("", t0 + second * 1_000, {
      kind: "rules",
      version: 2,
      effectiveFrom: logTime(t0 + second * 1_000),
      rules: [rule],
    });

  it("keeps an episode that the new version of its rule holds too: one revision says so, and one end comes", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(11, 150));
    announce(d, { ...hrHigh, version: 2, limit: 130, clear: 126, priority: "high" }, 11);
    stream(d, 11, "heartRate", [150, 150, 128, 150, ...times(20, 80)]);
    expect(episodes(d).map(({ phase, revision, rule, ended }) => [phase, revision, rule.version, ended])).toEqual([
      ["start", 0, 1, null],
      ["start", 1, 2, null],
      ["end", 2, 2, "cleared"],
    ]);
    expect(new Set(episodes(d).map(({ identity }) => identity)).size).toBe(1);
    expect(episodes(d)[1]).toMatchObject({ start: t0, rulesVersion: 2, rule: { priority: "high", limit: 130 } });
  });

  it("what was clearing goes on clearing under it; an invalid sample decides nothing", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", [...times(11, 150), 80, 80]);
    announce(d, { ...hrHigh, version: 2, title: "another title" }, 13);
    give(d, 13, "heartRate", 80, { validity: "invalid" });
    expect(told(d)).toEqual(["hr-high start 0-"]);
    stream(d, 14, "heartRate", times(20, 80));
    expect(episodes(d).at(-1)).toMatchObject({ phase: "end", ended: "cleared", rule: { version: 2 } });
  });

  it("a crossing that lasts goes on counting where every sample is beyond the new limit too, else it begins anew", () => {
    const starts = (limit: number): number[] => {
      const d = driven([hrHigh]);
      stream(d, 0, "heartRate", times(6, 125));
      announce(d, { ...hrHigh, version: 2, limit, clear: limit - 5 }, 6);
      stream(d, 6, "heartRate", times(20, 150));
      return episodes(d).map(({ start }) => (start - t0) / 1_000);
    };
    expect(starts(122)).toEqual([0]);
    expect(starts(130)).toEqual([6]);
  });

  it("that was approved and is not any more ends what was told, and begins in the shadow", () => {
    const d = driven([{ ...hrHigh, approval: { by: "Dr. Amsel", at: t0, demo: false } }]);
    stream(d, 0, "heartRate", times(11, 150));
    announce(d, { ...hrHigh, version: 2, approval: null }, 11);
    stream(d, 11, "heartRate", times(12, 150));
    expect(episodes(d).map(({ phase, rule, ended }) => [phase, rule.version, ended])).toEqual([
      ["start", 1, null],
      ["end", 1, "rule changed"],
      ["start", 2, null],
    ]);
  });

  it("leaves the episodes of unchanged rules open", () => {
    const d = driven([hrHigh]);
    stream(d, 0, "heartRate", times(11, 125));
    d.send("", t0 + 11_000, { kind: "rules", version: 2, effectiveFrom: logTime(t0), rules: [hrHigh, spo2Low] });
    stream(d, 11, "heartRate", times(8, 125));
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
