/** Who is told by a policy, and that the shipped example is sound. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { logTime } from "../streams/core/time.ts";
import { readPolicy } from "../streams/io/policy-file.ts";
import { policy, t0 } from "../streams/sim/paged.ts";
import { consolePolicy, lastResortOf, noPolicies, policyFor, policyInForce, resolve, withPolicy } from "./policy.ts";

const chainsAt = (hour: number, priority: "high" | "medium", unit = "ICU"): string[] =>
  policyFor(policy(), unit, priority, Date.UTC(2027, 0, 15, hour)).steps.flatMap(({ to }) => to);

describe("who is to be told", () => {
  it.each([
    [7, "high", ["@bed", "charge", "physician"]],
    [6, "high", ["@bed", "charge", "physician"]], // 07:00 in the unit, an hour ahead of UTC: the day begins
    [5, "high", ["night"]],
    [20, "high", ["@bed", "charge", "physician"]],
    [21, "medium", ["night"]], // 22:00 there, over midnight
    [23, "high", ["night"]],
    [0, "medium", ["night"]],
  ] as const)("at %i h UTC for %s", (hour, priority, to) => {
    expect(chainsAt(hour, priority)).toEqual(to);
  });

  it("goes by the unit's own clocks on the day when they are set", () => {
    const [icu, ...others] = policy().units;
    const offsets = [
      { from: Date.parse("2027-03-28T01:00:00Z"), minutes: 120 },
      { from: Date.parse("2027-10-31T01:00:00Z"), minutes: 60 },
    ];
    const berlin = policy({ units: icu === undefined ? others : [{ ...icu, offsets }, ...others] });
    const first = (at: string): string | undefined =>
      policyFor(berlin, "ICU", "high", Date.parse(at)).steps.flatMap(({ to }) => to)[0];
    expect(first("2027-03-27T05:30:00Z")).toBe("night"); // 06:30
    expect(first("2027-03-28T05:30:00Z")).toBe("@bed"); // 07:30: the day shift has begun
    expect(first("2027-10-30T05:30:00Z")).toBe("@bed");
    expect(first("2027-10-31T05:30:00Z")).toBe("night");
  });

  it("a unit that is not named has that of *", () => {
    expect(chainsAt(3, "high", "Ward 9")).toEqual(["charge", "physician"]);
  });

  it("a hole that nobody refused is the last resort's, and the console's where that has nobody: never no one", () => {
    const hole = policy({ units: [] });
    const plan = policyFor(hole, "ICU", "high", t0);
    expect(plan.steps).toEqual([]);
    expect(lastResortOf(hole, plan).map(({ id }) => id)).toEqual(["console"]);
    expect(lastResortOf(consolePolicy, policyFor(consolePolicy, "x", "low", t0)).map(({ id }) => id)).toEqual([
      "console",
    ]);
  });

  it("a test receiver is no person, and a bed without one is unassigned", () => {
    const { unit } = policyFor(policy(), "ICU", "high", t0);
    expect(resolve(policy(), unit, ["beats"], []).recipients).toEqual([]);
    expect(resolve(policy(), unit, ["@bed"], ["4", "9"])).toMatchObject({
      recipients: [{ id: "amsel" }],
      unassigned: true,
    });
    expect(resolve(policy(), unit, ["@bed"], ["4", "5"])).toMatchObject({ unassigned: false });
    expect(resolve(policy(), unit, ["@bed"], [])).toMatchObject({ recipients: [], unassigned: true });
  });

  it("a policy holds from its time on, and the last one that holds stays", () => {
    const later = policy({ version: 2, effectiveFrom: logTime(t0 + 1_000) });
    const both = withPolicy(withPolicy(withPolicy(noPolicies, policy()), later), later);
    expect(policyInForce(both, t0)?.version).toBe(1);
    expect(policyInForce(both, t0 + 1_000)?.version).toBe(2);
    expect(policyInForce(noPolicies, t0)).toBeNull();
  });
});

describe("the shipped example", () => {
  it("is one that the circuit takes", () => {
    const text = readFileSync(new URL("policies/example.json", import.meta.url), "utf8");
    expect(readPolicy(text, new Set(["mqtt", "webhook", "console"]))).toMatchObject({ ok: true });
  });
});
