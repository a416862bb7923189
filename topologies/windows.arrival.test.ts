/** From what devices say to their windows: neither the order nor the repetition of arrival changes what a window comes to, and no mad clock disturbs another's. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adapter as monitor } from "../schemas/devices/sim-monitor.ts";
import type { WindowAggregate } from "../schemas/records/telemetry.ts";
import { receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { monitorOf, t0 } from "../streams/sim/said.ts";
import { normalise } from "./normalise.ts";
import { windows } from "./windows.ts";

const year = 365 * 86_400_000;

interface Arrival {
  readonly device: string;
  /** Of the device's own count; its time is t0 + this second, by its own clock. */
  readonly second: number;
  readonly rate: number;
  readonly aheadMs: number;
  /** When it comes, in ms after t0. */
  readonly atMs: number;
  readonly dup: boolean;
}

/** What arrives, in order of arrival, through normalise into windows, with a tick each second, until every window has closed. */
const windowsOf = (arrivals: readonly Arrival[]): readonly WindowAggregate[] => {
  const first = drive(normalise(new Map([[monitor.model, monitor]])));
  const second = drive(windows);
  for (const device of new Set(arrivals.map((one) => one.device)))
    first.send(device, t0, monitorOf({ device, model: monitor.model, silentAfterMs: 600_000 }));
  let told = 0;
  const pass = (): void => {
    for (const { key, logTime: at, body } of first.outputs("vitals").slice(told)) second.send(key, at, body);
    told = first.outputs("vitals").length;
  };
  let tickedTo = 0;
  const tickTo = (ms: number): void => {
    for (; tickedTo + 1_000 <= ms; tickedTo += 1_000) second.tick(t0 + tickedTo + 1_000);
  };
  for (const { device, second: seq, rate, aheadMs, atMs, dup } of arrivals) {
    tickTo(atMs);
    const payload = {
      device,
      boot: "b-1",
      seq,
      time: new Date(t0 + seq * 1_000 + aheadMs).toISOString(),
      mode: "live",
      numerics: [{ name: "HR", value: rate, unit: "bpm" }],
    };
    first.send(device, t0 + atMs, {
      kind: "reading",
      device,
      stream: "numerics",
      mqttTopic: `afferent/${device}/numerics`,
      payload: new TextEncoder().encode(JSON.stringify(payload)),
      receivedTime: receivedTime(t0 + atMs),
      session: "s-1",
      dup,
      retained: false,
      truncated: null,
    });
    pass();
  }
  tickTo(1_300_000);
  return second.outputs("windows").flatMap(({ body }) => (body.kind === "windowAggregate" ? [body] : []));
};

/** Each window's last revision, its number left out. */
const finalOf = (all: readonly WindowAggregate[]): [string, object][] =>
  [...new Map(all.map(({ revision: _, ...window }) => [window.identity, window]))].sort(([a], [b]) => (a < b ? -1 : 1));

const steady = (device: string, seconds: number, more: Partial<Arrival> = {}): Arrival[] =>
  Array.from({ length: seconds }, (_, second) => ({
    device,
    second,
    rate: 60 + (second % 40),
    aheadMs: 0,
    atMs: second * 1_000 + 100,
    dup: false,
    ...more,
  }));

describe("what a window comes to", () => {
  it("is the same however its readings were ordered, delayed and repeated within the lateness", () => {
    const plain = steady("mon-1", 60);
    const expected = finalOf(windowsOf(plain));
    expect(expected.length).toBeGreaterThan(6);
    fc.assert(
      fc.property(
        fc.array(fc.record({ lateMs: fc.nat({ max: 200_000 }), again: fc.option(fc.nat({ max: 200_000 })) }), {
          minLength: 60,
          maxLength: 60,
        }),
        (fates) => {
          const arrivals = plain.flatMap((one, i): Arrival[] => {
            // the first two come in time: a clock is known by its freshest readings
            const { lateMs, again } = i < 2 ? { lateMs: 0, again: null } : (fates[i] ?? { lateMs: 0, again: null });
            const come = { ...one, atMs: one.atMs + (i % 4 === 0 ? lateMs : 0) };
            return again === null ? [come] : [come, { ...come, atMs: come.atMs + again, dup: true }];
          });
          expect(finalOf(windowsOf(arrivals.sort((a, b) => a.atMs - b.atMs)))).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("a clock that is wrong", () => {
  const sound = steady("mon-1", 60);
  const alone = windowsOf(sound);

  it.each([
    ["ten years ahead", 10 * year],
    ["ten years behind", -10 * year],
    ["two minutes slow", -120_000],
  ])("%s disturbs nobody else's windows and makes no storm of revisions", (_, aheadMs) => {
    const both = [...sound, ...steady("mon-2", 60, { aheadMs })].sort((a, b) => a.atMs - b.atMs);
    const all = windowsOf(both);
    const of = (device: string): WindowAggregate[] => all.filter((window) => window.device === device);
    expect(of("mon-1")).toEqual(alone);
    expect(of("mon-2").length).toBeLessThanOrEqual(alone.length + 4);
    const counted = of("mon-2").filter(({ lengthMs, shape }) => shape === "tumbling" && lengthMs === 60_000);
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(60);
  });
});
