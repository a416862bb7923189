import { describe, expect, it } from "vitest";
import { deviceTime, receivedTime } from "../../streams/core/time.ts";
import { type Clock, corrected, observe } from "./clock.ts";

const t0 = 1_800_000_000_000;
const uncertaintyMs = 2_000;

/** A reading each second: [second, what its device time is ahead of ours by, the delay on its way]. */
const clockAfter = (readings: readonly (readonly [number, number, number])[]): Clock => {
  let clock: Clock | undefined;
  for (const [second, aheadMs, delayMs] of readings) {
    const at = t0 + second * 1_000;
    const stamp = {
      deviceTime: deviceTime(at + aheadMs),
      receivedTime: receivedTime(at + delayMs),
      boot: null,
      sequence: null,
    };
    clock = observe(clock, stamp, uncertaintyMs);
  }
  if (clock === undefined) throw new Error("a clock needs readings");
  return clock;
};
const seconds = (from: number, to: number, aheadMs: number, delayMs: (second: number) => number) =>
  Array.from({ length: to - from }, (_, i) => [from + i, aheadMs, delayMs(from + i)] as const);

describe("a clock's estimate", () => {
  it("is the least offset of each of the last five minutes", () => {
    const clock = clockAfter(seconds(0, 600, 0, (second) => 50 + Math.floor(second / 60) * 10 + (second % 30) * 20));
    expect(clock.panes.map(([, offsetMs]) => offsetMs)).toEqual([100, 110, 120, 130, 140]);
  });

  it("moves the correction only when it leaves it by more than the uncertainty", () => {
    const slow = -120_000;
    const correction = (delays: readonly number[]): number =>
      clockAfter(delays.flatMap((delayMs, i) => seconds(i * 600, (i + 1) * 600, slow, () => delayMs))).appliedMs;
    expect(correction([900])).toBe(120_900);
    expect(correction([900, 40])).toBe(120_900);
    expect(correction([900, 40, 1_700])).toBe(120_900);
    expect(correction([900, 3_100])).toBe(123_100);
  });

  it("follows a clock that drifts, in steps of its uncertainty", () => {
    // 10 ms a minute slower, for a day.
    const day = Array.from({ length: 1_440 }, (_, minute) => [minute * 60, -10 * minute, 0] as const);
    const clock = clockAfter(day);
    expect(Math.abs(clock.appliedMs - 14_390)).toBeLessThanOrEqual(uncertaintyMs);
    expect(corrected(clock, deviceTime(t0))).toBe(t0 + clock.appliedMs);
  });

  it("starts anew when the device starts anew", () => {
    const before = observe(
      undefined,
      { deviceTime: deviceTime(t0), receivedTime: receivedTime(t0), boot: "a", sequence: null },
      uncertaintyMs,
    );
    const stamp = {
      deviceTime: deviceTime(t0 + 60_000 - 900_000),
      receivedTime: receivedTime(t0 + 60_000),
      boot: "b",
      sequence: null,
    };
    expect(observe(before, stamp, uncertaintyMs)).toMatchObject({ appliedMs: 900_000, boot: "b", suspicion: null });
  });

  it("is not moved by a reading that its boot's count says is old", () => {
    const stampOf = (second: number, sequence: number, delayMs: number) => ({
      deviceTime: deviceTime(t0 + second * 1_000),
      receivedTime: receivedTime(t0 + second * 1_000 + delayMs),
      boot: "a",
      sequence,
    });
    let clock: Clock | undefined;
    for (let second = 0; second < 10; second++) clock = observe(clock, stampOf(second, second, 50), uncertaintyMs);
    expect(observe(clock, stampOf(3, 3, 60_000), uncertaintyMs)).toEqual(clock);
    expect(observe(clock, stampOf(-3_600, 10, 3_610_000), uncertaintyMs).appliedMs).toBe(3_610_000);
  });
});
