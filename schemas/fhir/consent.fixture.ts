/** A plain opt-in of the ward afternoon's patient, and its parts, for tests of consent. */
import { minutes, two } from "./clinical.fixture.ts";
import { utcInstant } from "./instant.ts";
import type { FhirConsent } from "../records/consent.ts";

const actCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

export const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
export const policyRule = (code: string) => concept(actCode, code);
export const scope = (code: string) => concept("http://terminology.hl7.org/CodeSystem/consentscope", code);
export const action = (code: string) => concept("http://terminology.hl7.org/CodeSystem/consentaction", code);
export const purpose = (code: string) => ({ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code });
export const label = (code: string) => ({ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code });
export const ofClass = (code: string) => ({ system: "http://hl7.org/fhir/resource-types", code });
export const loinc = (code: string) => concept("http://loinc.org", code);
/** `reference`: as text, or a whole Reference. */
export const actor = (reference: string | object, role = "IRCP") => ({
  role: concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", role),
  reference: typeof reference === "string" ? { reference } : reference,
});
export const narrative = (words: string) => ({
  status: "additional",
  div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${words}</p></div>`,
});

/** Minutes after 14:00, as FHIR writes it. */
export const at = (minute: number): string => utcInstant(two + minutes(minute));

/** A R4 Consent: active, opt-in, made three weeks ago. An element of null is left out. */
export const aConsentJson = (change: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({
      resourceType: "Consent",
      id: "c-1",
      status: "active",
      scope: scope("patient-privacy"),
      category: [concept("http://loinc.org", "59284-0")],
      patient: { reference: "Patient/p-0007" },
      dateTime: "2026-11-01T08:00:00Z",
      policyRule: policyRule("OPTIN"),
      ...change,
    }).filter(([, value]) => value !== null),
  );

/** An opt-out with one nested permit, and so narrowed. */
export const only = (rule: Record<string, unknown>, change: Record<string, unknown> = {}): Record<string, unknown> =>
  aConsentJson({
    policyRule: policyRule("OPTOUT"),
    provision: { provision: [{ type: "permit", ...rule }] },
    ...change,
  });

/** As its source gave it at 14:00. */
export const aFhirConsent = (json: unknown, change: Partial<FhirConsent> = {}): FhirConsent => ({
  kind: "fhirConsent",
  id: "ehr/c-1",
  version: 1,
  patientKey: "pk-7",
  source: "ehr",
  readAt: two,
  resource: typeof json === "string" ? json : JSON.stringify(json),
  problem: null,
  ...change,
});
