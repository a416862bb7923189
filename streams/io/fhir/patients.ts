/**
 * The roster's patients as FHIR resources, for an EHR of a demo or a test. A real EHR has its own patients: there the roster
 * only names their ids.
 */
import type { Encounter, Patient as FhirPatient } from "@medplum/fhirtypes";
import type { Patient } from "../../../schemas/records/roster.ts";
import { OperatingError } from "../../core/failure.ts";
import { fhirClient, outcomeText } from "./client.ts";

type RosterPatient = Omit<Patient, "kind">;

const patientOf = (patient: RosterPatient): FhirPatient => ({
  resourceType: "Patient",
  id: patient.fhirId,
  identifier: [{ system: patient.identifierSystem, value: patient.identifierValue }],
  active: patient.active,
  ...(patient.familyName !== null && {
    name: [{ family: patient.familyName, ...(patient.givenName !== null && { given: [patient.givenName] }) }],
  }),
  ...(patient.birthDate !== null && { birthDate: patient.birthDate }),
});

const encounterOf = (patient: RosterPatient): Encounter[] =>
  patient.encounterFhirId === null
    ? []
    : [
        {
          resourceType: "Encounter",
          id: patient.encounterFhirId,
          status: "in-progress",
          class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP" },
          subject: { reference: `Patient/${patient.fhirId}` },
        },
      ];

/** Every patient, each before its encounter: an order in which references never dangle. */
export const patientResources = (patients: readonly RosterPatient[]): readonly (FhirPatient | Encounter)[] =>
  patients.flatMap((patient) => [patientOf(patient), ...encounterOf(patient)]);

/** The first write makes a server load its profiles: seven CPU-seconds on HAPI, on a machine that may be busy. */
const firstWriteMs_max = 120_000;

/** Puts them where they are missing; what is there is left as it is. Codes: `fhir-unavailable`, `fhir-refused`. */
export const seedPatients = async (baseUrl: string, patients: readonly RosterPatient[]): Promise<void> => {
  const client = fhirClient({ baseUrl, timeoutMs: firstWriteMs_max, now: Date.now });
  for (const resource of patientResources(patients)) {
    const id = resource.id ?? "";
    if ((await client.read(resource.resourceType, id)).status === 200) continue;
    const answer = await client.update(resource.resourceType, id, JSON.stringify(resource), null);
    if (answer.status !== 201 && answer.status !== 200)
      throw new OperatingError("fhir-refused", `${resource.resourceType}/${id}: ${outcomeText(answer)}`, {
        retry: false,
      });
  }
};
