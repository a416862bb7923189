/**
 * Which patients' stories are closed: nothing of what holds now depends on what was said of them, nor can what is told from now on change what they had,
 * but for what {@link Folded.opens} finds. So they need not be derived again. It is a matter of cost alone: what holds is the same (fold.property.test.ts).
 */
import type { RosterBase } from "./base.ts";
import type { RosterView } from "./derive.ts";
import type { RosterEvent } from "./events.ts";
import { open } from "./intervals.ts";
import { placementsOf } from "./placements.ts";

export interface Folded {
  /** What is to be derived on; in the order given. */
  readonly live: readonly RosterEvent[];
  /** What closed stories leave, for good. */
  readonly closed: RosterView;
  readonly liveView: RosterView;
  readonly horizonMs: number;
  /** Everybody whose story is closed, and their visits and links. */
  readonly closedNames: ReadonlySet<string>;
  /** Whether an event may concern what is closed: then all must be derived anew. */
  opens(event: RosterEvent): boolean;
}

export const nothingClosed: Pick<Folded, "closed" | "closedNames" | "horizonMs"> = {
  horizonMs: Number.NEGATIVE_INFINITY,
  closed: { wanted: [], links: [], stays: [], problems: [], merged: new Set() },
  closedNames: new Set(),
};

/** `view`: of all `events`. Stories that ended before `wantedMs` are closed, beside those that were `before`. */
export const fold = (
  events: readonly RosterEvent[],
  view: RosterView,
  base: RosterBase,
  wantedMs: number,
  before = nothingClosed,
): Folded => {
  const horizonMs = Math.max(wantedMs, before.horizonMs);
  const names = (event: RosterEvent): readonly string[] => namesIn(event, base);
  const personal = (key: string): string => nameOf(key, base);
  const stories = new Groups();
  for (const event of events) stories.join(names(event));
  const claims = claimsOf(events, view, base);
  const chained = overlapping(claims, stories);
  const isLive = new Set<string>();
  for (const event of events)
    if (lastMs(event) >= horizonMs) for (const name of names(event)) isLive.add(stories.root(name));
  for (const { name, to } of claims) if (to >= horizonMs) isLive.add(stories.root(name));
  keepNext(chained, isLive, stories);
  const isClosed = (name: string): boolean => stories.has(name) && !isLive.has(stories.root(name));
  const closes = (event: RosterEvent): boolean => names(event).some(isClosed);
  const winding = new Set(
    events
      .filter((event) => winds(event, horizonMs))
      .flatMap((event) => names(event).map((name) => stories.root(name))),
  );
  const closedEvents = new Set(events.flatMap((event) => (closes(event) ? [event.id] : [])));
  const closedLinks = new Set(view.links.flatMap(({ id, patient }) => (isClosed(personal(patient)) ? [id] : [])));
  const part = (isOf: boolean): RosterView => ({
    wanted: view.wanted.filter(({ id, body }) =>
      body.kind === "association"
        ? closedLinks.has(body.id) === isOf
        : (id.startsWith("patient/") && isClosed(personal(id.slice("patient/".length)))) === isOf,
    ),
    links: view.links.filter(({ id }) => closedLinks.has(id) === isOf),
    stays: view.stays.filter(({ patient }) => isClosed(personal(patient)) === isOf),
    problems: view.problems.filter(({ event }) => closedEvents.has(event) === isOf),
    merged: isOf ? new Set([...view.merged].filter((key) => isClosed(personal(key)))) : view.merged,
  });
  const closedNames = new Set([...before.closedNames, ...stories.names().filter(isClosed)]);
  return {
    live: events.filter(({ id }) => !closedEvents.has(id)),
    closed: together(before.closed, part(true)),
    closedNames,
    horizonMs,
    liveView: part(false),
    opens: (event) =>
      event.kind === "fhirPatient" ||
      event.kind === "fhirEncounter" ||
      winds(event, horizonMs) ||
      firstMs(event) < horizonMs ||
      names(event).some((name) => closedNames.has(name) || winding.has(stories.root(name))),
  };
};

export const together = (closed: RosterView, live: RosterView): RosterView => ({
  wanted: [...closed.wanted, ...live.wanted],
  links: [...closed.links, ...live.links].toSorted((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1)),
  stays: [...closed.stays, ...live.stays],
  problems: [...closed.problems, ...live.problems],
  merged: new Set([...closed.merged, ...live.merged]),
});

/** What may change the past though it is told now: cancels and merges, and Encounters whose stays began before the horizon. */
const winds = (event: RosterEvent, horizonMs: number): boolean => {
  if (event.kind === "adt") return ["A11", "A12", "A13", "A40", "A42", "A45"].includes(event.type);
  if (event.kind === "fhirPatient") return event.replacedBy !== null;
  return event.kind === "fhirEncounter" && event.stays.some(({ fromMs }) => fromMs < horizonMs);
};

