/** The watch's two concerns, as stories and as properties. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginWatching, type Limits, type Telling, type WatchEvent, type Watching, watch } from "./watching.ts";

const limits: Limits = {
  beatEveryMs: 5_000,
  beatLimitMs: 10_000,
  aliveLimitMs: 20_000,
  wellAfterBeats: 2,
  repeatMs: 30_000,
  retryMs: 5_000,
};

type Told = Telling & { readonly at: number };

/** Steps through a story, with a tick each half second between its events. */
const play = (events: readonly WatchEvent[], untilMs: number): { told: readonly Told[]; watching: Watching } => {
  const ticks = Array.from({ length: untilMs / 500 + 1 }, (_, n): WatchEvent => ({ kind: "tick", at: n * 500 }));
  let watching = beginWatching(0);
  const told: Told[] = [];
  for (const event of [...events, ...ticks].toSorted((a, b) => a.at - b.at)) {
    const step = watch(watching, event, limits);
    watching = step.watching;
    told.push(...step.tell.map((telling) => ({ ...telling, at: event.at })));
  }
  return { told, watching };
};

const due = (seq: number, at: number): WatchEvent => ({ kind: "due", seq, at });
const came = (seq: number, at: number): WatchEvent => ({ kind: "came", seq, at });
const alive = (at: number): WatchEvent => ({ kind: "alive", at });

/** Beats every 5 s from 0; those that `lost` names do not come back. The circuit lives until `aliveUntil`. */
const running = (untilMs: number, lost: (seq: number) => boolean, aliveUntil = untilMs): WatchEvent[] =>
  Array.from({ length: Math.floor(untilMs / 5_000) + 1 }, (_, seq) => seq).flatMap((seq) => [
    due(seq, seq * 5_000),
    ...(lost(seq) ? [] : [came(seq, seq * 5_000 + 40)]),
    ...(seq * 5_000 <= aliveUntil ? [alive(seq * 5_000 + 100)] : []),
  ]);

const brief = ({ concern, what, at }: Told): string => `${at} ${concern} ${what}`;

describe("the watch", () => {
  it("says nothing while every beat comes back and the circuit lives", () => {
    expect(
      play(
        running(300_000, () => false),
        300_000,
      ).told,
    ).toEqual([]);
  });

  it("sounds 10 s after one missed beat, though the next ones came, and ends when two in a row came again", () => {
    const { told } = play(
      running(60_000, (seq) => seq === 4),
      60_000,
    );
    expect(told.map(brief)).toEqual(["30000 beat alarm", "40040 beat ended"]);
  });

  it("does not end while every second beat is lost", () => {
    const { told } = play(
      running(90_000, (seq) => seq > 2 && seq % 2 === 0),
      90_000,
    );
    expect(told.map(brief)).toEqual(["30000 beat alarm", "60000 beat reminder", "90000 beat reminder"]);
  });

  it("sounds for the platform that is gone, both ways, each within its limit", () => {
    const { told } = play(
      running(60_000, (seq) => seq >= 6, 25_000),
      60_000,
    );
    expect(told.slice(0, 2).map(brief)).toEqual(["40000 beat alarm", "45500 alive alarm"]);
  });

  it("is armed when it starts: a circuit that never spoke sounds after the limit", () => {
    expect(play([], 20_000).told.map(brief)).toEqual(["20000 alive alarm"]);
  });

  it("repeats until somebody acknowledges, then is silent, and says when it is well", () => {
    const acknowledged: WatchEvent = { kind: "acknowledged", who: "ce-1", at: 55_000 };
    const { told } = play([acknowledged, alive(200_000)], 205_000);
    expect(told.map(brief)).toEqual(["20000 alive alarm", "50000 alive reminder", "200000 alive ended"]);
  });

  it("sounds again for what somebody acknowledged ten minutes ago and is not well yet", () => {
    const acknowledged: WatchEvent = { kind: "acknowledged", who: "ce-1", at: 25_000 };
    const { told } = play([acknowledged], 660_000);
    expect(told.map(brief)).toEqual(["20000 alive alarm", "625000 alive reminder", "655000 alive reminder"]);
  });

  it("sounds anew for what rises after an acknowledgement", () => {
    const acknowledged: WatchEvent = { kind: "acknowledged", who: "ce-1", at: 6_000 + 15_000 };
    const { told } = play([acknowledged, due(1, 30_000)], 45_000);
    expect(told.map(brief)).toEqual(["20000 alive alarm", "40000 beat alarm"]);
  });

  it("tells again soon what no notifier took", () => {
    const untold: WatchEvent = { kind: "untold", instance: 1, at: 20_100 };
    const { told } = play([untold], 30_000);
    expect(told.map(brief)).toEqual(["20000 alive alarm", "25500 alive reminder"]);
  });

  it("knows a late beat from one that it never sent, and neither makes it well", () => {
    let watching = beginWatching(0);
    for (const event of [due(1, 0), { kind: "tick", at: 10_000 } as const, due(2, 10_100)])
      watching = watch(watching, event, limits).watching;
    const late = watch(watching, came(1, 11_000), limits);
    expect(late.arrival).toEqual({ outcome: "late", roundTripMs: 11_000 });
    const forged = watch(late.watching, came(3, 11_100), limits);
    expect(forged.arrival).toEqual({ outcome: "unknown" });
    expect(forged.watching.concerns.beat).not.toBeNull();
    const once = watch(forged.watching, came(2, 11_200), limits);
    expect(once.arrival).toEqual({ outcome: "inTime", roundTripMs: 1_100 });
    expect(watch(once.watching, came(2, 11_300), limits).arrival).toEqual({ outcome: "unknown" });
  });
});

