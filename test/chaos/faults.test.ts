import { describe, expect, it } from "vitest";
import { describeFault, drawFaults } from "./faults.ts";
import { isExact, tally } from "./tally.ts";

const targets = { roles: ["listen", "process-1"], servers: ["kafka"], proxies: { kafka: ["Produce"] } };
/** Kill, short and long hang of each role; kill and hang of the server; lost answers; the rolling restart. */
const deck = 2 * 3 + 2 + 1 + 1;

describe("faults", () => {
  it("are the same for the same seed and others for another", () => {
    const faults = drawFaults(1, 20, 180_000, targets);
    expect(drawFaults(1, 20, 180_000, targets)).toEqual(faults);
    expect(drawFaults(2, 20, 180_000, targets)).not.toEqual(faults);
  });

  it("strike every target in every way before any twice, in order, with load before and after", () => {
    const faults = drawFaults(7, deck, 60_000, targets);
    const kinds = faults.map((fault) => describeFault(fault).replace(/[\d.]+ s/, "a while"));
    expect(new Set(kinds).size).toBe(deck);
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    expect(Math.min(...faults.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(8_000);
    expect(Math.max(...faults.map(({ atMs }) => atMs))).toBeLessThan(48_000);
  });
});

describe("a tally", () => {
  it("tells what is missing, what was had twice, and what nobody expected", () => {
    const expected = new Map([
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ]);
    expect(isExact(tally("values", expected, expected))).toBe(true);
    const wrong = tally("values", expected, [
      ["a", "1"],
      ["a", "1"],
      ["b", "other"],
      ["d", "4"],
    ]);
    expect(wrong).toMatchObject({ missing: ["c"], twice: ["a"], invented: ["b: other instead of 2", "d"] });
    expect(isExact(wrong)).toBe(false);
  });
});
