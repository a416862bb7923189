/** What is known of each patient: the newest word of ADT and of FHIR servers, and how each destination knows him. */
import type { Patient, PatientIdentity } from "../../schemas/records/roster.ts";
import { utcDay } from "../../schemas/fhir/instant.ts";
import { parseInstant } from "../../schemas/decoding/instant.ts";
import type { RosterBase } from "./base.ts";
import type { Demographics, FhirPatientEvent, KnownIdentifier, RosterEvent } from "./events.ts";
import type { Identities } from "./merges.ts";
import type { Stay } from "./stays.ts";

/** All that was said of one key, before merges. */
interface Said {
  readonly demographics: readonly Demographics[];
  readonly resources: readonly FhirPatientEvent[];
}

export type PatientFacts = Omit<Patient, "kind" | "version">;

const lastOf = <T>(all: readonly Demographics[], pick: (d: Demographics) => T | null): T | null =>
  all.map(pick).findLast((value) => value !== null) ?? null;

/** The newest of each authority. */
const identifiersOf = (all: readonly Demographics[]): ReadonlyMap<string, KnownIdentifier> =>
  new Map(all.flatMap(({ identifiers }) => identifiers.map((one) => [one.system, one] as const)));

export const saidOfPatients = (events: readonly RosterEvent[]): ReadonlyMap<string, Said> => {
  const said = new Map<string, { demographics: Demographics[]; resources: FhirPatientEvent[] }>();
  for (const event of events) {
    const parts = event.kind === "adt" ? event.parts : event.kind === "fhirPatient" ? [event] : [];
    for (const { patient, demographics } of parts) {
      const known = said.getOrInsertComputed(patient, () => ({ demographics: [], resources: [] }));
      known.demographics.push(demographics);
      if (event.kind === "fhirPatient") known.resources.push(event);
    }
  }
  return said;
};

/** A patient's record but for its version; undefined where nobody said who he is. */
export const factsOf = (
  key: string,
  said: Said | undefined,
  encounterFhirId: string | null,
  identities: Identities,
  { authorities }: RosterBase,
): PatientFacts | undefined => {
  const first = authorities[0];
  if (said === undefined || first === undefined) return undefined;
  const identifiers = identifiersOf(said.demographics);
  const main = identifiers.get(first.system);
  if (main === undefined) return undefined;
  const resources = new Map(said.resources.map((resource) => [resource.destination, resource]));
  const survivor = identities.patient(key);
  const known = authorities.flatMap(({ system, destinations }): PatientIdentity[] => {
    const { namespace, value, type } = identifiers.get(system) ?? {};
    if (namespace === undefined || value === undefined || type === undefined) return [];
    return destinations.map((destination) => ({
      destination,
      fhirId: resources.get(destination)?.fhirId ?? null,
      system,
      namespace,
      value,
      type,
    }));
  });
  return {
    patientKey: key,
    // each destination has its own below; this stands for none, and no resource is valid with it
    fhirId: known.find(({ fhirId }) => fhirId !== null)?.fhirId ?? "",
    identifierSystem: main.system,
    identifierValue: main.value,
    encounterFhirId,
    active: survivor === key && [...resources.values()].every(({ active }) => active),
    familyName: lastOf(said.demographics, (d) => d.familyName),
    givenName: lastOf(said.demographics, (d) => d.givenName),
    birthDate: lastOf(said.demographics, (d) => d.birthDate),
    identities: [...new Map(known.map((one) => [one.destination, one])).values()],
    mergedInto: survivor === key ? null : survivor,
  };
};

/** The FHIR id of the Encounter that is open, of the visit that the patient is on. */
export const encountersOf = (events: readonly RosterEvent[], stays: readonly Stay[], identities: Identities) => {
  const ids = new Map(
    events.flatMap((e) => (e.kind === "fhirEncounter" ? [[identities.visit(e.visit), e.fhirId] as const] : [])),
  );
  return new Map(
    stays.flatMap(({ visit, patient, toMs }) => {
      const id = ids.get(visit);
      return toMs === null && id !== undefined ? [[identities.patient(patient), id] as const] : [];
    }),
  );
};

const dayMs = 86_400_000;
const neonateDays = 28;
const adultYears = 18;

/** Of somebody born on an ISO date, at a time; null where the date is not known. A neonate is younger than 28 days (WHO), an adult 18 years. */
export const ageBandAt = (birthDate: string | null, atMs: number): "adult" | "child" | "neonate" | null => {
  if (birthDate === null) return null;
  const born = parseInstant(`${birthDate}T00:00:00Z`, "birthDate");
  if (!born.ok || atMs < born.value) return null;
  if (atMs < born.value + neonateDays * dayMs) return "neonate";
  const grown = `${String(Number(birthDate.slice(0, 4)) + adultYears).padStart(4, "0")}${birthDate.slice(4)}`;
  return utcDay(atMs) >= grown ? "adult" : "child";
};
