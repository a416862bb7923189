/** Whether it may be told: consents as the roster or a FHIR server has them, how fresh they are, what was withheld for one, and who broke the glass. */
import { body, instant, int, nullable, oneOf, string, type TypeOf } from "../avro.ts";

/** The first, simple form: permit or deny, for one destination, within a period. */
export const consent = body("consent", {
  id: string,
  version: int,
  patientKey: string,
  destination: string,
  decision: oneOf("ConsentDecision", "permit", "deny"),
  from: instant,
  to: nullable(instant),
  recordedAt: instant,
});
export type Consent = TypeOf<typeof consent>;

/** A FHIR R4 Consent as its source gave it, read by the gates and again before each write (clinical.md 19). */
export const fhirConsent = body("fhirConsent", {
  /** The source's own: "<source>/<Consent.id>". */
  id: string,
  /** Grows with each change at the source. */
  version: int,
  patientKey: string,
  source: string,
  /** When we had it. */
  readAt: instant,
  /** The Consent as JSON; null: the source has it no more, or what it gave could not be read (`problem`): then it permits nothing. */
  resource: nullable(string),
  /** Null: none. One that begins with `consent-stale` stands beside a resource that the source has not confirmed for too long. */
  problem: nullable(string),
});
export type FhirConsent = TypeOf<typeof fhirConsent>;

/** That a source of consents was heard: under the key `source/<name>`, once in each partition, from time to time. The gates pass it by. */
export const consentSource = body("consentSource", {
  source: string,
  /** The record's key; no patient's has a slash. */
  patientKey: string,
  /** When it was last read to the end. */
  heardAt: instant,
});
export type ConsentSource = TypeOf<typeof consentSource>;

/** What a writer withheld at the last moment for want of a consent that may yet become known: the gates keep it, and offer it again. */
export const withheld = body("withheld", {
  identity: string,
  revision: int,
  patientKey: string,
  destination: string,
  /** As the writer's answer had it, e.g. `consent-stale`. */
  reason: string,
});
export type Withheld = TypeOf<typeof withheld>;

/** Break glass: a named person's audited, expiring act, apart from consent (clinical.md 19). */
export const accessOverride = body("accessOverride", {
  id: string,
  version: int,
  patientKey: string,
  destination: string,
  by: string,
  reason: string,
  from: instant,
  /** Always ends. */
  to: instant,
});
export type AccessOverride = TypeOf<typeof accessOverride>;
