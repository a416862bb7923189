/** From what a device says to the episode: no time that it claims, however mad, keeps its rule from a real alarm. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adapter as monitor } from "../schemas/devices/sim-monitor.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { monitorOf, ruleOf, t0 } from "../streams/sim/said.ts";
import { normalise } from "./normalise.ts";
import { thresholds } from "./thresholds.ts";

const year = 365 * 86_400_000;
const device = "mon-1";

const rule = ruleOf({ id: "hr-high", when: "above", limit: 120, clear: 115, priority: "high" });

/** One second of a monitor: its heart rate, by how much its clock is ahead, and the time of its own that the value carries, if any. */
interface Said {
  readonly rate: number;
  readonly aheadMs: number;
  readonly ownAheadMs?: number;
}

/** What the monitor says, one message a second from t0 on, through normalise into thresholds. */
const episodesOf = (said: readonly Said[]) => {
  const first = drive(normalise(new Map([[monitor.model, monitor]])));
  const second = drive(thresholds);
  second.send("", t0, { kind: "rules", version: 1, effectiveFrom: logTime(t0), rules: [rule] });
  first.send(device, t0, monitorOf({ model: monitor.model }));
  said.forEach(({ rate, aheadMs, ownAheadMs }, seq) => {
    const at = t0 + seq * 1_000;
    const instant = (ms: number): string => new Date(at + ms).toISOString();
    const own = ownAheadMs === undefined ? {} : { at: instant(ownAheadMs) };
    const numerics = [{ name: "HR", value: rate, unit: "bpm", ...own }];
    const payload = { device, boot: "b-1", seq, time: instant(aheadMs), mode: "live", numerics };
    first.send(device, at + 50, {
      kind: "reading",
      device,
      stream: "numerics",
      mqttTopic: `afferent/${device}/numerics`,
      payload: new TextEncoder().encode(JSON.stringify(payload)),
      receivedTime: receivedTime(at + 50),
      session: "s-1",
      dup: false,
      retained: false,
      truncated: null,
    });
  });
  for (const { key, logTime: at, body } of first.outputs("vitals")) second.send(key, at, body);
  const episodes = second.outputs("episodes").flatMap(({ body }): Episode[] => (body.kind === "episode" ? [body] : []));
  return { episodes, refusals: first.refusals() };
};
const calm = (seconds: number, aheadMs = 0): Said[] => Array.from({ length: seconds }, () => ({ rate: 80, aheadMs }));
const fast = (seconds: number, aheadMs = 0): Said[] => Array.from({ length: seconds }, () => ({ rate: 150, aheadMs }));

describe("a tachycardia of twelve seconds is an alarm with its own onset", () => {
  it.each([
    ["from a clock ten years ahead", [...calm(20, 10 * year), ...fast(12, 10 * year)]],
    ["from a clock ten years behind", [...calm(20, -10 * year), ...fast(12, -10 * year)]],
    ["from a clock that leaps ahead in the middle of it", [...calm(20), ...fast(6), ...fast(6, 10 * year)]],
    [
      "after a clock that was an hour ahead for five seconds",
      [...calm(10), ...calm(5, 3_600_000), ...calm(5), ...fast(12)],
    ],
    ["after one message that was dated ahead", [...calm(19), ...calm(1, 10 * year), ...fast(12)]],
    [
      "after one value that was dated ahead by its own time",
      [...calm(19), { rate: 80, aheadMs: 0, ownAheadMs: 10 * year }, ...fast(12)],
    ],
    ["after one of just a minute ahead", [...calm(19), { rate: 80, aheadMs: 0, ownAheadMs: 60_000 }, ...fast(12)]],
  ])("%s", (_, said) => {
    const { episodes } = episodesOf(said);
    expect(episodes.map(({ phase, rule: { id } }) => [id, phase])).toEqual([["hr-high", "start"]]);
    expect(Math.abs((episodes[0]?.start ?? 0) - t0 - 20_000)).toBeLessThanOrEqual(2_000);
  });

  it("whatever times were claimed before it, by the messages or by single values", () => {
    const mad = fc.oneof(
      fc.constant(0),
      fc.integer({ min: -1e12, max: 1e12 }),
      fc.integer({ min: -90_000, max: 90_000 }),
    );
    const before = fc.record({ rate: fc.constant(80), aheadMs: mad, ownAheadMs: mad });
    fc.assert(
      fc.property(fc.array(before, { maxLength: 20 }), mad, (mads, aheadMs) => {
        // ten seconds for a clock that was just set: what it was late by it may still be
        const { episodes } = episodesOf([...mads, ...calm(15, aheadMs), ...fast(17, aheadMs)]);
        expect(episodes.map(({ phase }) => phase)).toEqual(["start"]);
      }),
      { numRuns: 100 },
    );
  });
});
