/** Readings that a device had stored and sends when it is live again: what crossed in them is told as late, once, and over. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rule } from "../schemas/records/broadcast.ts";
import type { Episode, Measurement } from "../schemas/records/telemetry.ts";
import { eventTime, logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { ruleOf, subject, t0 } from "../streams/sim/said.ts";
import { thresholds } from "./thresholds.ts";

const spo2Low = ruleOf({
  id: "spo2-low",
  metric: "spo2",
  ucum: "%",
  when: "below",
  limit: 90,
  clear: 92,
  priority: "high",
});
const cuffLow = ruleOf({ id: "cuff-low", metric: "nibpMean", when: "below", limit: 65, minimumMs: 0, clearMs: 0 });

const driven = (rules: readonly Rule[] = [spo2Low, cuffLow]) => {
  const d = drive(thresholds);
  d.send("", t0 - 1, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 1), rules });
  return d;
};
type Ward = ReturnType<typeof driven>;

/** A saturation of second `s`, received then or at `comesS`; time passes until it comes. */
const give = (d: Ward, s: number, value: number | null, comesS = s, more: Partial<Measurement> = {}): void => {
  const at = t0 + comesS * 1_000;
  d.tick(at);
  const received = receivedTime(at);
  d.send(subject, at + 20, measured("spo2", t0 + s * 1_000, value, { subject, receivedTime: received, ...more }));
};
const seconds = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const episodes = (d: Ward): readonly Episode[] =>
  d.outputs("episodes").flatMap(({ body }) => (body.kind === "episode" ? [body] : []));
const told = (d: Ward): string[] =>
  episodes(d).map(
    ({ phase, late, start, end, ended }) =>
      `${late ? "late " : ""}${phase} ${(start - t0) / 1_000}-${end === null ? "" : (end - t0) / 1_000}${ended === null ? "" : ` ${ended}`}`,
  );

/** Live from 0 to 100, away, live again from 600 on. */
const outage = (rules?: readonly Rule[]): Ward => {
  const d = driven(rules);
  for (const s of seconds(0, 100)) give(d, s, 97);
  for (const s of seconds(600, 610)) give(d, s, 97);
  return d;
};
const goOn = (d: Ward, from = 611): void => {
  for (const s of seconds(from, from + 20)) give(d, s, 97);
};

