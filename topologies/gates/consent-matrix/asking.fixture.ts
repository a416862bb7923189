/** One question to the gate of consent, with the hops and Consents that the rows of its matrix are made of. */
import { aPatient, minutes, two } from "../../../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, actor, aFhirConsent, policyRule } from "../../../schemas/fhir/consent.fixture.ts";
import { type Hop, normalConfidentiality } from "../../../schemas/fhir/consent-question.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../../schemas/records/consent.ts";
import type { Patient } from "../../../schemas/records/roster.ts";
import { type Asking, consented } from "../consented.ts";

export const ehr: Hop = {
  name: "ehr",
  organisation: [{ reference: "Organization/ghh" }, { system: "urn:example:organisations", value: "ghh" }],
  purpose: "TREAT",
};
export const research: Hop = { name: "cohort", organisation: [{ reference: "Organization/uni" }], purpose: "HRESCH" };
export const lawful: Hop = { ...ehr, legalBasis: "unlessDenied", jurisdiction: "DE-BY" };

/** What is known of a patient, and what is asked; as on the ward afternoon unless told otherwise. */
export interface Case extends Asking {
  /** FHIR Consents as JSON, as text, or as records. */
  readonly fhir?: readonly (Record<string, unknown> | string | FhirConsent)[];
  readonly simple?: readonly Consent[];
  readonly overrides?: readonly AccessOverride[];
  readonly hop?: Hop;
  readonly patient?: Patient | null;
  readonly resourceType?: string;
  readonly code?: string;
  readonly labels?: readonly { system: string; code: string }[];
  /** Minutes after 14:00; 5 unless told otherwise. */
  readonly events?: readonly number[];
  /** Minutes after 14:00; 10 unless told otherwise. */
  readonly now?: number;
}

/** Each FHIR Consent has an id of its own. */
const recordOf = (json: Record<string, unknown> | string | FhirConsent, i: number): FhirConsent =>
  typeof json === "object" && json["kind"] === "fhirConsent"
    ? (json as FhirConsent)
    : aFhirConsent(json, { id: `ehr/c-${i}` });

/** The gate's answer. */
export const ask = (c: Case) => {
  const { resourceType = "Observation", code = "8867-4", labels = [normalConfidentiality], hop = ehr } = c;
  const patient = c.patient === null ? undefined : (c.patient ?? aPatient());
  const evidence = {
    patient,
    consents: [...(c.simple ?? []), ...(c.fhir ?? []).map(recordOf)],
    overrides: c.overrides ?? [],
  };
  const question = {
    hop,
    resourceType,
    codes: [{ system: "http://loinc.org", code }],
    labels,
    eventTimes: (c.events ?? [5]).map((m) => two + minutes(m)),
    now: two + minutes(c.now ?? 10),
  };
  return consented(evidence, question, c);
};

export const optIn = aConsentJson;
export const optOut = (change: Record<string, unknown> = {}) =>
  aConsentJson({ policyRule: policyRule("OPTOUT"), ...change });
/** An opt-in whose root holds these rules. */
export const optInWith = (...rules: readonly object[]) => optIn({ provision: { provision: rules } });
/** An opt-in with one nested denial. */
export const except = (rule: Record<string, unknown>, change: Record<string, unknown> = {}) =>
  optIn({ ...change, provision: { provision: [{ type: "deny", ...rule }] } });

export const anOverride = (change: Partial<AccessOverride> = {}): AccessOverride => ({
  kind: "accessOverride",
  id: "o-1",
  version: 1,
  patientKey: "pk-7",
  destination: "ehr",
  by: "Dr. A. Brandt",
  reason: "unconscious, next of kin not reached",
  from: two,
  to: two + minutes(60),
  ...change,
});

export const ghh = actor("Organization/ghh");
export const other = actor("Organization/elsewhere");

/** What is refused and with which reason, beside the twin that differs in one thing and is permitted. */
export type Row = readonly [story: string, reason: string, refused: Case, permitted: Case];
