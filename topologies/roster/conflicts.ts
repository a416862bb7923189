/**
 * Where it is unclear who is measured: stable codes, shown on the link, of which nothing is promoted and nothing guessed (clinical.md 9). ADT lags the
 * bed, so what it says against a confirmed link moves nothing; a person who was shown the conflict and confirms once more overrules what was said until then.
 */
import type { Bound } from "./bound.ts";
import { closed, type Interval, open } from "./intervals.ts";
import type { Identities } from "./merges.ts";
import type { Placement } from "./placements.ts";
import type { Departure, Stay, Whereabouts } from "./stays.ts";

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
 * conflict. `stays`: of one bed; `openStays`: everywhere.
 */
export const clearStays = (
  stays: readonly Stay[],
  openStays: OpenStays,
  identities: Identities,
): readonly ClearStay[] => {
  const who = ({ patient }: Stay): string => identities.patient(patient);
  const openHere = stays.filter(({ toMs }) => toMs === null);
  let before: Stay[] = [];
  return stays
    .toSorted((a, b) => a.fromMs - b.fromMs || (a.visit < b.visit ? -1 : 1))
    .flatMap((stay): ClearStay[] => {
      before = before.filter((one) => open(one.toMs) > stay.fromMs);
      const ends = before.filter((one) => one.toMs !== null || who(one) === who(stay)).map(({ toMs }) => open(toMs));
      const rivals = (stay.toMs === null ? openHere : before).filter(
        (one) => one.toMs === null && who(one) !== who(stay),
      );
      const elsewhere = stay.toMs === null ? (openStays.get(who(stay)) ?? []) : [];
      before.push(stay);
      const span = { from: Math.max(stay.fromMs, ...ends), to: open(stay.toMs) };
      if (span.from >= span.to) return [];
      return [{ stay, span, conflicts: conflictsOf(stay, rivals, elsewhere) }];
    });
};

/** Stays that have not ended in beds of ours, by the patient who stands for them now. */
export type OpenStays = ReadonlyMap<string, readonly Stay[]>;

const conflictsOf = (stay: Stay, rivals: readonly Stay[], open: readonly Stay[]): readonly Conflict[] => {
  const since = (one: Stay): number => Math.max(one.fromMs, stay.fromMs);
  const elsewhere = open.filter(({ place, bed }) => place !== stay.place && bed !== null);
  return [
    ...rivals.slice(0, 1).map((one) => conflict("two-patients-in-bed", "ADT has two patients in this bed", since(one))),
    ...elsewhere
      .slice(0, 1)
      .map((one) => conflict("patient-in-two-beds", `ADT has this patient in ${one.bed} too`, since(one))),
    ...(stay.swapped
      ? [
          conflict(
            "swap-unconfirmed",
            "two patients changed beds, and nobody has confirmed it at this bed",
            stay.fromMs,
          ),
        ]
      : []),
  ];
};

/** What speaks of a link, found by whom or what it is about. */
export interface Known {
  readonly stays: readonly Stay[];
  readonly staysOf: ReadonlyMap<string, readonly Stay[]>;
  readonly staysIn: ReadonlyMap<string | null, readonly Stay[]>;
  readonly departuresOf: ReadonlyMap<string, readonly Departure[]>;
  readonly placements: readonly Placement[];
  readonly placementsOf: ReadonlyMap<string, readonly Placement[]>;
  readonly identities: Identities;
}

export const knownOf = (
  { stays, departures }: Pick<Whereabouts, "stays" | "departures">,
  placements: readonly Placement[],
  identities: Identities,
): Known => ({
  stays,
  staysOf: Map.groupBy(stays, ({ patient }) => identities.patient(patient)),
  staysIn: Map.groupBy(stays, ({ bed }) => bed),
  departuresOf: Map.groupBy(departures, ({ patient }) => identities.patient(patient)),
  placements,
  placementsOf: Map.groupBy(placements, ({ device }) => device),
  identities,
});

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

const placedElsewhere = (link: Bound, { placementsOf }: Known): readonly Conflict[] =>
  (placementsOf.get(link.device) ?? [])
    .filter(({ bed, span }) => bed !== link.bed && atEndOf(link, span))
    .map(({ bed, span }) => conflict("device-in-two-places", `the device stands at ${bed}`, span.from));

const disagreement = (link: Bound, { staysOf, departuresOf, identities }: Known): readonly Conflict[] => {
  const patient = identities.patient(link.patient);
  const own = staysOf.get(patient) ?? [];
  const now = own.filter((stay) => atEndOf(link, spanOf(stay)));
  if (now.some(({ bed }) => bed === link.bed)) return [];
  const elsewhere = now.filter(({ bed }) => bed !== null)[0];
  if (elsewhere !== undefined)
    return [conflict("adt-disagrees", `ADT has this patient in ${elsewhere.bed}`, elsewhere.fromMs)];
  const left = (departuresOf.get(patient) ?? []).filter(
    ({ cancelled, atMs, goesTo }) =>
      !cancelled && atMs >= link.fromMs && atMs <= link.confirmedMs && goesTo !== link.bed,
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

const rivals = (link: Bound, { staysIn, identities }: Known): readonly Conflict[] =>
  (staysIn.get(link.bed) ?? [])
    .filter(
      (stay) => identities.patient(stay.patient) !== identities.patient(link.patient) && atEndOf(link, spanOf(stay)),
    )
    .slice(0, 1)
    .map(({ fromMs }) => conflict("two-patients-in-bed", "ADT has another patient in this bed", fromMs));

export const endOf = (span: Interval): number | null => closed(span.to);
