/** Who is whom: patients of the file, merges (A40, FHIR's replaced-by) and visits that were merged or moved (A42, A45). */
import type { RosterBase } from "./base.ts";
import type { AdtPart, FhirPatientEvent, RosterEvent } from "./events.ts";

export interface EventProblem {
  readonly event: string;
  /** `merge-loop`, `already-merged`, `file-owned`, `cancel-unmatched`, `location-ambiguous`. */
  readonly reason: string;
  readonly detail: string;
}

export const ambiguousLocation = (event: string): EventProblem => ({
  event,
  reason: "location-ambiguous",
  detail: "the place may be a bed of ours, and which one it does not say: name it in rosterService.locations",
});

export interface Identities {
  /** The key that stands for a patient now. */
  patient(key: string): string;
  /** The visit that stands for one now. */
  visit(visit: string): string;
  /** Whose visit it is, of a part that names another (A45). */
  owner(part: Pick<AdtPart, "patient" | "visit">): string;
  /** The keys that were merged away. */
  readonly merged: ReadonlySet<string>;
  readonly problems: readonly EventProblem[];
}

interface Merge {
  readonly event: string;
  readonly from: string;
  readonly into: string;
}

/** A forest: each points to the one that survives it. */
class Forest {
  readonly parents = new Map<string, string>();
  readonly problems: EventProblem[] = [];

  root(one: string): string {
    let at = one;
    for (let next = this.parents.get(at); next !== undefined; next = this.parents.get(at)) at = next;
    return at;
  }

  /** A later merge that would close a loop, or send away once more what is gone, is refused. */
  merge({ event, from, into }: Merge, what: string): void {
    if (from !== into && this.root(from) === this.root(into) && this.parents.has(from)) return;
    if (from === into || this.root(into) === from)
      this.#refuse(event, "merge-loop", `the ${what} would be merged into itself`);
    else if (this.parents.has(from))
      this.#refuse(event, "already-merged", `the ${what} was merged into another before`);
    else this.parents.set(from, into);
  }

  #refuse(event: string, reason: string, detail: string): void {
    this.problems.push({ event, reason, detail });
  }
}

/** `events` in order. */
export const identitiesOf = (events: readonly RosterEvent[], base: RosterBase): Identities => {
  const patients = new Forest();
  const visits = new Forest();
  const owners = new Map<string, string>();
  const problems: EventProblem[] = [];
  const fileKeys = new Set(base.filePatients.values());
  const known = (key: string): string => base.filePatients.get(key) ?? key;
  const byFhirId = new Map(
    events.flatMap((event) =>
      event.kind === "fhirPatient" ? [[`${event.destination}/${event.fhirId}`, event.patient] as const] : [],
    ),
  );
  const mergePatients = (event: string, from: string, into: string): void => {
    if (fileKeys.has(known(from)))
      problems.push({ event, reason: "file-owned", detail: "the roster file has this patient: change him there" });
    else patients.merge({ event, from: known(from), into: known(into) }, "patient");
  };
  for (const event of events) {
    if (event.kind === "fhirPatient" && event.replacedBy !== null) {
      const into = survivorOf(event, byFhirId);
      if (into !== undefined) mergePatients(event.id, event.patient, into);
    }
    if (event.kind !== "adt") continue;
    for (const { patient, visit, prior } of event.parts) {
      if (event.type === "A40" && prior?.patient != null) mergePatients(event.id, prior.patient, patient);
      if (event.type !== "A42" && event.type !== "A45") continue;
      if (prior?.visit == null) continue;
      if (event.type === "A45" && prior.patient !== null)
        for (const moved of [prior.visit, visit]) owners.set(`${moved}/${prior.patient}`, patient);
      if (prior.visit !== visit) visits.merge({ event: event.id, from: prior.visit, into: visit }, "visit");
    }
  }
  return {
    patient: (key) => patients.root(known(key)),
    visit: (visit) => visits.root(visit),
    owner: ({ patient, visit }) => owners.get(`${visit}/${patient}`) ?? patient,
    merged: new Set(patients.parents.keys()),
    problems: [...problems, ...patients.problems, ...visits.problems],
  };
};

const survivorOf = ({ replacedBy, destination }: FhirPatientEvent, byFhirId: ReadonlyMap<string, string>) =>
  byFhirId.get(`${destination}/${replacedBy}`);
