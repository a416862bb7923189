/**
 * Where it is unclear who is measured: stable codes, shown on the link, of which nothing is promoted and nothing guessed (clinical.md 9). ADT lags the
 * bed, so what it says against a confirmed link moves nothing; a person who was shown the conflict and confirms once more overrules what was said until then.
 */
import type { Bound } from "./bound.ts";
import { closed, type Interval, intersection, open } from "./intervals.ts";
import type { Identities } from "./merges.ts";
import type { Placement } from "./placements.ts";
import type { Departure, Stay } from "./stays.ts";

export const conflictCodes = [
  "two-patients-in-bed",
  "patient-in-two-beds",
  "device-in-two-places",
  "swap-unconfirmed",
  "adt-disagrees",
] as const;
export type ConflictCode = (typeof conflictCodes)[number];

export interface Conflict {
  readonly code: ConflictCode;
  readonly detail: string;
  /** When what is unclear was last said. */
  readonly sinceMs: number;
}

const spanOf = (stay: Stay): Interval => ({ from: stay.fromMs, to: open(stay.toMs) });

/** A stay as it can be told apart from the others in its bed. */
export interface ClearStay {
  readonly stay: Stay;
  readonly span: Interval;
  readonly conflicts: readonly Conflict[];
}

/**
 * Of two patients whose stays in a bed overlap, the later one's begins where the earlier one's has ended; while that has not ended, both are in
 * conflict. `stays`: of one bed.
 */
export const clearStays = (
  stays: readonly Stay[],
  all: readonly Stay[],
  identities: Identities,
): readonly ClearStay[] => {
  const inOrder = stays.toSorted((a, b) => a.fromMs - b.fromMs || (a.visit < b.visit ? -1 : 1));
  const who = ({ patient }: Stay): string => identities.patient(patient);
  return inOrder.flatMap((stay, n): ClearStay[] => {
    const earlier = inOrder.slice(0, n).filter((one) => open(one.toMs) > stay.fromMs);
    const clipped = Math.max(
      stay.fromMs,
      ...earlier.filter((one) => one.toMs !== null || who(one) === who(stay)).map((one) => open(one.toMs)),
    );
    if (clipped >= open(stay.toMs)) return [];
    const rival = inOrder.find(
      (one, m) =>
        who(one) !== who(stay) &&
        (m < n ? one.toMs === null : one.toMs === null && stay.toMs === null) &&
        intersection(spanOf(one), spanOf(stay)) !== null,
    );
    const elsewhere = all.find(
      (one) =>
        one.toMs === null &&
        stay.toMs === null &&
        who(one) === who(stay) &&
        one.place !== stay.place &&
        one.bed !== null,
    );
    const conflicts: Conflict[] = [];
    if (rival !== undefined)
      conflicts.push({
        code: "two-patients-in-bed",
        detail: "ADT has two patients in this bed",
        sinceMs: Math.max(rival.fromMs, stay.fromMs),
      });
    if (elsewhere !== undefined)
      conflicts.push({
        code: "patient-in-two-beds",
        detail: `ADT has this patient in ${elsewhere.bed} too`,
        sinceMs: Math.max(elsewhere.fromMs, stay.fromMs),
      });
    if (stay.swapped)
      conflicts.push({
        code: "swap-unconfirmed",
        detail: "two patients changed beds, and nobody has confirmed it at this bed",
        sinceMs: stay.fromMs,
      });
    return [{ stay, span: { from: clipped, to: open(stay.toMs) }, conflicts }];
  });
};

export interface Known {
  readonly stays: readonly Stay[];
  readonly departures: readonly Departure[];
  readonly placements: readonly Placement[];
  readonly identities: Identities;
}

/** What speaks against a confirmed link at its end, or now where it is open. */
export const againstBound = (link: Bound, known: Known): readonly Conflict[] => {
  const found = [
    ...(link.contested
      ? [
          conflict(
            "device-in-two-places",
            "two people bound the device to two patients for the same moment",
            Number.POSITIVE_INFINITY,
          ),
        ]
      : []),
    ...placedElsewhere(link, known),
    ...disagreement(link, known),
    ...(link.endedByAdt ? [] : rivals(link, known)),
  ];
  return found.filter(
    ({ code, sinceMs }) => !link.overruled.some((one) => one.conflict === code && sinceMs <= one.untilMs),
  );
};

const conflict = (code: ConflictCode, detail: string, sinceMs: number): Conflict => ({ code, detail, sinceMs });

/** Whether it holds at the last moment of the link. */
const atEndOf = (link: Bound, span: Interval): boolean => {
  const end = open(link.toMs);
  return span.from < end && span.to >= end;
};

const placedElsewhere = (link: Bound, { placements }: Known): readonly Conflict[] =>
  placements
    .filter(({ device, bed, span }) => device === link.device && bed !== link.bed && atEndOf(link, span))
    .map(({ bed, span }) => conflict("device-in-two-places", `the device stands at ${bed}`, span.from));

const disagreement = (link: Bound, { stays, departures, identities }: Known): readonly Conflict[] => {
  const patient = identities.patient(link.patient);
  const own = stays.filter((stay) => identities.patient(stay.patient) === patient);
  const now = own.filter((stay) => atEndOf(link, spanOf(stay)));
  if (now.some(({ bed }) => bed === link.bed)) return [];
  const elsewhere = now.filter(({ bed }) => bed !== null)[0];
  if (elsewhere !== undefined)
    return [conflict("adt-disagrees", `ADT has this patient in ${elsewhere.bed}`, elsewhere.fromMs)];
  const left = departures.filter(
    (one) =>
      identities.patient(one.patient) === patient &&
      !one.cancelled &&
      one.atMs >= link.fromMs &&
      one.atMs <= link.confirmedMs &&
      one.goesTo !== link.bed,
  );
  const last = left.toSorted((a, b) => b.atMs - a.atMs)[0];
  if (last !== undefined)
    return [conflict("adt-disagrees", "ADT says that this patient had left before it was confirmed", last.atMs)];
  const wasHere = own.some(({ bed, fromMs }) => bed === link.bed && fromMs <= link.fromMs);
  const admittedByAdt = link.id.startsWith(assertedPrefix);
  return admittedByAdt && !wasHere && !link.endedByAdt
    ? [conflict("adt-disagrees", "ADT has taken back that this patient came to this bed", link.fromMs)]
    : [];
};

/** How the ids of links begin that ADT or a FHIR server asserted; those that a person made begin otherwise. */
export const assertedPrefix = "adt/";

const rivals = (link: Bound, { stays, identities }: Known): readonly Conflict[] =>
  stays
    .filter(
      (stay) =>
        stay.bed === link.bed &&
        identities.patient(stay.patient) !== identities.patient(link.patient) &&
        atEndOf(link, spanOf(stay)),
    )
    .slice(0, 1)
    .map(({ fromMs }) => conflict("two-patients-in-bed", "ADT has another patient in this bed", fromMs));

export const endOf = (span: Interval): number | null => closed(span.to);
