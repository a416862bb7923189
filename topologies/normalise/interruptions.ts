/**
 * What ends a confirmed link without anybody's word: a power cycle, and a gap without a usable measurement that is longer than the device's
 * policy (clinical.md 9). Each is told with the link that it interrupts, before anything that was measured after it. A gap that stored readings
 * fill later was none, and the link is told so.
 */
import type { Association, Interruption } from "../../schemas/records.ts";
import { eventTime } from "../../streams/core/time.ts";
import { covers } from "../link.ts";
import { correctableMs } from "../correctable.ts";

/** What is remembered of a device's being there. */
export interface Presence {
  /** The last few boots that it named, the present one last. */
  readonly boots: readonly string[];
  /** Event time of its newest usable measurement; null: none yet. */
  readonly measuredAt: number | null;
  readonly interruptions: readonly KnownInterruption[];
}

export interface KnownInterruption extends Interruption {
  /** Of a power cycle: the boot that it began. */
  readonly boot: string | null;
}

/** One reading: its boot, where it names one, and event times of what it measured then; `usable` are those of values that say a patient is there. */
export interface Sign {
  readonly boot: string | null;
  readonly times: readonly number[];
  readonly usable: readonly number[];
}

export const neverThere: Presence = { boots: [], measuredAt: null, interruptions: [] };

const bootsKept = 8;
const interruptionsKept = 64;

/** The same presence where nothing is new. `gapMs` 0: no gap is too long. */
export const presenceAfter = (before: Presence, sign: Sign, gapMs: number): Presence => {
  const booted = afterBoot(before, sign);
  return [...sign.usable].sort((a, b) => a - b).reduce((known, at) => afterMeasuring(known, at, gapMs), booted);
};

/** A late reading of a former boot is none; one of this boot that is older than those before moves its beginning. */
const afterBoot = (before: Presence, { boot, times }: Sign): Presence => {
  const first = times.length === 0 ? null : Math.min(...times);
  if (boot === null || first === null) return before;
  const { boots, measuredAt, interruptions } = before;
  if (boots.length === 0) return { ...before, boots: [boot] };
  if (!boots.includes(boot)) {
    const cycle: KnownInterruption = { what: "powerCycle", from: known(measuredAt), at: eventTime(first), boot };
    return { ...before, boots: [...boots, boot].slice(-bootsKept), interruptions: bounded([...interruptions, cycle]) };
  }
  if (!interruptions.some((one) => one.boot === boot && one.at > first)) return before;
  const earlier = interruptions.map((one) => (one.boot === boot ? { ...one, at: eventTime(first) } : one));
  return { ...before, interruptions: bounded(earlier) };
};

const known = (at: number | null) => (at === null ? null : eventTime(at));

const afterMeasuring = (before: Presence, at: number, gapMs: number): Presence => {
  const { measuredAt, interruptions } = before;
  if (measuredAt !== null && at <= measuredAt) return filled(before, at, gapMs);
  if (measuredAt === null || gapMs === 0 || at - measuredAt <= gapMs) return { ...before, measuredAt: at };
  const gap: KnownInterruption = { what: "deviceGap", from: eventTime(measuredAt), at: eventTime(at), boot: null };
  return { ...before, measuredAt: at, interruptions: bounded([...interruptions, gap]) };
};

/** Stored readings come from either end of the gap; what is left of it is the gap. */
const filled = (before: Presence, at: number, gapMs: number): Presence => {
  const gap = before.interruptions.find(
    ({ what, from, at: end }) => what === "deviceGap" && from !== null && from < at && at < end,
  );
  if (gap === undefined || gap.from === null) return before;
  const left =
    at - gap.from <= gapMs
      ? { ...gap, from: eventTime(at) }
      : gap.at - at <= gapMs
        ? { ...gap, at: eventTime(at) }
        : gap;
  if (left === gap) return before;
  const rest = left.at - (left.from ?? left.at) > gapMs ? [left] : [];
  return { ...before, interruptions: before.interruptions.flatMap((one) => (one === gap ? rest : [one])) };
};

/** What is beyond correction is forgotten first; a device that restarts all the time keeps its newest. */
const bounded = (all: readonly KnownInterruption[]): readonly KnownInterruption[] => {
  const inOrder = all.toSorted((a, b) => a.at - b.at);
  const newest = inOrder.at(-1)?.at ?? 0;
  return inOrder.filter(({ at }) => at > newest - correctableMs).slice(-interruptionsKept);
};

/** Null: none, or nobody had confirmed anything that it could end. A person who confirmed within a gap knows of it: what follows him counts. */
const interruptionOf = (link: Association, all: readonly KnownInterruption[], gapMs: number): Interruption | null => {
  const { confirmedAt } = link;
  if (confirmedAt === null) return null;
  const found = all.find(
    ({ what, at }) =>
      covers(link, at) && at > confirmedAt && (what === "powerCycle" || (gapMs > 0 && at - confirmedAt > gapMs)),
  );
  return found === undefined ? null : { what: found.what, from: found.from, at: found.at };
};

/** The link with the interruption that concerns it; the same link where it has it already. */
export const withInterruption = (link: Association, { interruptions }: Presence, gapMs: number): Association => {
  const found = stillInterrupted(link, interruptions) ?? interruptionOf(link, interruptions, gapMs);
  return JSON.stringify(found) === JSON.stringify(link.interrupted) ? link : { ...link, interrupted: found };
};

/** One that was told stands where its own entry was forgotten for the number of later ones. */
const stillInterrupted = (link: Association, all: readonly KnownInterruption[]): Interruption | null => {
  const { interrupted } = link;
  const oldest = all[0];
  if (interrupted === null || oldest === undefined || interrupted.at >= oldest.at) return null;
  return interrupted;
};
