/** Who a device measures, and when: its effective-dated associations (clinical.md 8, 9). */
import type { Problem } from "../../streams/core/failure.ts";
import type { Association } from "../../schemas/records/roster.ts";
import { correctableMs } from "../correctable.ts";
import { covers } from "../link.ts";

export type Associations = readonly Association[];

/** Associations that are over or were voided and are remembered, for measurements that arrive late. */
const endedKept = 128;
/** A measurement that is older than this on arrival is late (clinical.md 7). */
const lateMs = 60_000;

const isOver = ({ to, voided }: Association): boolean => to !== null || voided;

/** With the association in place of its earlier revision; the same list if nothing is new. */
export const withAssociation = (known: Associations, next: Association): Associations => {
  const before = known.find(({ id }) => id === next.id);
  if (before !== undefined && before.revision >= next.revision) return known;
  const all = [...known.filter(({ id }) => id !== next.id), next].sort(
    (a, b) => a.from - b.from || (a.id < b.id ? -1 : 1),
  );
  const over = all.filter(isOver);
  const forgotten = new Set(over.slice(0, Math.max(0, over.length - endedKept)));
  return all.filter((association) => !forgotten.has(association));
};

/** The association in force; of two that overlap, the one that began later. Null: nobody is linked. */
export const inForceAt = (known: Associations, at: number): Association | null =>
  known.findLast((association) => covers(association, at)) ?? null;

/** The key of a device's measurements: its subject, or the device while unassociated. */
export const keyOf = (association: Association | null, device: string): string => association?.subject ?? device;

/** The next start or end after `now`; null if none is known. */
export const nextBoundary = (known: Associations, now: number): number | null => {
  let next: number | null = null;
  for (const { from, to, voided } of known)
    for (const at of voided ? [] : [from, to]) if (at !== null && at > now && (next === null || at < next)) next = at;
  return next;
};

const isCorrectable = ({ to }: Association, now: number): boolean => to === null || to + correctableMs > now;

/**
 * Under which keys an association is told: its own subject's, those of everybody else whom the device is remembered to have measured within
 * the time for corrections, and the device's own. Of what is to come, too: which link is in force depends on all of them, and any may be
 * moved in time later. `before`: as they were known until now.
 */
export const keysConcerned = (
  before: Associations,
  next: Association,
  device: string,
  now: number,
): readonly string[] => {
  const former = before.filter(({ id }) => id === next.id);
  const others = before.filter((other) => isCorrectable(other, now));
  return [...new Set([...[next, ...former, ...others].map(({ subject }) => subject), device])];
};

/** The links that a new one's subject is told of before it: should the new one turn out wrong, one of them may hold. */
export const linksBeside = (before: Associations, next: Association, now: number): Associations =>
  before.some(({ id }) => id === next.id)
    ? []
    : before.filter((other) => !other.voided && other.subject !== next.subject && isCorrectable(other, now));

/** A late measurement whose time may lie on either side of a change of patient is nobody's until a person says whose. */
export const timeAmbiguity = (
  known: Associations,
  m: { readonly eventTime: number; readonly receivedTime: number },
  uncertaintyMs: number,
): Problem | null => {
  if (m.receivedTime - m.eventTime <= lateMs) return null;
  const before = inForceAt(known, m.eventTime - uncertaintyMs)?.subject;
  const after = inForceAt(known, m.eventTime + uncertaintyMs)?.subject;
  if (before === after) return null;
  return {
    reason: "time-ambiguous",
    detail: `eventTime: within ${uncertaintyMs} ms of a change of patient, and ${m.receivedTime - m.eventTime} ms late`,
  };
};
