/**
 * What becomes of a Consent that a source gave: under which patient it is kept, and as what. Pure. What concerns a consent that is known
 * and can't be told permits nothing from then on; what concerns nobody known is dropped, and counted by its reason.
 */
import type { FhirConsent } from "../../../schemas/records/consent.ts";
import type { Patient } from "../../../schemas/records/roster.ts";
import type { FoundResource } from "../fhir/search.ts";

/** What the log holds already. */
export interface Known {
  /** Of this source, by their record's id. One that moved is known under more than one patient. */
  readonly consents: ReadonlyMap<string, readonly FhirConsent[]>;
  readonly patients: readonly Patient[];
}

export interface Filing {
  readonly source: string;
  readonly baseUrl: string;
  /** The ward's time. */
  readonly readAt: number;
}

/** Why a Consent is nobody's here. */
export type Dropped = "not-our-patient" | "no-patient" | "ambiguous-patient" | "not-a-consent";
export interface Filed {
  readonly records: readonly FhirConsent[];
  readonly dropped: Dropped | null;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** References to the source itself, as it would write them to itself. */
const madeRelative = (value: unknown, baseUrl: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => madeRelative(item, baseUrl));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "reference" && typeof inner === "string" && inner.startsWith(`${baseUrl}/`)
        ? [key, inner.slice(baseUrl.length + 1)]
        : [key, madeRelative(inner, baseUrl)],
    ),
  );
};

/** The id under which a source knows a patient. */
export const idAt = (patient: Patient, source: string): string =>
  patient.identities.find(({ destination }) => destination === source)?.fhirId ?? patient.fhirId;

/** Whom a merge made of him; himself where it goes in a circle. */
const survivorOf = (patient: Patient, patients: readonly Patient[]): Patient => {
  const seen = new Set([patient.patientKey]);
  let at = patient;
  for (;;) {
    const { mergedInto } = at;
    const next =
      mergedInto === null || seen.has(mergedInto) ? undefined : patients.find((p) => p.patientKey === mergedInto);
    if (next === undefined) return at;
    seen.add(next.patientKey);
    at = next;
  }
};

const patientOf = (resource: unknown, { patients }: Known, { source }: Filing): Patient | Dropped => {
  const patient = member(resource, "patient");
  const reference = member(patient, "reference");
  const identifier = member(patient, "identifier");
  const [system, value] = [member(identifier, "system"), member(identifier, "value")];
  if (typeof reference !== "string" && typeof value !== "string") return "no-patient";
  const found = patients.filter((p) =>
    typeof reference === "string"
      ? reference.replace(/\/_history\/.*$/, "") === `Patient/${idAt(p, source)}`
      : [{ system: p.identifierSystem, value: p.identifierValue }, ...p.identities].some(
          (own) => own.system === system && own.value === value,
        ),
  );
  const survivors = new Set(found.map((p) => survivorOf(p, patients)));
  const [one, ...others] = survivors;
  if (one === undefined) return "not-our-patient";
  return others.length > 0 ? "ambiguous-patient" : one;
};

interface Said {
  readonly resource: string | null;
  readonly problem: string | null;
}

/** The next version of a consent, unless it says what the last one said. */
const next = (id: string, patientKey: string, said: Said, known: Known, filing: Filing): readonly FhirConsent[] => {
  const before = known.consents.get(id) ?? [];
  const last = before.find((record) => record.patientKey === patientKey);
  if (last?.resource === said.resource && last.problem === said.problem) return [];
  const version = Math.max(0, ...before.map((record) => record.version)) + 1;
  const { source, readAt } = filing;
  return [{ kind: "fhirConsent", id, version, patientKey, source, readAt, ...said }];
};

export const recordId = (source: string, id: string): string => `${source}/${id}`;

/** A Consent that was found, for the patient that it names; one that names another than before counts no more for the one before. */
export const filed = (found: FoundResource, known: Known, filing: Filing): Filed => {
  if (found.resourceType !== "Consent") return { records: [], dropped: "not-a-consent" };
  const id = recordId(filing.source, found.id);
  const resource = madeRelative(found, filing.baseUrl);
  const patient = patientOf(resource, known, filing);
  const holders = (known.consents.get(id) ?? []).filter(
    (record) => record.resource !== null || record.problem !== null,
  );
  if (typeof patient === "string") {
    const problem = `it names no patient that is known here any more (${patient})`;
    const records = holders.flatMap(({ patientKey }) =>
      next(id, patientKey, { resource: null, problem }, known, filing),
    );
    return { records, dropped: patient };
  }
  const { patientKey } = patient;
  const elsewhere = holders.filter((record) => record.patientKey !== patientKey);
  return {
    records: [
      ...elsewhere.flatMap((record) =>
        next(id, record.patientKey, { resource: null, problem: "it names another patient now" }, known, filing),
      ),
      ...next(id, patientKey, { resource: JSON.stringify(resource), problem: null }, known, filing),
    ],
    dropped: null,
  };
};

/** A consent that its source has no more permits nothing, and denies nothing. */
export const gone = (id: string, known: Known, filing: Filing): readonly FhirConsent[] =>
  (known.consents.get(id) ?? [])
    .filter(({ resource, problem }) => resource !== null || problem !== null)
    .flatMap(({ patientKey }) => next(id, patientKey, { resource: null, problem: null }, known, filing));

/** What a source vouched for that was not heard for too long: kept as it was, and marked. A later version takes the mark away. */
export const markedStale = (known: Known, problem: string, filing: Filing): readonly FhirConsent[] =>
  [...known.consents].flatMap(([id, records]) =>
    records
      .filter(({ resource, problem: before }) => resource !== null && before === null)
      .flatMap(({ patientKey, resource }) => next(id, patientKey, { resource, problem }, known, filing)),
  );
