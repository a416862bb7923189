/** Sources that cannot both be right: fresh, valid, of about one time, and further apart than the policy tolerates. */
import { doubt, type Heard, isFresh } from "./heard.ts";
import { type Quantity, seriesName } from "./policy.ts";

/** Two sources that cannot both be right. */
export interface Dispute {
  readonly between: readonly [string, string];
  readonly detail: string;
  readonly since: number;
  readonly lastSeen: number;
}

const pairs = (all: readonly Heard[]): readonly (readonly [Heard, Heard])[] => {
  const sorted = all.toSorted((a, b) => (seriesName(a) < seriesName(b) ? -1 : 1));
  return sorted.flatMap((a, i) => sorted.slice(i + 1).map((b) => [a, b] as const));
};

const disputeOf = (q: Quantity, a: Heard, b: Heard, at: number): Dispute | null => {
  const { tolerance, comparableMs } = q;
  if (tolerance === null || a.mean === null || b.mean === null || doubt(a) + doubt(b) > 0) return null;
  if (!isFresh(q, a, at) || !isFresh(q, b, at) || Math.abs(a.lastAt - b.lastAt) > comparableMs) return null;
  if (Math.abs(a.mean - b.mean) <= tolerance) return null;
  const [one, other] = [seriesName(a), seriesName(b)];
  const detail = `${q.name}: ${one} says ${round(a.mean)}, ${other} ${round(b.mean)} ${q.ucum}; more than ${tolerance} apart`;
  return { between: [one, other], detail, since: at, lastSeen: at };
};

const round = (value: number): number => Math.round(value * 10) / 10;
export const sameDispute = (a: Dispute, b: Dispute): boolean =>
  a.between[0] === b.between[0] && a.between[1] === b.between[1];

/** Each pair that differs, with since when; one that was together for less than `steadyMs` goes on as it was. */
export const disputesAt = (
  q: Quantity,
  all: readonly Heard[],
  before: readonly Dispute[],
  at: number,
): readonly Dispute[] => {
  const found = pairs(all).flatMap(([a, b]) => disputeOf(q, a, b, at) ?? []);
  const going = before.filter((known) => !found.some((f) => sameDispute(f, known)) && at - known.lastSeen < q.steadyMs);
  const since = (f: Dispute): number => before.find((known) => sameDispute(known, f))?.since ?? f.since;
  return [...found.map((f) => ({ ...f, since: since(f) })), ...going];
};

/** Long enough to go to a person. */
export const lasts = (q: Quantity, { since, lastSeen }: Dispute): boolean => lastSeen - since >= q.reviewAfterMs;
