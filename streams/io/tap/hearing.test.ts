/** When the circuit calls its listener away: after three seconds of silence, and never for its own sleep. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { hearing } from "./hearing.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const listened = () => {
  const said: string[] = [];
  const listener = hearing({ onStanding: (up) => said.push(up ? "there" : "away") });
  return { listener, said };
};

it("a listener that speaks each second is there; silent for more than three it is away, once, until it is heard again", () => {
  const { listener, said } = listened();
  for (let second = 0; second < 20; second++) {
    listener.heard();
    vi.advanceTimersByTime(1_000);
  }
  expect([said, listener.there()]).toEqual([["there"], true]);
  vi.advanceTimersByTime(2_000);
  expect(said).toEqual(["there"]);
  vi.advanceTimersByTime(500);
  expect([said, listener.there()]).toEqual([["there", "away"], false]);
  vi.advanceTimersByTime(60_000);
  listener.heard();
  expect([said, listener.there()]).toEqual([["there", "away", "there"], true]);
});

it("one that was never heard of is away after ten seconds, and till then not there", () => {
  const { listener, said } = listened();
  expect(listener.there()).toBe(false);
  vi.advanceTimersByTime(9_900);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(500);
  expect([said, listener.there()]).toEqual([["away"], false]);
});

it("a process that was stopped for a minute hears what came meanwhile before it calls anybody away", () => {
  const { listener, said } = listened();
  listener.heard();
  const stopped = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 60_000);
  vi.advanceTimersByTime(250);
  stopped.mockRestore();
  expect(said).toEqual(["there"]);
  listener.close();
});
