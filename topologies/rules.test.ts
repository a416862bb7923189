/** The reader of rules: the shipped ones are sound, and each fault is refused in its place. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { approveForDemo, parseRules, readRules } from "./rules.ts";

const file = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const shipped = file("./rules/adult-example.json");
const plain = file("../test/profiles/plain.json");

const spo2Low = {
  id: "spo2-low",
  version: 1,
  title: "SpO2 low",
  metric: "spo2",
  ucum: "%",
  when: "below",
  limit: 90,
  clear: 92,
  minimumMs: 15_000,
  clearMs: 15_000,
  priority: "medium",
  critical: false,
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain: false,
  approval: null,
};
const hrLow = { ...spo2Low, id: "hr-low", metric: "heartRate", ucum: "/min", limit: 50, clear: 54 };
const hrZero = { ...hrLow, id: "hr-zero", when: "indeterminateZero", limit: 0, clear: null, priority: "high" };
const ids = (rules: readonly { id: string }[]): string[] => rules.map(({ id }) => id);
const problemsOf = (...rules: unknown[]): string[] =>
  readRules(JSON.stringify(rules)).problems.map(({ place, message }) => `${place}: ${message}`);

describe("the shipped rules", () => {
  it("are sound, and nobody has approved them", () => {
    const read = parseRules(shipped);
    expect(read.ok && read.value.length).toBeGreaterThan(15);
    expect(read.ok && read.value.every(({ approval }) => approval === null)).toBe(true);
  });

  it("are one rule per line", () => {
    const lines = shipped.trim().split("\n").slice(1, -1);
    expect(lines.map((line) => JSON.parse(line.replace(/,$/, "")).id)).toEqual(ids(JSON.parse(shipped)));
  });

  it("page every unexplained zero HIGH", () => {
    const read = parseRules(shipped);
    const zeros = read.ok ? read.value.filter(({ when }) => when === "indeterminateZero") : [];
    expect(zeros.map(({ metric, priority }) => [metric, priority])).toEqual([
      ["heartRate", "high"],
      ["pulseRate", "high"],
      ["spo2", "high"],
      ["respiratoryRate", "high"],
      ["nibpMean", "high"],
      ["artMean", "high"],
    ]);
  });

  it("are marked as demo where the demo ward approves them", () => {
    const read = parseRules(shipped);
    const approved = approveForDemo(read.ok ? read.value : [], 1_800_000_000_000);
    expect(approved[0]?.approval).toEqual({ by: "Demo ward", at: 1_800_000_000_000, demo: true });
  });
});

describe("plain limits", () => {
  it("are a test profile: refused, unless a test asks for them", () => {
    const refused = parseRules(plain);
    expect(refused.ok ? "" : refused.problem.detail).toContain(
      "rules[0].plain (plain-hr-below-60): a limit without delay is a test profile and refused here",
    );
    expect(parseRules(plain, { allowPlain: true }).ok).toBe(true);
  });
});

describe("a faulty file is refused with every problem in its place", () => {
  it.each([
    ["no JSON", "[{", /rules: is no JSON/],
    ["no array", "{}", /rules: must be an array of rules/],
  ])("%s", (_, text, expected) => {
    const read = parseRules(text);
    expect(read.ok ? "" : read.problem.detail).toMatch(expected);
  });

  it.each([
    ["an unknown metric", { metric: "ph" }, "rules[0].metric (spo2-low): is no known metric"],
    [
      "a waveform",
      { metric: "pleth", ucum: "{NU}" },
      "rules[0].metric (spo2-low): is a waveform; rules judge single values",
    ],
    ["another unit", { ucum: "1" }, 'rules[0].ucum (spo2-low): must be "%", the unit of spo2'],
    [
      "an impossible limit",
      { limit: 900, clear: 901 },
      "rules[0].limit (spo2-low): is outside the plausible 0 to 100 %",
    ],
    ["hysteresis the wrong way round", { clear: 88 }, "rules[0].clear (spo2-low): must not be below the limit"],
    ["a field that no rule has", { colour: "red" }, 'rules[0] (spo2-low): Unrecognized key: "colour"'],
    [
      "an approval by nobody",
      { approval: { by: "", at: 1, demo: false } },
      "rules[0].approval.by (spo2-low): Too small",
    ],
  ])("%s", (_, change, expected) => {
    expect(problemsOf({ ...spo2Low, ...change })[0]).toContain(expected);
  });

  it("all of them at once", () => {
    expect(problemsOf({ ...spo2Low, ucum: "1", clear: 1 }, { ...spo2Low, limit: -1 }, spo2Low)).toEqual([
      'rules[0].ucum (spo2-low): must be "%", the unit of spo2',
      "rules[0].clear (spo2-low): must not be below the limit",
      "rules[1].limit (spo2-low): is outside the plausible 0 to 100 %",
      "rules[1] (spo2-low): has the id of an earlier rule",
      "rules[2] (spo2-low): has the id of an earlier rule",
    ]);
  });
});

describe("a low heart rate limit", () => {
  it("without a rule for unexplained zeros would let an arrest pass as no signal", () => {
    expect(problemsOf(hrLow)).toEqual([
      "rules[0] (hr-low): needs an indeterminateZero rule for heartRate of at least its priority beside it",
    ]);
    expect(problemsOf(hrLow, hrZero)).toEqual([]);
  });

  it("needs that rule at its own priority or above, for its own patients", () => {
    expect(problemsOf(hrLow, { ...hrZero, priority: "low" })).toHaveLength(1);
    expect(problemsOf(hrLow, { ...hrZero, ageBand: "child" })).toHaveLength(1);
    expect(problemsOf(hrLow, { ...hrZero, units: ["ICU"] })).toHaveLength(1);
    expect(problemsOf({ ...hrLow, units: ["ICU"] }, { ...hrZero, units: ["ICU"] })).toEqual([]);
  });
});
