/** Under which identifier, of which authority, a destination knows a patient; it is written to under that one or not at all. */
import type { Patient, PatientIdentity } from "../../schemas/records/roster.ts";

/** As much of a destination as matters here. */
export interface Knower {
  readonly name: string;
  /** True: it keeps no FHIR resources and knows patients by identifier alone (HL7v2, an API of its own). */
  readonly byIdentifier?: boolean;
}

/** A patient without identities is known to every destination by the one that he has. Undefined: this destination does not know him. */
export const identityAt = (
  patient: Patient,
  { name: destination, byIdentifier = false }: Knower,
): PatientIdentity | undefined => {
  const { identities, fhirId, identifierSystem: system, identifierValue: value } = patient;
  const known =
    identities.length === 0
      ? { destination, fhirId, system, namespace: system, value, type: "MR" }
      : identities.find((identity) => identity.destination === destination);
  // Whom a FHIR server knows by an id that nobody told us, it does not know by us.
  return known === undefined || byIdentifier || (known.fhirId ?? "") !== "" ? known : undefined;
};

/**
 * The patient as a resource for this destination speaks of him: by his FHIR id there, or by his key, which no destination that goes by
 * identifiers reads. An encounter is known by its id only where the patient is known by his.
 */
export const patientAt = (patient: Patient, destination: Knower): Patient => {
  const identity = identityAt(patient, destination);
  if (identity === undefined) return patient;
  const fhirId = identity.fhirId || patient.patientKey;
  return {
    ...patient,
    fhirId,
    identifierSystem: identity.system,
    identifierValue: identity.value,
    encounterFhirId: fhirId === patient.fhirId ? patient.encounterFhirId : null,
  };
};
