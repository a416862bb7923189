/** Where the patients were, by ADT's word: each visit's movements in the order in which they occurred, without those that were cancelled. */
import { placeOf, type RosterBase } from "./base.ts";
import { cancelsOf, type Movement } from "./cancels.ts";
import type { FhirEncounterEvent, RosterEvent } from "./events.ts";
import { type EventProblem, ambiguousLocation, type Identities } from "./merges.ts";

/** A patient at a place for a while. */
export interface Stay {
  readonly visit: string;
  /** The visit as the message called it by which the stay began. */
  readonly begunAs: string;
  /** The key that the visit's own messages give. */
  readonly patient: string;
  /** Null: a place that is no bed of ours. */
  readonly bed: string | null;
  readonly place: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly source: string;
  /** It began with a swap, which nobody has confirmed by that (clinical.md 9). */
  readonly swapped: boolean;
}

/** Somebody left a place by ADT's word, though it may have been taken back: a confirmed link ends there. */
export interface Departure {
  readonly patient: string;
  readonly visit: string;
  readonly atMs: number;
  /** Of the place left, and of the next; null: none of ours, or none. */
  readonly leaves: string | null;
  readonly goesTo: string | null;
  readonly discharged: boolean;
  readonly cancelled: boolean;
}

export interface Whereabouts {
  readonly stays: readonly Stay[];
  readonly departures: readonly Departure[];
  readonly problems: readonly EventProblem[];
}

/** What says where the patient is; A08 only describes him and moves nobody. */
const placing = new Set(["A01", "A02", "A04", "A06", "A07", "A17"]);

/** `events` in order. */
export const whereaboutsOf = (
  events: readonly RosterEvent[],
  identities: Identities,
  base: RosterBase,
): Whereabouts => {
  const movements = events.flatMap((event): Movement[] =>
    event.kind === "adt"
      ? event.parts.map((part) => ({
          event,
          part,
          visit: identities.visit(part.visit),
          patient: identities.owner(part),
        }))
      : [],
  );
  const byVisit = Map.groupBy(movements, ({ visit }) => visit);
  const told = [...byVisit].map(([visit, own]) => ofVisit(visit, own, base));
  const placed = new Set(
    [...byVisit].filter(([, own]) => own.some(({ event }) => placing.has(event.type))).map(([v]) => v),
  );
  const byFhir = fhirStays(events, placed, identities, base);
  return {
    stays: [...told.flatMap(({ stays }) => stays), ...byFhir.stays],
    departures: told.flatMap(({ departures }) => departures),
    problems: [...told.flatMap(({ problems }) => problems), ...byFhir.problems],
  };
};

const ofVisit = (visit: string, movements: readonly Movement[], base: RosterBase): Whereabouts => {
  const { voided, problems: unmatched } = cancelsOf(movements);
  const problems = [...unmatched];
  const stays: Stay[] = [];
  const departures: Departure[] = [];
  let at: Stay | undefined;
  for (const { event, part, patient } of movements) {
    const moves = placing.has(event.type) && part.location !== null;
    const discharged = event.type === "A03";
    if (!moves && !discharged) continue;
    const place = moves ? (part.location ?? "") : "";
    const { bed: goesTo, ambiguous } = moves ? placeOf(base, place) : { bed: null, ambiguous: false };
    if (at !== undefined && moves && at.place === place && at.patient === patient) continue;
    const cancelled = voided.has(event.id);
    if (at !== undefined) departures.push(departure(at, event.occurredMs, { goesTo, discharged, cancelled }));
    if (cancelled) continue;
    if (ambiguous) problems.push(ambiguousLocation(event.id));
    if (at !== undefined && at.fromMs < event.occurredMs) stays.push({ ...at, toMs: event.occurredMs });
    at = moves
      ? {
          visit,
          begunAs: part.visit,
          patient,
          bed: goesTo,
          place,
          fromMs: event.occurredMs,
          toMs: null,
          source: event.source,
          swapped: event.type === "A17",
        }
      : undefined;
  }
  if (at !== undefined) stays.push(at);
  return { stays, departures, problems };
};

const departure = (
  { patient, visit, bed }: Stay,
  atMs: number,
  to: Pick<Departure, "goesTo" | "discharged" | "cancelled">,
): Departure => ({ patient, visit, atMs, leaves: bed, ...to });

/** The last version of each Encounter, of visits that no ADT message places. */
const fhirStays = (
  events: readonly RosterEvent[],
  placed: ReadonlySet<string>,
  identities: Identities,
  base: RosterBase,
): Pick<Whereabouts, "stays" | "problems"> => {
  const patients = new Map(
    events.flatMap((e) => (e.kind === "fhirPatient" ? [[`${e.destination}/${e.fhirId}`, e.patient] as const] : [])),
  );
  const newest = new Map<string, FhirEncounterEvent>();
  for (const event of events)
    if (event.kind === "fhirEncounter") newest.set(`${event.destination}/${event.fhirId}`, event);
  const problems: EventProblem[] = [];
  const stays = [...newest.values()].flatMap((event): Stay[] => {
    const patient = patients.get(`${event.destination}/${event.patientFhirId}`);
    const visit = identities.visit(event.visit);
    if (patient === undefined || placed.has(visit)) return [];
    const placedAt = event.stays.map((stay) => ({ ...stay, ...placeOf(base, stay.location) }));
    if (placedAt.some(({ ambiguous }) => ambiguous)) problems.push(ambiguousLocation(event.id));
    return placedAt.map(({ location, bed, fromMs, toMs }) => ({
      visit,
      begunAs: event.visit,
      patient,
      bed,
      place: location,
      fromMs,
      toMs,
      source: event.source,
      swapped: false,
    }));
  });
  return { stays, problems };
};
