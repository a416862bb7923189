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

  const stampOf = (second: number, deviceSecond: number, boot: string | null = "a") => ({
    deviceTime: deviceTime(t0 + deviceSecond * 1_000),
    receivedTime: receivedTime(t0 + second * 1_000 + 50),
    boot,
    sequence: null as number | null,
  });
  const live = (from: number, to: number, behindS: number, boot = "a") =>
    Array.from({ length: to - from }, (_, i) => stampOf(from + i, from + i - behindS, boot));
  const clockAt = (...stamps: readonly (readonly ReturnType<typeof stampOf>[])[]): Clock | undefined =>
    stamps.flat().reduce<Clock | undefined>((clock, stamp) => observe(clock, stamp, uncertaintyMs), undefined);

  it("starts anew ten seconds after a device began again with its clock set back", () => {
    expect(clockAt(live(0, 60, 0), live(60, 70, 900, "b"))).toMatchObject({ appliedMs: 0 });
    expect(clockAt(live(0, 60, 0), live(60, 72, 900, "b"))).toMatchObject({
      appliedMs: 900_050,
      boot: "b",
      suspicion: null,
    });
  });

  it("is not moved by readings that were stored before, of this boot or an earlier one", () => {
    const stored = (boot: string) => Array.from({ length: 31 }, (_, i) => stampOf(95, 29 + i, boot));
    for (const boot of ["a", "b"])
      expect(clockAt(live(0, 60, 0, "b"), live(90, 95, 0, "c"), stored(boot))?.appliedMs).toBe(0);
  });

  it("is not moved by a backlog that drains a tenth faster than it grew", () => {
    const draining = Array.from({ length: 300 }, (_, i) => stampOf(660 + i, 60 + Math.floor(i * 1.1)));
    expect(clockAt(live(0, 60, 0), draining)?.appliedMs).toBe(0);
  });

  it("is believed at once when it comes back to where it was before it was stepped", () => {
    expect(clockAt(live(0, 10, 0), live(10, 15, -3_600))?.appliedMs).toBe(-3_599_950);
    expect(clockAt(live(0, 10, 0), live(10, 15, -3_600), live(15, 16, 0))?.appliedMs).toBe(0);
  });

  it("that was set back is believed though its offsets jitter", () => {
    const jittery = live(60, 122, 3_600).map((stamp, i) => ({
      ...stamp,
      receivedTime: receivedTime(stamp.receivedTime + (i % 3) * 600),
    }));
    expect(clockAt(live(0, 60, 0), jittery)?.appliedMs).toBe(3_600_050);
  });

  it("that was set back while the count went on is believed at once, and an old count is not", () => {
    const counted = (stamps: readonly ReturnType<typeof stampOf>[], from: number) =>
      stamps.map((stamp, i) => ({ ...stamp, sequence: from + i }));
    const before = counted(live(0, 60, 0), 65_500);
    expect(clockAt(before, counted(live(60, 61, 3_600), 65_560))?.appliedMs).toBe(3_600_050);
    expect(clockAt(before, counted([stampOf(60, 20)], 65_520))?.appliedMs).toBe(0);
    // a count of sixteen bits that begins anew just as the clock is set back
    expect(clockAt(before, counted(live(60, 72, 3_600), 0))?.appliedMs).toBe(3_600_050);
  });
});
