/** Which of several sources of one metric a chart shows, and when that changes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { charted, look, mostSevere, noSources, settled, type Sources } from "./precedence.ts";
import type { Said } from "./precedence/heard.ts";
import { classOf, type Quantity, quantityOf } from "./precedence/policy.ts";
import { parsePrecedence } from "./precedence/read.ts";
import { shippedPrecedence, shippedText } from "./shipped.fixture.ts";

const systolic = (change: Partial<Quantity> = {}): Quantity => {
  const q = quantityOf(shippedPrecedence, "artSystolic");
  if (q === undefined) throw new Error("no systolic pressure");
  return { ...q, ...change };
};

const t0 = 1_795_269_600_000;
const s = 1_000;
const min = 60 * s;

type Word = Partial<Said>;
const art = (atMs: number, mean: number, more: Word = {}): Said => ({
  association: "link-7",
  metric: "artSystolic",
  device: "mon-07",
  channel: "art",
  lastAt: atMs,
  mean,
  validity: "valid",
  ...more,
});
const cuff = (atMs: number, mean: number, more: Word = {}): Said =>
  art(atMs, mean, { metric: "nibpSystolic", channel: "nibp", ...more });

/** Tells each at its own time and 2 s later, as windows close. */
const heardAll = (q: Quantity, all: readonly Said[], from: Sources = noSources(q)): Sources =>
  all.reduce((known, said) => look(q, known, said, said.lastAt + 2 * s), from);
const sourceOf = ({ now }: Sources): string | undefined => now.choice?.source;
const every = (fromMin: number, toMin: number, of: (at: number) => Said): Said[] =>
  Array.from({ length: toMin - fromMin }, (_, i) => of(t0 + (fromMin + i) * min));

const artName = "artSystolic/mon-07/art";
const cuffName = "nibpSystolic/mon-07/nibp";

describe("an arterial line and a cuff", () => {
  const q = systolic();

  it("a lone cuff is what the chart shows", () => {
    expect(sourceOf(heardAll(q, [cuff(t0, 120)]))).toBe(cuffName);
  });

  it("the line takes over once it has been steady for five minutes, and not before", () => {
    const cuffed = heardAll(q, [cuff(t0, 120)]);
    expect(
      sourceOf(
        heardAll(
          q,
          every(1, 6, (at) => art(at, 118)),
          cuffed,
        ),
      ),
    ).toBe(cuffName);
    const steady = heardAll(
      q,
      every(1, 7, (at) => art(at, 118)),
      cuffed,
    );
    expect(steady.now.choice).toMatchObject({ source: artName, reason: "preferred-steady" });
  });

  it("a cuff beside a live line changes nothing", () => {
    const lined = heardAll(
      q,
      every(0, 10, (at) => art(at, 118)),
    );
    expect(sourceOf(heardAll(q, [cuff(t0 + 10 * min, 140)], lined))).toBe(artName);
  });

  it("a line that was taken out gives way to the cuff two minutes after it went stale", () => {
    const lined = heardAll(
      q,
      every(0, 10, (at) => art(at, 118)),
    );
    const staleFrom = 9 * min + 150 * s;
    const told = (atMs: number): Sources => look(q, lined, cuff(t0 + atMs, 121), t0 + atMs);
    expect(sourceOf(told(staleFrom + 119 * s))).toBe(artName);
    expect(told(staleFrom + 120 * s).now.choice).toMatchObject({ source: cuffName, reason: "previous-stale" });
  });

  it("a valid cuff comes before a line that is questionable throughout", () => {
    const doubtful = every(0, 20, (at) => art(at, 60, { validity: "questionable" }));
    const both = [...doubtful, cuff(t0 + 3 * min, 121), cuff(t0 + 18 * min, 121)].sort((a, b) => a.lastAt - b.lastAt);
    expect(sourceOf(heardAll(q, both))).toBe(cuffName);
  });

  it("one questionable minute of the line moves nothing", () => {
    const before = [...every(0, 10, (at) => art(at, 118)), cuff(t0 + 9 * min + s, 121)];
    const lined = heardAll(q, before);
    const blip = heardAll(q, [art(t0 + 10 * min, 60, { validity: "questionable" }), art(t0 + 11 * min, 118)], lined);
    expect(sourceOf(blip)).toBe(artName);
  });

  it("knows nothing more of a link that is over", () => {
    const lined = heardAll(q, [
      ...every(0, 10, (at) => art(at, 118)),
      cuff(t0 + 9 * min + s, 121, { association: "link-8" }),
    ]);
    const gone = { ...lined, heard: lined.heard.filter(({ association }) => association !== "link-7") };
    expect(look(q, gone, null, t0 + 11 * min).now.choice).toMatchObject({ source: cuffName, reason: "previous-gone" });
  });

  it("an older word that comes late changes nothing", () => {
    const known = heardAll(q, [art(t0 + 5 * min, 118)]);
    const late = look(q, known, art(t0, 90), t0 + 5 * min + 30 * s);
    expect(charted(q, late, t0 + 5 * min + 30 * s)).toMatchObject({ from: [artName], value: 118 });
  });

  it("a change is told once, when its instant is over", () => {
    const lined = heardAll(
      q,
      every(0, 10, (at) => art(at, 118)),
    );
    const staleAt = t0 + 9 * min + 271 * s;
    const changed = look(q, lined, cuff(staleAt, 121), staleAt);
    expect(settled(q, changed, staleAt).chosen).toBeNull();
    expect(settled(q, changed, staleAt + 1)).toMatchObject({
      chosen: { previous: artName, choice: { source: cuffName } },
    });
    const later = look(q, changed, cuff(staleAt + min, 121), staleAt + min);
    expect(settled(q, later, staleAt + 2 * min).chosen).toBeNull();
  });
});

