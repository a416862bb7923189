import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJudgedAt, isJudgedBetween, type Judged, roomMs, type Stretch, withStretch } from "./judged.ts";

const all = (...stretches: readonly Stretch[]): Judged =>
  stretches.reduce<Judged>((judged, stretch) => withStretch(judged, stretch, 2_500), []);

describe("what was judged", () => {
  it("is one stretch where nothing fits between two, and two where something does", () => {
    expect(all([0, 10_000], [12_000, 20_000])).toEqual([[0, 20_000]]);
    expect(all([0, 10_000], [60_000, 70_000])).toEqual([
      [0, 10_000],
      [60_000, 70_000],
    ]);
    expect(all([0, 10_000], [60_000, 70_000], [11_000, 59_000])).toEqual([[0, 70_000]]);
  });

  it("knows what lies in it and what between", () => {
    const judged = all([0, 10_000], [60_000, 70_000]);
    expect([0, 10_000, 10_001, 59_999, 60_000].map((at) => isJudgedAt(judged, at))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(isJudgedBetween(judged, 20_000, 50_000)).toBe(false);
    expect(isJudgedBetween(judged, 20_000, 80_000)).toBe(true);
  });

  it.each([
    ["1 Hz", 1_000, 2_500],
    ["a glucose each five minutes", 300_000, 450_000],
    ["a cuff on demand", null, 2_500],
  ])("leaves room at %s after", (_, periodMs, expected) => {
    expect(roomMs({ periodMs })).toBe(expected);
  });

  it("is bounded, ascending and apart, and forgets nothing that was judged", () => {
    const stretch = fc
      .tuple(fc.integer({ min: 0, max: 10_000_000 }), fc.nat({ max: 5_000 }))
      .map(([from, length]): Stretch => [from, from + length]);
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 120 }), (stretches) => {
        const judged = all(...stretches);
        expect(judged.length).toBeLessThanOrEqual(32);
        for (const [i, [from]] of judged.slice(1).entries()) expect(from).toBeGreaterThan(judged[i]?.[1] ?? 0);
        for (const [from, to] of stretches) {
          expect(isJudgedAt(judged, from)).toBe(true);
          expect(isJudgedAt(judged, to)).toBe(true);
        }
      }),
    );
  });
});
