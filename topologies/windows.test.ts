/** Windows: panes, minutes and quarters of an hour, late data, and what a window comes to. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Measurement, WindowAggregate } from "../schemas/records/telemetry.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { windows } from "./windows.ts";

const t0 = 1_800_000_000_000;
const s = 1_000;
const subject = "subject-1";

const heartRate = (at: number, value: number, more: Partial<Measurement> = {}): Measurement =>
  measured("heartRate", at, value, { subject, device: "mon-1", channel: "ecg", ...more });

/** A ward of one monitor: a beat a second from `from` to `to`, logged as it happens, with ticks. */
const stream = (
  d: ReturnType<typeof driven>,
  from: number,
  to: number,
  value: (second: number) => number | null,
): void => {
  for (let second = from; second < to; second++) {
    const v = value(second);
    if (v !== null) d.send(subject, t0 + second * s + 200, heartRate(t0 + second * s, v));
    d.tick(t0 + (second + 1) * s);
  }
};
const driven = () => drive(windows);
const of = (d: ReturnType<typeof driven>, shape: string, lengthMs: number): WindowAggregate[] =>
  d
    .outputs("windows")
    .map((o) => o.body)
    .filter((b): b is WindowAggregate => b.kind === "windowAggregate" && b.shape === shape && b.lengthMs === lengthMs);
const tumbling10 = (d: ReturnType<typeof driven>) => of(d, "tumbling", 10_000);

describe("a steady patient", () => {
  it("gets a 10 s window two seconds after it ends", () => {
    const d = driven();
    stream(d, 0, 11, (second) => 60 + second);
    expect(tumbling10(d)).toEqual([]);
    stream(d, 11, 12, (second) => 60 + second);
    expect(tumbling10(d)).toMatchObject([
      { start: t0, revision: 0, count: 10, min: 60, max: 69, mean: 64.5, last: 69, lastAt: t0 + 9 * s, coverage: 1 },
    ]);
  });

  it("gets the minute and the quarter-hour so far each minute", () => {
    const d = driven();
    stream(d, 0, 122, (second) => (second < 60 ? 60 : 80));
    expect(of(d, "tumbling", 60_000)).toMatchObject([
      { start: t0, count: 60, mean: 60, coverage: 1 },
      { start: t0 + 60 * s, count: 60, mean: 80 },
    ]);
    expect(of(d, "rolling", 900_000)).toMatchObject([
      { start: t0 - 840 * s, count: 60, mean: 60, coverage: 60 / 900 },
      { start: t0 - 780 * s, count: 120, mean: 70, min: 60, max: 80, coverage: 120 / 900 },
    ]);
  });

  it("whose probe is off for half of it has half the coverage", () => {
    const d = driven();
    stream(d, 0, 12, (second) => (second < 5 ? 60 : null));
    expect(tumbling10(d)).toMatchObject([{ count: 5, coverage: 0.5 }]);
  });

  it("keeps no state once nothing can change any more", () => {
    const d = driven();
    stream(d, 0, 5, () => 60);
    for (let minute = 1; minute < 45; minute++) d.tick(t0 + minute * 60 * s);
    expect(of(d, "rolling", 900_000)).toHaveLength(15);
    expect([...d.stored().keys()].filter((k) => k !== "checkpoint")).toEqual([]);
  });
});

describe("what does not count", () => {
  it.each(["invalid", "empty", "sensorOff", "indeterminate", "test", "demo"] as const)("%s", (validity) => {
    const d = driven();
    d.send(subject, t0, heartRate(t0, 0, { validity }));
    d.tick(t0 + 20 * s);
    expect(d.outputs("windows")).toEqual([]);
  });

  it("questionable does", () => {
    const d = driven();
    d.send(subject, t0, heartRate(t0, 70, { validity: "questionable" }));
    d.tick(t0 + 20 * s);
    expect(tumbling10(d)).toMatchObject([{ count: 1, mean: 70 }]);
  });
});

