/** Under which identifier, of which authority, a destination knows a patient; it is written to under that one or not at all. */
import type { Patient, PatientIdentity } from "../../schemas/records.ts";

/** A patient without identities is known to every destination by the one that he has. Undefined: this destination does not know him. */
export const identityAt = (patient: Patient, destination: string): PatientIdentity | undefined => {
  const { identities, fhirId, identifierSystem: system, identifierValue: value } = patient;
  if (identities.length === 0) return { destination, fhirId, system, namespace: system, value, type: "MR" };
  return identities.find((identity) => identity.destination === destination);
};

/** The patient as a resource for this destination speaks of him. An encounter is known by its id only where the patient is known by his. */
export const patientAt = (patient: Patient, destination: string): Patient => {
  const identity = identityAt(patient, destination);
  if (identity === undefined) return patient;
  const fhirId = identity.fhirId ?? patient.fhirId;
  return {
    ...patient,
    fhirId,
    identifierSystem: identity.system,
    identifierValue: identity.value,
    encounterFhirId: fhirId === patient.fhirId ? patient.encounterFhirId : null,
  };
};
