import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coverageOf, type Fold, foldOf, largestValue, meanOf, merge } from "./fold.ts";

const sample = fc.record({
  value: fc.double({ min: -largestValue, max: largestValue, noNaN: true }).map((v) => (v === 0 ? 0 : v)),
  at: fc.nat({ max: 20 }),
  coversMs: fc.constant(1_000),
});
const fold = (samples: readonly { value: number; at: number; coversMs: number }[]): Fold | undefined =>
  samples.map(foldOf).reduce<Fold | undefined>((all, one) => merge(all, one), undefined);

describe("a fold", () => {
  it("is the same for every order and every grouping, to the last bit", () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 200 }), fc.nat(), (samples, at) => {
        const cut = at % samples.length;
        const [head, tail] = [samples.slice(0, cut), samples.slice(cut)];
        expect(fold(samples.toReversed())).toEqual(fold(samples));
        expect(merge(fold(tail), fold(head))).toEqual(fold(samples));
      }),
    );
  });

  it("adds up exactly as much as a quarter-hour of ten samples a second can hold", () => {
    const all = fold(Array.from({ length: 9_000 }, (_, at) => ({ value: largestValue, at, coversMs: 100 })));
    expect(Number.isSafeInteger(all?.sumMillionths)).toBe(true);
    expect(all && meanOf(all)).toBe(largestValue);
    expect(all && coverageOf(all, 900_000)).toBe(1);
  });

  it("has a mean that people would write down", () => {
    const all = fold([36.6, 36.6, 36.6].map((value, at) => ({ value, at, coversMs: 1_000 })));
    expect(all && meanOf(all)).toBe(36.6);
  });
});
