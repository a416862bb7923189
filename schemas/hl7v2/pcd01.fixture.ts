/** Intents as the gates make them, for tests of what becomes of them in HL7 v2 and elsewhere. */
import { logTime } from "../../streams/core/time.ts";
import { anEpisode, aPatient, minutes, two } from "../fhir/clinical.fixture.ts";
import { observationsOf } from "../fhir/observation.ts";
import { systems } from "../fhir/systems.ts";
import { type Intent, writesAlone } from "../records/clinical.ts";
import type { Patient, PatientIdentity } from "../records/roster.ts";
import type { Episode } from "../records/telemetry.ts";
import type { Pcd01Parties } from "./pcd01.ts";

export const anIdentity = (change: Partial<PatientIdentity> = {}): PatientIdentity => ({
  destination: "ehr",
  fhirId: "p-0007",
  system: "urn:oid:1.2.3.4",
  namespace: "WARDHOSP",
  value: "MRN0007",
  type: "MR",
  ...change,
});

export const parties: Pcd01Parties = {
  sender: { namespace: "AFFERENT", universalId: "ACDE48234567ABCD", universalIdType: "EUI-64" },
  sendingFacility: "ICU",
  receiver: "EHR",
  receivingFacility: "HOSP",
  enhanced: false,
  units: "ucum",
  finalIsValidated: false,
};

export interface IntentOf {
  readonly episode?: Episode;
  readonly patient?: Patient;
  readonly status?: "preliminary" | "final" | "amended";
  readonly note?: string | null;
  readonly change?: Partial<Intent>;
}

export const anObservationIntent = (of: IntentOf = {}): Intent => {
  const { episode = anEpisode(), patient = aPatient(), status = "preliminary", note = null } = of;
  const { revision } = episode;
  const { resource, beside } = observationsOf({ episode, patient, revision, status, transform: "gates@2", note });
  return {
    kind: "intent",
    ...writesAlone,
    identity: episode.identity,
    revision,
    patientKey: patient.patientKey,
    destination: "ehr",
    resourceType: "Observation",
    resourceId: resource.id ?? "",
    resource: JSON.stringify(resource),
    beside: beside.map((one) => JSON.stringify(one)),
    at: logTime(two + minutes(6)),
    patient: anIdentity(),
    ...of.change,
  };
};

/** An arterial pressure of 191 over 94, mean 126: a panel with its statistics beside it. */
export const aPressureEpisode = (): Episode =>
  anEpisode({
    identity: "aa".repeat(16),
    channel: "art",
    metric: "artSystolic",
    mdc: 150037,
    loinc: "76215-3",
    ucum: "mm[Hg]",
    qualifyingValue: 191,
    min: 181,
    max: 197,
    mean: 188.5,
    companions: [
      { metric: "artDiastolic", value: 94, validity: "valid" },
      { metric: "artMean", value: 126, validity: "valid" },
    ],
  });

/** What takes an intent back: the same resource, entered in error, one revision on. */
export const aRetraction = (of: Intent): Intent => {
  const revision = of.revision + 1;
  const withdrawn = (json: string): string => {
    const resource = JSON.parse(json) as { status: string; meta: { tag: { system: string; code: string }[] } };
    const tag = resource.meta.tag.map((one) =>
      one.system === systems.revision ? { ...one, code: `${revision}` } : one,
    );
    return JSON.stringify({ ...resource, meta: { ...resource.meta, tag }, status: "entered-in-error" });
  };
  return {
    ...of,
    action: "retract",
    revision,
    resource: withdrawn(of.resource),
    beside: of.beside.filter((json) => json.includes('"status"')).map(withdrawn),
  };
};
