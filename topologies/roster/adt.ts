/** An ADT message as the event that the roster keeps: identifiers become the patient's key, authorities the configuration's. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { contentHash } from "../../streams/core/hash.ts";
import type { AdtMessage, AdtPerson } from "../../schemas/hl7v2/adt.ts";
import type { CodedIdentifier } from "../../schemas/hl7v2/adt-segments.ts";
import { type Authority, authorityOf, patientKeyOf } from "./base.ts";
import type { AdtEvent, AdtPart, KnownIdentifier } from "./events.ts";

export interface Naming {
  readonly authorities: readonly Authority[];
  /** Of the service alone ({@link patientKeyOf}). */
  readonly secret: string;
}

/** Those of authorities that are configured. */
const knownIdentifiers = (all: readonly CodedIdentifier[], { authorities }: Naming): readonly KnownIdentifier[] =>
  all.flatMap((one): KnownIdentifier[] => {
    const authority = authorityOf(authorities, one);
    if (authority === undefined) return [];
    const { system, namespace, type } = authority;
    return [{ system, namespace, type: one.type || type, value: one.value }];
  });

/** The key by the first authority's identifier; undefined without one. */
export const keyIn = (identifiers: readonly KnownIdentifier[], { authorities, secret }: Naming): string | undefined => {
  const first = identifiers.find(({ system }) => system === authorities[0]?.system);
  return first === undefined ? undefined : patientKeyOf(secret, first.system, first.value);
};

/** A visit is known by its number, or else is the patient's only one; numbers are record numbers too. */
export const visitOf = (number: string | null, patient: string, { secret }: Naming): string =>
  number === null ? `of ${patient}` : `v-${contentHash(secret, "visit", number).slice(0, 24)}`;

const partOf = (person: AdtPerson, naming: Naming): AdtPart | undefined => {
  const identifiers = knownIdentifiers(person.identifiers, naming);
  const patient = keyIn(identifiers, naming);
  if (patient === undefined) return undefined;
  const { familyName, givenName, birthDate, visit, prior } = person;
  const priorPatient = prior === null ? undefined : keyIn(knownIdentifiers(prior.identifiers, naming), naming);
  return {
    patient,
    visit: visitOf(visit.number, patient, naming),
    class: visit.class,
    location: visit.location,
    demographics: { identifiers, familyName, givenName, birthDate },
    prior:
      prior === null
        ? null
        : {
            patient: priorPatient ?? null,
            visit: prior.visit === null ? null : visitOf(prior.visit, priorPatient ?? patient, naming),
          },
  };
};

/** How far ahead of the clock something may be said to occur. */
const aheadMs_max = 24 * 3_600_000;

/** Reasons: `identifier-unknown` (none of the configured authority), `occurred-in-future`. */
export const adtEvent = (message: AdtMessage, nowMs: number, naming: Naming): Result<AdtEvent> => {
  const { event: type, sender, controlId, occurredMs, occurredGiven, recordedMs, persons } = message;
  if (occurredMs > nowMs + aheadMs_max) return refuse("occurred-in-future", "EVN-6 lies more than a day ahead");
  const parts = persons.flatMap((person) => partOf(person, naming) ?? []);
  const wantsPrior = type === "A40" || type === "A45";
  if (parts.length < persons.length || (wantsPrior && parts.some(({ prior }) => prior?.patient == null)))
    return refuse("identifier-unknown", `no identifier by ${naming.authorities[0]?.namespace} in PID-3 or MRG-1`);
  const source = sender.split("|")[0] || "adt";
  return ok({
    kind: "adt",
    id: `adt/${sender}/${controlId}`,
    type,
    occurredMs,
    occurredGiven,
    recordedMs,
    source: `ADT ${source}`,
    parts,
  });
};