describe("the other ways to choose", () => {
  it("the most recent of two spot values is charted once the other is stale; two that stream do not alternate", () => {
    const q = systolic({ choose: "mostRecent" });
    const streams = every(0, 60, (at) => art(at, 118)).flatMap((a) => [a, cuff(a.lastAt + 20 * s, 121)]);
    expect(sourceOf(heardAll(q, streams))).toBe(artName);
  });

  it("the average is of all that are fresh and valid", () => {
    const q = systolic({ choose: "average" });
    const known = heardAll(q, [art(t0, 110), cuff(t0 + s, 130)]);
    expect(charted(q, known, t0 + 3 * s)).toMatchObject({ value: 120, from: [artName, cuffName] });
    const doubted = heardAll(q, [art(t0 + min, 60, { validity: "questionable" })], known);
    expect(charted(q, doubted, t0 + min + 2 * s)).toMatchObject({ value: 130, from: [cuffName] });
  });

  it("of states the most severe that is fresh holds", () => {
    const acvpu = { severity: ["U", "P", "V", "C", "A"], freshForMs: 4 * 60 * min };
    const said = [
      { value: "A", at: t0 + min },
      { value: "V", at: t0 },
    ];
    expect(mostSevere(acvpu, said, t0 + 2 * min)?.value).toBe("V");
    expect(mostSevere(acvpu, said, t0 + 240 * min + 30 * s)?.value).toBe("A");
    expect(mostSevere(acvpu, [{ value: "sleepy", at: t0 }], t0)).toBeNull();
  });
});

describe("values that cannot both be right", () => {
  const q = systolic();
  const apart = (fromMin: number, toMin: number, line: number): Said[] =>
    every(fromMin, toMin, (at) => art(at, line)).flatMap((a) => [a, cuff(a.lastAt, 120)]);
  const told = (all: readonly Said[]): number => {
    let known = noSources(q);
    let disputes = 0;
    for (const said of all) {
      const at = said.lastAt + 2 * s;
      disputes += settled(q, known, at).disputes.length;
      known = look(q, known, said, at);
    }
    return disputes + settled(q, known, t0 + 10_000 * min).disputes.length;
  };

  it("go to a person once, when they have differed for ten minutes", () => {
    expect(told(apart(0, 10, 70))).toBe(0);
    expect(told(apart(0, 11, 70))).toBe(1);
    expect(told(apart(0, 60, 70))).toBe(1);
  });

  it("within the tolerance, or where one is questionable, do not", () => {
    expect(told(apart(0, 60, 80))).toBe(0);
    const doubted = apart(0, 60, 70).map((said) => ({ ...said, validity: "questionable" as const }));
    expect(told(doubted)).toBe(0);
  });

  it("a cuff of a quarter of an hour ago is no contradiction of the line now", () => {
    const line = every(0, 60, (at) => art(at, 70));
    const cuffs = [0, 15, 30, 45].map((m) => cuff(t0 + m * min + s, 120));
    expect(told([...line, ...cuffs].sort((a, b) => a.lastAt - b.lastAt))).toBe(0);
  });

  it("that came together for a minute only are not told again", () => {
    expect(told([...apart(0, 20, 70), ...apart(20, 21, 120), ...apart(21, 60, 70)])).toBe(1);
  });
});