const firstMs = (event: RosterEvent): number => {
  return event.kind === "act" && event.act === "wrong" ? Math.min(event.occurredMs, event.fromMs) : event.occurredMs;
};

const lastMs = (event: RosterEvent): number => Math.max(event.occurredMs, event.recordedMs);

const nameOf = (key: string, { filePatients }: RosterBase): string => `patient ${filePatients.get(key) ?? key}`;

/** Everybody and every visit and link that an event names: none, where it is of a device alone. */
const namesIn = (event: RosterEvent, base: RosterBase): readonly string[] => {
  switch (event.kind) {
    case "adt":
      return event.parts.flatMap(({ patient, visit, prior }) => [
        nameOf(patient, base),
        `visit ${visit}`,
        ...(prior?.patient == null ? [] : [nameOf(prior.patient, base)]),
        ...(prior?.visit == null ? [] : [`visit ${prior.visit}`]),
      ]);
    case "fhirPatient":
      return [
        nameOf(event.patient, base),
        `at ${event.destination} ${event.fhirId}`,
        ...(event.replacedBy === null ? [] : [`at ${event.destination} ${event.replacedBy}`]),
      ];
    case "fhirEncounter":
      return [
        `encounter ${event.destination} ${event.fhirId}`,
        `at ${event.destination} ${event.patientFhirId}`,
        `visit ${event.visit}`,
      ];
    case "act":
      if (event.act === "place") return [];
      return event.act === "unbind" ? [`link ${event.link}`] : [`link ${event.link}`, nameOf(event.patient, base)];
    default:
      return [];
  }
};

/** Names that belong together. */
class Groups {
  readonly #parents = new Map<string, string>();

  has(name: string): boolean {
    return this.#parents.has(name);
  }

  names(): string[] {
    return [...this.#parents.keys()];
  }

  root(name: string): string {
    let at = name;
    for (let up = this.#parents.get(at); up !== undefined && up !== at; up = this.#parents.get(at)) at = up;
    if (at !== name) this.#parents.set(name, at);
    return at;
  }

  join(names: readonly string[]): void {
    for (const name of names) if (!this.#parents.has(name)) this.#parents.set(name, name);
    const [first, ...others] = names;
    if (first !== undefined) for (const other of others) this.#parents.set(this.root(other), this.root(first));
  }
}

/** Somebody had a bed or a device for a while. */
interface Claim {
  readonly name: string;
  readonly of: string;
  readonly from: number;
  readonly to: number;
}

const claimsOf = (events: readonly RosterEvent[], view: RosterView, base: RosterBase): readonly Claim[] => {
  const placed = Map.groupBy(placementsOf(events, base), ({ bed }) => bed);
  const stays = view.stays.flatMap(({ patient, bed, fromMs, toMs }): Claim[] => {
    if (bed === null) return [];
    const claim = { name: nameOf(patient, base), from: fromMs, to: open(toMs) };
    const devices = new Set((placed.get(bed) ?? []).map(({ device }) => device));
    return [{ ...claim, of: `bed ${bed}` }, ...[...devices].map((device) => ({ ...claim, of: `device ${device}` }))];
  });
  const links = view.links.flatMap(({ patient, bed, device, fromMs, toMs }): Claim[] => {
    const claim = { name: nameOf(patient, base), from: fromMs, to: open(toMs) };
    return [
      { ...claim, of: `bed ${bed}` },
      { ...claim, of: `device ${device}` },
    ];
  });
  const acts = events.flatMap((event): Claim[] => {
    if (event.kind !== "act" || event.act === "place" || event.act === "unbind") return [];
    const from = event.act === "wrong" ? event.fromMs : event.occurredMs;
    return [{ name: nameOf(event.patient, base), of: `device ${event.device}`, from, to: from + 1 }];
  });
  return [...stays, ...links, ...acts];
};

/** Those who had the same at the same time belong together. Who had it from the moment on at which another's ended, by that one's name. */
const overlapping = (claims: readonly Claim[], stories: Groups): readonly (readonly [string, string])[] => {
  const next: (readonly [string, string])[] = [];
  for (const own of Map.groupBy(claims, ({ of }) => of).values()) {
    let before: Claim | undefined;
    for (const claim of own.toSorted((a, b) => a.from - b.from)) {
      if (before !== undefined && claim.from < before.to) stories.join([before.name, claim.name]);
      else if (before !== undefined && claim.from === before.to) next.push([before.name, claim.name]);
      if (before === undefined || claim.to > before.to) before = claim;
    }
  }
  return next;
};

/** A link that ended when its device was bound to another depends on that other. */
const keepNext = (next: readonly (readonly [string, string])[], isLive: Set<string>, stories: Groups): void => {
  for (let before = -1; before !== isLive.size; ) {
    before = isLive.size;
    for (const [one, other] of next) if (isLive.has(stories.root(one))) isLive.add(stories.root(other));
  }
};
