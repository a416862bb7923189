/** How far stages have come, by counts and by the ward's clock. */
import { describe, expect, it } from "vitest";
import { StageProgress } from "./progress.ts";
import { WardClock } from "./ward-clock.ts";

const progressOf = (
  ...looks: readonly (readonly [atMs: number, end: number, next: number | undefined])[]
): StageProgress => {
  const progress = new StageProgress("windows");
  for (const [atMs, end, next] of looks) progress.look({ atMs, starts: [0], ends: [end], nexts: [next] });
  return progress;
};

describe("how far a stage has come", () => {
  it("keeps up: its rate is what it did in the last 10 s", () => {
    const progress = progressOf([0, 100, 100], [5_000, 600, 600], [10_000, 1_100, 1_100]);
    expect(progress.view(1)).toEqual({ stage: "windows", perSecond: 100, lagEntries: 0, lagSeconds: 0 });
  });

  it("falls behind: the oldest entry that waits was written 6 s ago, 60 s of ward time at speed 10", () => {
    const progress = progressOf([0, 100, 100], [4_000, 200, 100], [10_000, 900, 100]);
    expect(progress.view(1)).toMatchObject({ lagEntries: 800, lagSeconds: 6 });
    expect(progress.view(10).lagSeconds).toBe(60);
  });

  it("has not begun: everything that the topic keeps waits", () => {
    expect(progressOf([0, 500, undefined]).view(1).lagEntries).toBe(500);
  });
});

describe("the ward's clock", () => {
  const runs = (speed: number, seconds: number): WardClock => {
    const clock = new WardClock(0);
    for (let s = 1; s <= seconds; s++) {
      clock.tick(1_000_000 + s * 1000 * speed);
      clock.read(s * 1000);
    }
    return clock;
  };

  it("measures its speed over the last 10 s", () => {
    expect(runs(1, 30).speed()).toBe(1);
    expect(runs(12, 30).speed()).toBe(12);
  });

  it("does not know its speed before it has heard a tick", () => {
    const clock = new WardClock(0);
    clock.read(1_000);
    clock.tick(1_700_000_000_000);
    clock.read(2_000);
    expect(clock.speed()).toBe(0);
  });

  it("never goes back", () => {
    const clock = runs(1, 3);
    clock.tick(5);
    expect(clock.logTime).toBe(1_003_000);
  });

  it("stands still when five seconds bring nothing, since the last time it moved", () => {
    const clock = runs(1, 3);
    for (let s = 4; s <= 12; s++) clock.read(s * 1000);
    expect(clock.stalledSince(8_000)).toBeNull();
    expect(clock.stalledSince(8_001)).toBe(3_000);
  });
});