/** Half a second each: a beat may be lost or come after some delay, the circuit may speak, somebody may acknowledge, a notifier may fail. */
const moments = fc.array(
  fc.record({
    beatAfter: fc.option(fc.integer({ min: 0, max: 24 }), { freq: 4 }),
    alive: fc.integer({ min: 0, max: 9 }).map((n) => n < 2),
    acknowledges: fc.integer({ min: 0, max: 39 }).map((n) => n === 0),
    fails: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    forged: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  { minLength: 40, maxLength: 400 },
);

interface Moment {
  readonly at: number;
  readonly events: readonly WatchEvent[];
}

const momentsOf = (
  draws: readonly {
    beatAfter: number | null;
    alive: boolean;
    acknowledges: boolean;
    fails: boolean;
    forged: boolean;
  }[],
): Moment[] => {
  const arrivals = new Map<number, number[]>();
  return draws.map((draw, n) => {
    const at = n * 500;
    const events: WatchEvent[] = [];
    if (n % 10 === 0) {
      events.push(due(n, at));
      if (draw.beatAfter !== null) {
        const when = n + draw.beatAfter;
        arrivals.set(when, [...(arrivals.get(when) ?? []), n]);
      }
    }
    for (const seq of arrivals.get(n) ?? []) events.push(came(seq, at));
    if (draw.forged) events.push(came(1_000_000 + n, at));
    if (draw.alive) events.push(alive(at));
    if (draw.acknowledges) events.push({ kind: "acknowledged", who: "ce", at });
    if (draw.fails) events.push({ kind: "untold", instance: 1, at });
    return { at, events: [...events, { kind: "tick", at }] };
  });
};

interface Lived {
  readonly at: number;
  readonly watching: Watching;
  readonly told: readonly Told[];
  readonly events: readonly WatchEvent[];
}

const live = (all: readonly Moment[]): Lived[] => {
  let watching = beginWatching(0);
  return all.map(({ at, events }) => {
    const told: Told[] = [];
    for (const event of events) {
      const step = watch(watching, event, limits);
      watching = step.watching;
      told.push(...step.tell.map((telling) => ({ ...telling, at })));
    }
    return { at, watching, told, events };
  });
};

describe("whatever happens to beats, signs of life, people and notifiers", () => {
  it("nothing that is wrong stays unsaid: each missed beat and each silence is a concern at the moment that its limit passes", () => {
    fc.assert(
      fc.property(moments, (draws) => {
        const lived = live(momentsOf(draws));
        const backInTime = new Map<number, number>();
        const dueAt = new Map<number, number>();
        let lastAliveAt = 0;
        for (const { at, events, watching } of lived) {
          for (const event of events) {
            if (event.kind === "due") dueAt.set(event.seq, event.at);
            if (event.kind === "came") backInTime.set(event.seq, event.at);
            if (event.kind === "alive") lastAliveAt = at;
          }
          const justMissed = [...dueAt].some(
            ([seq, due]) => at - due === limits.beatLimitMs && (backInTime.get(seq) ?? at) >= at,
          );
          if (justMissed) expect(watching.concerns.beat).not.toBeNull();
          expect(watching.concerns.alive === null).toBe(at - lastAliveAt < limits.aliveLimitMs);
        }
      }),
    );
  });

  it("nothing is said that is not wrong: no alarm about beats unless one was missed", () => {
    fc.assert(
      fc.property(moments, (draws) => {
        const lived = live(momentsOf(draws.map((draw) => ({ ...draw, beatAfter: Math.min(draw.beatAfter ?? 0, 19) }))));
        expect(lived.flatMap(({ told }) => told).filter(({ concern }) => concern === "beat")).toEqual([]);
      }),
    );
  });

  it("each concern is told once as an alarm, then by reminders that count on, then as ended; instances never come again", () => {
    fc.assert(
      fc.property(moments, (draws) => {
        const told = live(momentsOf(draws)).flatMap((moment) => moment.told);
        for (const instance of new Set(told.map((telling) => telling.instance))) {
          const its = told.filter((telling) => telling.instance === instance);
          expect(new Set(its.map(({ concern }) => concern)).size).toBe(1);
          expect(its[0]?.what).toBe("alarm");
          const soundings = its.filter(({ what }) => what !== "ended");
          expect(soundings.map(({ attempt }) => attempt)).toEqual(soundings.map((_, n) => n));
          const ends = its.filter(({ what }) => what === "ended");
          expect(ends.length).toBeLessThanOrEqual(1);
          if (ends.length === 1) expect(its.at(-1)?.what).toBe("ended");
        }
      }),
    );
  });

  it("what nobody acknowledged sounds again within the repeat, and what somebody did does not", () => {
    fc.assert(
      fc.property(moments, (draws) => {
        const lived = live(momentsOf(draws));
        const lastTold = new Map<number, number>();
        for (const { at, watching, told } of lived) {
          for (const { instance } of told) lastTold.set(instance, at);
          for (const concern of Object.values(watching.concerns)) {
            if (concern === null) continue;
            if (concern.acknowledgedBy === null)
              expect(at - (lastTold.get(concern.instance) ?? Number.NEGATIVE_INFINITY)).toBeLessThan(limits.repeatMs);
            else expect(concern.tellAgainAt).toBeNull();
          }
        }
      }),
    );
  });

  it("keeps a bounded memory", () => {
    fc.assert(
      fc.property(moments, (draws) => {
        for (const { watching } of live(momentsOf(draws))) {
          expect(watching.awaited.length).toBeLessThanOrEqual(limits.beatLimitMs / limits.beatEveryMs + 1);
          expect(watching.missed.length).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});
