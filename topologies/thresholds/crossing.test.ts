import { describe, expect, it } from "vitest";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { measured } from "../../streams/sim/measured.ts";
import { crossingOf } from "./crossing.ts";

const rule = (when: Rule["when"], limit: number, clear: number | null, plain = false): Rule => ({
  id: "r",
  version: 1,
  title: "r",
  metric: "heartRate",
  ucum: "/min",
  when,
  limit,
  clear,
  minimumMs: 0,
  clearMs: 0,
  priority: "high",
  critical: false,
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain,
  approval: null,
});
const low = rule("below", 50, 54);
const high = rule("above", 120, 115);
const zero = rule("indeterminateZero", 0, null);
const plainLow = rule("below", 8, null, true);
const plainZero = rule("equals", 0, null, true);

describe("what a value says about a rule", () => {
  it.each([
    ["below its limit", low, 49, "valid", "crossing"],
    ["at its limit, which is not beyond", low, 50, "valid", "between"],
    ["at its clear limit", low, 54, "valid", "back"],
    ["questionable and below", low, 49, "questionable", "crossing"],
    ["invalid and below", low, 49, "invalid", "unjudged"],
    ["from a test", low, 49, "test", "unjudged"],
    ["a zero that nothing explains is no low value", low, 0, "indeterminate", "unjudged"],
    ["nor does it end a high one", high, 0, "indeterminate", "unjudged"],
    ["a sensor that is off", low, 0, "sensorOff", "unjudged"],
    ["a zero that is a value (a pressure)", low, 0, "valid", "crossing"],
    ["above its limit", high, 121, "valid", "crossing"],
    ["between", high, 116, "valid", "between"],
    ["a zero that nothing explains, to the rule for it", zero, 0, "indeterminate", "crossing"],
    ["any value, to that rule", zero, 40, "valid", "back"],
    ["a sensor that is off, to that rule", zero, 0, "sensorOff", "unjudged"],
    ["plain: below", plainLow, 7, "valid", "crossing"],
    ["plain: a zero counts only under equals", plainLow, 0, "valid", "back"],
    ["plain: whatever it is worth", plainLow, 0, "indeterminate", "back"],
    ["plain: under equals it does", plainZero, 0, "indeterminate", "crossing"],
    ["plain: a missing value ends the run", plainLow, 7, "invalid", "missing"],
  ] as const)("%s", (_, of, value, validity, expected) => {
    const m: Measurement = measured("heartRate", 1_800_000_000_000, value, { validity });
    expect(crossingOf(of, m)).toBe(expected);
  });

  it("none at all is missing to a plain rule and nothing to another", () => {
    const m = measured("heartRate", 1_800_000_000_000, null, { validity: "empty" });
    expect([crossingOf(plainLow, m), crossingOf(low, m)]).toEqual(["missing", "unjudged"]);
  });
});
