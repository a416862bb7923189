/** What is known of a patient's consents, as one reads them: the roster's simple ones, FHIR Consents, and overrides. */
import { type Directive, anything, directiveOf, isOf, refused } from "../../schemas/fhir/consent-directive.ts";
import { destinationSystem, type PatientNames } from "../../schemas/fhir/consent-question.ts";
import { anyZone, type Moment, type Zones } from "../../schemas/fhir/moment.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";

/** Why a FHIR Consent's source says of it that it was not heard for too long: the beginning of `problem`. */
export const staleProblem = "consent-stale";

export interface ConsentEvidence {
  readonly patient: Patient | undefined;
  /** The newest version of each of one patient's. */
  readonly consents: readonly (Consent | FhirConsent)[];
  readonly overrides: readonly AccessOverride[];
}

const instant = (ms: number): Moment => ({ beginEarliest: ms, beginLatest: ms, endEarliest: ms, endLatest: ms });

/** A roster's consent names its destination, so that it reaches it whatever the purpose. A permit covers its period twice: data and writing. */
const simpleDirective = (consent: Consent): Directive => {
  const { id, version, decision, from, to, recordedAt } = consent;
  const span = { start: instant(from), end: to === null ? null : instant(to) };
  const rule = anything(decision, {
    actors: [
      {
        receives: true,
        reference: null,
        identifiers: [{ system: destinationSystem, value: consent.destination }],
      },
    ],
    ...(decision === "permit" && { period: span, dataPeriod: span }),
  });
  return {
    named: `consent ${id} version ${version}`,
    madeEarliest: recordedAt,
    madeLatest: recordedAt,
    patient: null,
    said: {
      kind: "rules",
      base: "nothing",
      root: anything("permit", { provisions: [rule] }),
      active: true,
      emergencyOnly: false,
      stale: false,
      review: null,
    },
  };
};

/** Read once for as long as the record is in memory. */
const read = new WeakMap<FhirConsent, { readonly zones: Zones; readonly directive: Directive }>();

/** What a record says, whoever its patient is; null: its source has it no more. */
export const directiveIn = (record: FhirConsent, zones: Zones): Directive | null => {
  const known = read.get(record);
  if (known !== undefined && known.zones === zones) return known.directive;
  const { id, version, readAt, resource, problem } = record;
  const named = `consent ${id} version ${version}`;
  const stale = problem?.startsWith(staleProblem) ?? false;
  if (resource === null && problem === null) return null;
  const directive =
    resource === null || (problem !== null && !stale)
      ? refused(named, readAt, { standing: "consent-unreadable", detail: `can't be read: ${problem}` })
      : directiveOf(resource, { named, readAt, stale, zones });
  read.set(record, { zones, directive });
  return directive;
};

/** A source that is a destination too knows him by that one's id; identifiers mean the same everywhere. */
const namesOf = (patient: Patient, source: string): PatientNames => {
  const own = patient.identities.find(({ destination }) => destination === source);
  return {
    references: [`Patient/${own?.fhirId ?? patient.fhirId}`],
    identifiers: [
      { system: patient.identifierSystem, value: patient.identifierValue },
      ...patient.identities.map(({ system, value }) => ({ system, value })),
    ],
  };
};

const ofPatient = (directive: Directive, record: FhirConsent, patient: Patient | undefined): Directive => {
  if (patient !== undefined && isOf(directive, namesOf(patient, record.source))) return directive;
  const detail =
    patient === undefined
      ? "can't be told to be this patient's: no patient is known here"
      : "names another patient than the one it is kept for";
  return refused(directive.named, record.readAt, { standing: "consent-review", detail });
};

const asStale = (directive: Directive): Directive =>
  directive.said.kind === "rules" ? { ...directive, said: { ...directive.said, stale: true } } : directive;

export interface EvidenceReading {
  readonly zones?: Zones | undefined;
  readonly isStale?: ((record: FhirConsent) => boolean) | undefined;
}

/** All that a patient's consents say. */
export const directivesIn = (
  { consents, patient }: ConsentEvidence,
  { zones = anyZone, isStale }: EvidenceReading = {},
): readonly Directive[] =>
  consents.flatMap((record) => {
    if (record.kind === "consent") return [simpleDirective(record)];
    const directive = directiveIn(record, zones);
    if (directive === null) return [];
    const own = ofPatient(directive, record, patient);
    return [isStale?.(record) ? asStale(own) : own];
  });
