import { describe, expect, it } from "vitest";
import { age, bedName, bedNames, clockOffset, count, duration, rate } from "./words.ts";

describe("the page's words", () => {
  it.each([
    ["bed-07", "Bed 7"],
    ["7", "Bed 7"],
    ["B07", "Bed 7"],
    ["Bed 12", "Bed 12"],
    ["ICU-3-window", "ICU-3-window"],
  ])("bed %s is %s", (bed, name) => expect(bedName(bed)).toBe(name));

  it("names several beds at once", () => {
    expect(bedNames(["bed-01", "bed-02", "bed-11"])).toBe("Beds 1, 2 and 11");
    expect(bedNames([])).toBe("");
  });

  it.each([
    [-5, "0 s"],
    [42_900, "42 s"],
    [180_000, "3 min"],
    [7_200_000, "2 h"],
    [345_600_000, "4 d"],
  ])("an age of %d ms is %s", (ms, text) => expect(age(ms)).toBe(text));

  it.each([
    [170_000, "2:50"],
    [3_770_000, "1:02:50"],
  ])("a duration of %d ms is %s", (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [187_000, "−3 min 7 s"],
    [-40, "+40 ms"],
    [2_500, "−2.5 s"],
  ])("received minus device time of %d ms: the clock is at %s", (ms, text) => expect(clockOffset(ms)).toBe(text));

  it.each([
    [950, "950"],
    [12_400, "12.4k"],
    [3_100_000, "3.1M"],
  ])("%d is %s", (n, text) => expect(count(n)).toBe(text));

  it("keeps a decimal of a slow rate", () => expect([rate(0.42), rate(0), rate(112.4)]).toEqual(["0.4", "0", "112"]));
});