describe("whatever the sources do", () => {
  const q = systolic();
  const word = fc.record({
    waitMs: fc.integer({ min: 1, max: 400 * s }),
    line: fc.boolean(),
    mean: fc.integer({ min: 50, max: 200 }),
    valid: fc.boolean(),
    lateMs: fc.integer({ min: 0, max: 200 * s }),
  });

  it("the choice never changes twice within the time of the hysteresis", () => {
    let switches = 0;
    fc.assert(
      fc.property(fc.array(word, { minLength: 10, maxLength: 120 }), (words) => {
        let known = noSources(q);
        let at = t0;
        let changedAt: number | null = null;
        for (const { waitMs, line, mean, valid, lateMs } of words) {
          at += waitMs;
          const more = { validity: valid ? ("valid" as const) : ("questionable" as const) };
          const before = sourceOf(known);
          known = look(q, known, (line ? art : cuff)(at - lateMs, mean, more), at);
          if (before === undefined || before === sourceOf(known)) continue;
          switches++;
          if (changedAt !== null)
            expect(at - changedAt).toBeGreaterThanOrEqual(Math.min(q.steadyMs, q.takeOverAfterMs));
          changedAt = at;
        }
      }),
      { numRuns: 500 },
    );
    expect(switches).toBeGreaterThan(50);
  });

  it("what comes at one instant may come in any order", () => {
    const instant = fc.array(
      fc.record({ who: fc.integer({ min: 0, max: 3 }), mean: fc.integer({ min: 50, max: 200 }), valid: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    const said = (at: number, { who, mean, valid }: { who: number; mean: number; valid: boolean }): Said =>
      (who < 2 ? art : cuff)(at - 2 * s, mean, {
        device: `mon-0${who % 2}`,
        validity: valid ? "valid" : "questionable",
      });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), instant), { maxLength: 40 }),
        fc.gen(),
        (all, gen) => {
          let [one, other] = [noSources(q), noSources(q)];
          let at = t0;
          for (const [wait, words] of all) {
            at += wait * s;
            // one word of each source: a source's own words come in its own order
            const single = words.filter((w, i) => words.findIndex(({ who }) => who === w.who) === i);
            const shuffled = gen(fc.shuffledSubarray, single, { minLength: single.length, maxLength: single.length });
            for (const w of single) one = look(q, one, said(at, w), at);
            for (const w of shuffled) other = look(q, other, said(at, w), at);
            expect(other).toEqual(one);
          }
        },
      ),
    );
  });
});

describe("the policy's reader", () => {
  type First = Record<string, unknown>;
  /** The shipped example with its first quantity changed, and perhaps another beside it. */
  const broken = (change: (first: First) => readonly First[]): string => {
    const json = JSON.parse(shippedText("precedence/adult-example.json")) as { quantities: readonly First[] };
    const [first = {}, ...others] = json.quantities;
    const read = parsePrecedence(JSON.stringify({ ...json, quantities: [...change(first), ...others] }));
    return read.ok ? "taken" : `${read.problem.reason} ${read.problem.detail}`;
  };
  const aSource = (name: string, freshForMs: number): First => ({ name, freshForMs });

  it("takes the shipped example, where the line comes before the cuff and a monitor before a spot check", () => {
    const q = systolic();
    expect(q.sources.map(({ name }) => name)).toEqual(["arterialLine", "cuff", "spotCheck"]);
    expect(classOf(q, { metric: "nibpSystolic", device: "spot-3", channel: "nibp" }).name).toBe("spotCheck");
    expect(classOf(q, { metric: "nibpSystolic", device: "mon-07", channel: "nibp" }).name).toBe("cuff");
    expect(broken((first) => [first])).toBe("taken");
  });

  it.each<[string, (first: First) => readonly First[], string]>([
    [
      "two that take the rest",
      (q) => [{ ...q, sources: [aSource("a", 150_000), aSource("b", 150_000)] }],
      "exactly one",
    ],
    ["a metric in another unit", (q) => [{ ...q, metrics: ["artSystolic", "nibpSystolic", "spo2"] }], "spo2 is not"],
    ["a metric of two quantities", (q) => [q, { ...q, name: "again" }], "belongs to two"],
    [
      "a freshness shorter than a window takes to come",
      (q) => [{ ...q, sources: [aSource("a", 60_000)] }],
      "freshForMs",
    ],
    ["a field that nobody reads", (q) => [{ ...q, steady: 1 }], "Unrecognized"],
  ])("refuses %s", (_, change, says) => {
    expect(broken(change)).toMatch(/^precedence-invalid /);
    expect(broken(change)).toContain(says);
  });

  it("refuses what is no JSON", () => {
    expect(parsePrecedence("{")).toMatchObject({ ok: false, problem: { reason: "precedence-invalid" } });
  });
});
