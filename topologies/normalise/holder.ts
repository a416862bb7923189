/** Who a device measures, and when: its effective-dated associations (clinical.md 8, 9). */
import type { Problem } from "../../streams/core/failure.ts";
import type { Association } from "../../schemas/records.ts";

export type Associations = readonly Association[];

/** Ended associations that are remembered, for measurements that arrive late. */
const endedKept = 16;
/** A measurement that is older than this on arrival is late (clinical.md 7). */
const lateMs = 60_000;

/** With the association in place of its earlier revision; the same list if nothing is new. */
export const withAssociation = (known: Associations, next: Association): Associations => {
  const before = known.find(({ id }) => id === next.id);
  if (before !== undefined && before.revision >= next.revision) return known;
  const all = [...known.filter(({ id }) => id !== next.id), next].sort(
    (a, b) => a.from - b.from || (a.id < b.id ? -1 : 1),
  );
  const ended = all.filter(({ to }) => to !== null);
  const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - endedKept)));
  return all.filter((association) => !forgotten.has(association));
};

/** The association in force; of two that overlap, the one that began later. Null: nobody is linked. */
export const inForceAt = (known: Associations, at: number): Association | null =>
  known.findLast(({ from, to }) => from <= at && (to === null || at < to)) ?? null;

/** The key of a device's measurements: its subject, or the device while unassociated. */
export const keyOf = (association: Association | null, device: string): string => association?.subject ?? device;

/** The next start or end after `now`; null if none is known. */
export const nextBoundary = (known: Associations, now: number): number | null => {
  let next: number | null = null;
  for (const { from, to } of known)
    for (const at of [from, to]) if (at !== null && at > now && (next === null || at < next)) next = at;
  return next;
};

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
