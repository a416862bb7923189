import { describe, expect, it } from "vitest";
import type { WaveView } from "../../schemas/board.ts";
import { extent, Sweep } from "./sweep.ts";

const chunk = (start: number, samples: readonly number[] = Array(100).fill(0)): WaveView => ({
  metric: "ecgII",
  display: "ECG",
  start,
  rateHz: 100,
  samples,
});

describe("a sweeping trace", () => {
  it("plays at the ward's speed and never past what has arrived", () => {
    const sweep = new Sweep();
    for (let s = 0; s < 3; s++) sweep.add(chunk(s * 1000));
    sweep.advance(0, 1);
    const from = sweep.playedTo;
    sweep.advance(500, 1);
    expect(sweep.playedTo).toBe(from + 500);
    sweep.advance(60_000, 1);
    expect(sweep.playedTo).toBe(3000);
  });

  it("jumps to the newest when it has fallen far behind", () => {
    const sweep = new Sweep();
    sweep.add(chunk(0));
    sweep.advance(0, 1);
    sweep.add(chunk(60_000));
    sweep.advance(33, 1);
    expect(sweep.playedTo).toBeGreaterThan(59_000);
  });

  it("keeps twelve seconds", () => {
    const sweep = new Sweep();
    for (let s = 0; s < 100; s++) sweep.add(chunk(s * 1000));
    expect(sweep.lanes.get("ecgII")?.chunks.length).toBeLessThanOrEqual(13);
    expect(sweep.newestOf("ecgII")).toBe(100_000);
  });

  it("scales to what it shows, a flat line too", () => {
    const sweep = new Sweep();
    sweep.add(chunk(0));
    const lane = sweep.lanes.get("ecgII");
    if (lane === undefined) throw new Error("no lane");
    expect(extent(lane)).toEqual([-1, 1]);
    sweep.add(chunk(1000, [-1, 1]));
    expect(extent(lane)).toEqual([-1.16, 1.16]);
  });
});