describe("what a device had stored and sends when it is live again", () => {
  it("a crossing in it is told late, with its own times, while nothing of now changes", () => {
    const d = outage();
    for (const s of seconds(100, 200)) give(d, s, 97, 610);
    for (const s of seconds(200, 300)) give(d, s, 84, 610);
    for (const s of seconds(300, 320)) give(d, s, 97, 610);
    goOn(d);
    expect(told(d)).toEqual(["late start 200-", "late end 200-299 cleared"]);
    expect(d.outputs("episodes").filter(({ body }) => body.kind === "stillCrossing")).toEqual([]);
  });

  it("one that had not cleared when the stored readings end is over then, ten seconds later", () => {
    const d = outage();
    for (const s of seconds(500, 600)) give(d, s, 84, 610);
    expect(told(d)).toEqual(["late start 500-"]);
    goOn(d);
    expect(told(d)).toEqual(["late start 500-", "late end 500-599 the stored readings end here"]);
  });

  it("goes on between live samples, and beside an episode of now", () => {
    const d = driven();
    for (const s of seconds(0, 100)) give(d, s, 97);
    for (const s of seconds(600, 700)) {
      give(d, s, 84);
      if (s < 640) for (const old of [0, 1, 2]) give(d, 300 + 3 * (s - 600) + old, 80, s);
    }
    expect(told(d)).toEqual(["late start 300-", "start 600-", "late end 300-419 the stored readings end here"]);
  });

  it("sent once more, it says nothing; neither does what was judged live", () => {
    const d = outage();
    const backlog = (): void => {
      for (const s of seconds(90, 200)) give(d, s, s < 120 ? 97 : 84, 650);
      for (const s of seconds(200, 220)) give(d, s, 97, 650);
    };
    backlog();
    backlog();
    for (const s of seconds(700, 1_900)) if (s % 60 === 0) d.tick(t0 + s * 1_000);
    d.restart();
    for (const s of seconds(1_900, 1_905)) give(d, s, 97);
    for (const s of seconds(90, 220)) give(d, s, 84, 1_905);
    for (const s of seconds(0, 90)) give(d, s, 70, 1_905);
    goOn(d, 1_906);
    expect(told(d)).toEqual(["late start 120-", "late end 120-199 cleared"]);
  });

  it("in two parts that come in the wrong order, each is judged", () => {
    const d = outage();
    for (const s of seconds(400, 450)) give(d, s, 84, 610);
    for (const s of seconds(200, 250)) give(d, s, 84, 611);
    goOn(d, 612);
    expect(told(d)).toEqual([
      "late start 400-",
      "late end 400-449 the stored readings go on elsewhere",
      "late start 200-",
      "late end 200-249 the stored readings end here",
    ]);
  });

  it("newest first, it is said that no duration can be judged in it, once", () => {
    const d = outage();
    for (const s of seconds(200, 300).toReversed()) give(d, s, 84, 610);
    goOn(d);
    expect(told(d)).toEqual([]);
    expect(d.refusals().map(({ reason }) => reason)).toEqual(["backlog-backwards"]);
    for (const s of seconds(400, 450)) give(d, s, 84, 640);
    goOn(d, 641);
    expect(told(d)).toEqual(["late start 400-", "late end 400-449 the stored readings end here"]);
    expect(d.refusals()).toHaveLength(1);
  });

  it("with a hole that is filled afterwards, the filling is judged too", () => {
    const d = outage();
    for (const s of [...seconds(200, 250), ...seconds(300, 350)]) give(d, s, 97, 610);
    for (const s of seconds(260, 290)) give(d, s, 84, 611);
    goOn(d, 612);
    expect(told(d)).toEqual(["late start 260-", "late end 260-289 the stored readings end here"]);
  });

  it("around a stretch that was judged live it does not make one crossing of two", () => {
    const d = driven();
    for (const s of [...seconds(0, 100), ...seconds(300, 330), ...seconds(600, 610)]) give(d, s, 97);
    for (const s of seconds(250, 380)) give(d, s, 84, 610);
    goOn(d);
    expect(told(d)).toEqual([
      "late start 250-",
      "late end 250-299 the stored readings go on elsewhere",
      "late start 330-",
      "late end 330-379 the stored readings end here",
    ]);
  });

  it("a cuff pressure of an hour ago is one late episode; what is only out of order by seconds is none", () => {
    const d = driven();
    const cuff = (s: number, value: number, comesS: number): void => {
      d.tick(t0 + comesS * 1_000);
      const received = receivedTime(t0 + comesS * 1_000);
      const m = measured("nibpMean", t0 + s * 1_000, value, { subject, receivedTime: received, periodMs: null });
      d.send(subject, t0 + comesS * 1_000 + 20, m);
    };
    cuff(0, 80, 0);
    cuff(4_000, 80, 4_000);
    cuff(400, 50, 4_001);
    cuff(3_990, 50, 4_002);
    d.tick(t0 + 4_060_000);
    expect(told(d)).toEqual(["late start 400-", "late end 400-400 the stored readings end here"]);
  });

  it("what says nothing of a value says nothing late either, and covers nothing", () => {
    const d = outage();
    for (const s of seconds(200, 230)) give(d, s, null, 610, { validity: "invalid" });
    for (const s of seconds(200, 230)) give(d, s, 84, 611);
    goOn(d, 612);
    expect(told(d)).toEqual(["late start 200-", "late end 200-229 the stored readings end here"]);
  });

  it("ends with a rule that is withdrawn, and with its device's leaving, which it says before", () => {
    const d = outage();
    for (const s of seconds(200, 220)) give(d, s, 84, 610);
    d.send("", t0 + 611_000, { kind: "rules", version: 2, effectiveFrom: logTime(t0 + 611_000), rules: [cuffLow] });
    give(d, 220, 84, 612);
    d.send("", t0 + 613_000, { kind: "rules", version: 3, effectiveFrom: logTime(t0 + 613_000), rules: [spo2Low] });
    for (const s of seconds(221, 240)) give(d, s, 84, 614);
    d.send(subject, t0 + 615_000, { kind: "subjectEnded", subject, device: "mon-1", at: eventTime(t0 + 615_000) });
    expect(told(d)).toEqual([
      "late start 200-",
      "late end 200-219 rule changed",
      "late start 221-",
      "late end 221-239 subject ended",
    ]);
  });

  it("of one who has left it is told too, for a day; what was judged of him is not told again", () => {
    const d = outage();
    d.send(subject, t0 + 615_000, { kind: "subjectEnded", subject, device: "mon-1", at: eventTime(t0 + 615_000) });
    for (const s of seconds(50, 250)) give(d, s, 84, 7_000);
    d.tick(t0 + 7_030_000);
    expect(told(d)).toEqual(["late start 100-", "late end 100-249 the stored readings end here"]);
    d.tick(t0 + 90_000_000);
    expect([...d.stored().keys()].filter((k) => k !== "checkpoint")).toEqual([]);
  });

  it("where its device first sends what it had stored, that is judged as ever, and still true when it is live", () => {
    const d = driven();
    for (const s of seconds(0, 100)) give(d, s, 97);
    for (const s of seconds(100, 600)) give(d, s, 84, 600);
    give(d, 601, 84);
    expect(told(d)).toEqual(["start 100-"]);
    expect(d.outputs("episodes").at(-1)?.body).toMatchObject({ kind: "stillCrossing", why: "current" });
  });
});

describe("whatever comes in whatever parts", () => {
  it("no second is judged twice, and each crossing of ten seconds in one part is told", () => {
    const part = fc.record({ from: fc.integer({ min: 0, max: 900 }), length: fc.integer({ min: 11, max: 60 }) });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const d = driven();
        for (const s of seconds(1_000, 1_010)) give(d, s, 97);
        const had = new Set<number>();
        const fresh: (readonly [number, number])[] = [];
        parts.forEach(({ from, length }, i) => {
          const part = seconds(from, from + length);
          const isApart = (s: number): boolean => [-2, -1, 0, 1, 2].every((off) => !had.has(s + off));
          if (part.every(isApart)) fresh.push([from, from + length - 1]);
          for (const s of part) {
            had.add(s);
            give(d, s, 84, 1_010 + i);
          }
        });
        d.tick(t0 + 1_100_000);
        const ends = episodes(d).filter(({ phase }) => phase === "end");
        for (const [from, to] of fresh)
          expect(
            ends.some(({ start, end }) => start <= t0 + from * 1_000 && (end ?? 0) >= t0 + to * 1_000),
            `${from} to ${to} is told`,
          ).toBe(true);
        expect(ends.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(had.size);
        expect(episodes(d).every(({ late }) => late)).toBe(true);
        expect(ends).toHaveLength(episodes(d).length / 2);
      }),
      { numRuns: 40 },
    );
  });
});