describe("late data", () => {
  it("revises its pane, its minute and every quarter-hour that holds it, once per tick", () => {
    const d = driven();
    stream(d, 0, 185, (second) => (second >= 20 && second < 30 ? null : 60));
    const before = d.outputs("windows").length;
    for (let second = 20; second < 30; second++) d.send(subject, t0 + 185 * s + second, heartRate(t0 + second * s, 90));
    expect(d.outputs("windows")).toHaveLength(before);
    d.tick(t0 + 186 * s);
    const revised = d
      .outputs("windows")
      .slice(before)
      .map((o) => o.body);
    expect(revised).toMatchObject([
      { shape: "tumbling", lengthMs: 10_000, start: t0 + 20 * s, revision: 0, mean: 90, count: 10 },
      { lengthMs: 60_000, start: t0, revision: 1, count: 60, mean: 65 },
      { shape: "rolling", revision: 1, count: 60 },
      { shape: "rolling", revision: 1, count: 120 },
      { shape: "rolling", revision: 1, count: 180, mean: 61.666666666666664 },
    ]);
    const first = of(d, "tumbling", 60_000)[0];
    expect((revised[1] as WindowAggregate).identity).toBe(first?.identity);
  });

  it("of almost five minutes still finds all that its minute had", () => {
    const d = driven();
    stream(d, 0, 355, (second) => (second === 58 ? null : 60));
    d.send(subject, t0 + 355 * s, heartRate(t0 + 58 * s, 120));
    d.tick(t0 + 356 * s);
    expect(tumbling10(d).at(-1)).toMatchObject({ start: t0 + 50 * s, revision: 1, count: 10, max: 120 });
    expect(of(d, "tumbling", 60_000).at(-1)).toMatchObject({ start: t0, revision: 1, count: 60, mean: 61 });
  });

  it("older than five minutes is quarantined with its reason", () => {
    const d = driven();
    d.send(subject, t0 + 310 * s, heartRate(t0 + 9 * s, 60));
    d.send(subject, t0 + 310 * s + 1, heartRate(t0 + 9 * s, 60));
    expect(d.refusals()).toMatchObject([{ reason: "too-late" }]);
    d.tick(t0 + 330 * s);
    expect(tumbling10(d)).toMatchObject([{ count: 1 }]);
  });

  it("a value from the future is refused and moves no window", () => {
    const d = driven();
    d.send(subject, t0, heartRate(t0 + 3_600 * s, 60));
    expect(d.refusals()).toMatchObject([{ reason: "ahead-of-log" }]);
  });
});

describe("a device that leaves its subject", () => {
  it("closes what was open and rolls no further", () => {
    const d = driven();
    stream(d, 0, 65, () => 60);
    d.send(subject, t0 + 65 * s, { kind: "subjectEnded", subject, device: "mon-1", at: (t0 + 65 * s) as never });
    for (let second = 66; second < 400; second++) d.tick(t0 + second * s);
    expect(tumbling10(d)).toHaveLength(7);
    expect(of(d, "rolling", 900_000)).toHaveLength(2);
  });
});

describe("what a window comes to", () => {
  const sample = fc.record({
    second: fc.integer({ min: 0, max: 239 }),
    value: fc.double({ min: -50, max: 350, noNaN: true }),
    questionable: fc.boolean(),
  });
  const latest = (d: ReturnType<typeof driven>): Map<string, Omit<WindowAggregate, "revision">> =>
    new Map(
      d.outputs("windows").map(({ body }) => {
        const { revision: _, ...rest } = body as WindowAggregate;
        return [rest.identity, rest];
      }),
    );

  it("depends neither on the order of arrival inside the lateness nor on a restart", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(sample, { minLength: 1, maxLength: 60, selector: (x) => `${x.second}/${x.value}` }),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        fc.nat({ max: 60 }),
        (samples, keys, restartAt) => {
          const run = (ordered: typeof samples, restart: number | null) => {
            const d = driven();
            ordered.forEach((x, i) => {
              if (i === restart) d.restart();
              const more = { validity: x.questionable ? "questionable" : "valid" } as const;
              d.send(subject, t0 + 240 * s + i, heartRate(t0 + x.second * s, x.value, more));
              if (i % 7 === 0) d.tick(t0 + 240 * s + i);
            });
            for (let second = 241; second < 1300; second += 13) d.tick(t0 + second * s);
            return latest(d);
          };
          const shuffled = samples
            .map((x) => ({ x, key: keys.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ x }) => x);
          const sorted = (m: ReturnType<typeof latest>) => [...m].sort(([a], [b]) => (a < b ? -1 : 1));
          expect(sorted(run(shuffled, restartAt))).toEqual(sorted(run(samples, null)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("matches a plain fold over the sorted samples", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3500 }), { minLength: 10, maxLength: 10 }), (tenths) => {
        const d = driven();
        stream(d, 0, 12, (second) => (tenths[second] ?? 0) / 10);
        const values = tenths.map((t) => t / 10);
        expect(tumbling10(d)).toMatchObject([
          { min: Math.min(...values), max: Math.max(...values), last: values[9], count: 10 },
        ]);
        expect(tumbling10(d)[0]?.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / 10, 6);
      }),
      { numRuns: 50 },
    );
  });
});
