/**
 * What ends a confirmed link without anybody's word: a power cycle, and a gap without a usable measurement that is longer than the device's
 * policy (clinical.md 9). Each is told with the link that it interrupts, before anything that was measured after it. A gap that stored readings
 * fill later was none, and the link is told so; a link that the roster service ended for it stays ended.
 *
 * After a restart a device's clock may be wrong for a while, and what it says then may look older than what it said before: a power cycle is never
 * dated before the last measurement of the boot that it ended (what is older is `doubtOf`'s).
 */
import type { Association, Interruption } from "../../schemas/records/roster.ts";
import { eventTime } from "../../streams/core/time.ts";
import { correctableMs } from "../correctable.ts";
import { covers } from "../link.ts";
import type { Clock } from "./clock.ts";

/** What is remembered of a device's being there. */
export interface Presence {
  /** The last few boots that it named, the present one last. */
  readonly boots: readonly string[];
  /** Event time of its newest usable measurement; null: none yet. */
  readonly measuredAt: number | null;
  /** In the order of time. */
  readonly interruptions: readonly KnownInterruption[];
  /** Of those that were forgotten, the newest one's time; null: none was. */
  readonly forgottenTo: number | null;
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

export const neverThere: Presence = { boots: [], measuredAt: null, interruptions: [], forgottenTo: null };

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
    const cycle: KnownInterruption = {
      what: "powerCycle",
      from: known(measuredAt),
      at: notBefore(measuredAt, first),
      boot,
    };
    return bounded({ ...before, boots: [...boots, boot].slice(-bootsKept) }, [...interruptions, cycle]);
  }
  const begun = interruptions.find((one) => one.boot === boot);
  if (begun === undefined || begun.at <= notBefore(begun.from, first)) return before;
  const at = notBefore(begun.from, first);
  return bounded(
    before,
    interruptions.map((one) => (one === begun ? { ...one, at } : one)),
  );
};

const known = (at: number | null) => (at === null ? null : eventTime(at));
const notBefore = (last: number | null, at: number) => eventTime(last === null ? at : Math.max(at, last + 1));

const afterMeasuring = (before: Presence, at: number, gapMs: number): Presence => {
  const { measuredAt, interruptions } = before;
  if (measuredAt !== null && at <= measuredAt) return split(before, at, gapMs);
  if (measuredAt === null || gapMs === 0 || at - measuredAt <= gapMs) return { ...before, measuredAt: at };
  return bounded({ ...before, measuredAt: at }, [...interruptions, gapOf(measuredAt, at)]);
};

const gapOf = (from: number, at: number): KnownInterruption => ({
  what: "deviceGap",
  from: eventTime(from),
  at: eventTime(at),
  boot: null,
});

/** A stored reading from within a gap leaves the two on either side of it, where they are still too long. */
const split = (before: Presence, at: number, gapMs: number): Presence => {
  const gap = before.interruptions.find(
    ({ what, from, at: end }) => what === "deviceGap" && from !== null && from < at && at < end,
  );
  if (gap === undefined || gap.from === null) return before;
  const left = [gapOf(gap.from, at), gapOf(at, gap.at)].filter((one) => one.at - (one.from ?? one.at) > gapMs);
  return bounded(
    before,
    before.interruptions.flatMap((one) => (one === gap ? left : [one])),
  );
};

/** What is beyond correction is forgotten first; of a device that restarts all the time, what is oldest. */
const bounded = (presence: Presence, all: readonly KnownInterruption[]): Presence => {
  const inOrder = all.toSorted((a, b) => a.at - b.at);
  const newest = inOrder.at(-1)?.at ?? 0;
  const interruptions = inOrder.filter(({ at }) => at > newest - correctableMs).slice(-interruptionsKept);
  const forgotten = inOrder.slice(0, inOrder.length - interruptions.length).at(-1)?.at;
  return { ...presence, interruptions, forgottenTo: forgotten ?? presence.forgottenTo };
};

/**
 * How far what a reading says of its time may be off for a restart: its boot's clock has not been compared with ours yet, and the readings look
 * late. 0: nothing is in doubt. The gates keep that far from any edge of a link; it pages all the same (clinical.md 8).
 */
export const doubtOf = (
  { boots }: Presence,
  clock: Pick<Clock, "boot" | "suspicion"> | undefined,
  boot: string | null,
  { eventTime: at, receivedTime }: { readonly eventTime: number; readonly receivedTime: number },
): number => {
  const isNewest = boot !== null && (boots.at(-1) === boot || !boots.includes(boot));
  if (!isNewest || clock === undefined || clock.suspicion === null || clock.boot === boot) return 0;
  return Math.max(0, receivedTime - at);
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
export const withInterruption = (link: Association, presence: Presence, gapMs: number): Association => {
  const found = forgottenOf(link, presence) ?? interruptionOf(link, presence.interruptions, gapMs);
  const { interrupted } = link;
  if (found?.at === interrupted?.at && found?.what === interrupted?.what) return link;
  return { ...link, interrupted: found };
};

/** One that was told stands where its own entry is forgotten. */
const forgottenOf = ({ interrupted }: Association, { forgottenTo }: Presence): Interruption | null =>
  interrupted !== null && forgottenTo !== null && interrupted.at <= forgottenTo ? interrupted : null;

/** A new revision of a link, with what was told of the one before where nobody has confirmed it since. */
export const revised = (next: Association, before: Association | undefined): Association => {
  const told = before?.interrupted ?? null;
  const confirmedSince = told !== null && next.confirmedAt !== null && next.confirmedAt >= told.at;
  return told === null || confirmedSince || next.confirmedAt === null ? next : { ...next, interrupted: told };
};
