/** Which rule judges whom, and what becomes of open episodes when the rules change. */
import { describe, expect, it } from "vitest";
import type { Rule } from "../schemas/records/broadcast.ts";
import { logTime } from "../streams/core/time.ts";
import { measured } from "../streams/sim/measured.ts";
import { link, subject, t0 } from "../streams/sim/said.ts";
import { spo2Low, hrHigh, driven, give, stream, times, episodes, told } from "./thresholds.fixture.ts";

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
