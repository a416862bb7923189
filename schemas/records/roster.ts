/** Who and what there is, as the roster has it: devices, whom they measure and since when, patients. Times are integer milliseconds; each says whose. */
import {
  array,
  body,
  type BodyField,
  boolean,
  eventTime,
  instant,
  int,
  long,
  nullable,
  oneOf,
  record,
  string,
  type TypeOf,
  withDefault,
} from "../avro.ts";

/** How far a device's clock may be off where the roster says nothing else. */
export const usualClockUncertaintyMs = 2_000;

/** How long a device may measure nothing and its confirmed link still count, where the roster says nothing else (docs/clinical.md). */
export const usualLinkGapMs = 3_600_000;

/** What the platform knows of a device; a device without it is unknown and its readings are quarantined. */
const deviceFields = {
  device: string,
  model: string,
  serial: nullable(string),
  unit: string,
  /** How far the clock may be off before a correction is applied; 2,000 unless told otherwise. */
  clockUncertaintyMs: long,
  /** Silent after this long without a usable measurement (clinical.md 5). */
  silentAfterMs: long,
  version: int,
};

/** May be left out, and is then null. */
const deviceParticulars = {
  firmware: withDefault(nullable(string), null),
  /** ISO date. */
  calibrationDue: withDefault(nullable(string), null),
  /** Without a usable measurement for longer, whom it measures must be confirmed again (clinical.md 9); 0: no gap is too long. */
  linkGapMs: withDefault(long, usualLinkGapMs),
};

export const device = body("device", { ...deviceFields, ...deviceParticulars }) as BodyField<
  { readonly kind: "device" } & { readonly [N in keyof typeof deviceFields]: TypeOf<(typeof deviceFields)[N]> } & {
    readonly [N in keyof typeof deviceParticulars]?: TypeOf<(typeof deviceParticulars)[N]> | undefined;
  }
>;
export type Device = TypeOf<typeof device>;

/** From the last usable measurement (null: none is known) to the first after it. */
export const interruption = record("Interruption", {
  what: oneOf("InterruptionKind", "powerCycle", "deviceGap"),
  from: nullable(eventTime),
  at: eventTime,
});
export type Interruption = TypeOf<typeof interruption>;

/** Effective-dated link of a device to a bed and a patient. `subject` is opaque; names never appear here. */
export const association = body("association", {
  id: string,
  revision: int,
  device: string,
  subject: string,
  patientKey: string,
  bed: string,
  unit: string,
  ageBand: nullable(oneOf("PatientAgeBand", "adult", "child", "neonate")),
  from: instant,
  to: nullable(instant),
  /** The named person who confirmed it, and when; null: not validated, nothing is promoted. */
  confirmedBy: nullable(string),
  confirmedAt: nullable(instant),
  /** Who or what asserted the link (a person, an ADT feed). */
  assertedBy: string,
  /** It never held (a cancelled movement, a link found wrong): it covers no time at all. */
  voided: withDefault(boolean, false),
  /** Why it is unclear who is measured (two patients in a bed, a swap that nobody confirmed); nothing of such a link is promoted. Null: it is clear. */
  conflict: withDefault(nullable(string), null),
  /** What made this revision, in words for whoever traces it: "ADT^A02 4711 of adt", "nurse-4 by the API: wrong wristband". */
  cause: withDefault(string, ""),
  /** The patient key that a merge (A40) replaced in this revision by `patientKey`; null: none. */
  mergedFrom: withDefault(nullable(string), null),
  /** A person who confirmed it later vouches for the time from here on too (a correction dated back); null: from his confirmation on. */
  vouchedFrom: withDefault(nullable(instant), null),
  /** As `normalise` tells it: the first interruption that the confirmation does not cover; nothing after it is validated. Null: none. */
  interrupted: withDefault(nullable(interruption), null),
  /** How often `normalise` has told this revision anew. */
  telling: withDefault(int, 0),
});
export type Association = TypeOf<typeof association>;

/** Of a link that is clear, was never voided, that no merge made, nobody dated back and nothing interrupted. */
export const undisputed = {
  voided: false,
  conflict: null,
  cause: "",
  mergedFrom: null,
  vouchedFrom: null,
  interrupted: null,
  telling: 0,
} as const;

/** A patient as one destination knows him: an identifier with its assigning authority, and his FHIR id there. */
export const patientIdentity = record("PatientIdentity", {
  destination: string,
  /** Null: this destination keeps no FHIR resources. */
  fhirId: nullable(string),
  /** The assigning authority as a FHIR identifier system; `namespace` is the same for HL7v2 (PID-3.4). */
  system: string,
  namespace: string,
  value: string,
  /** HL7 table 0203: MR, PI, SS. */
  type: string,
});
export type PatientIdentity = TypeOf<typeof patientIdentity>;

/** What the gates know of a patient. The identifier appears only in this plane. */
export const patient = body("patient", {
  patientKey: string,
  version: int,
  /** FHIR id of the Patient at the destination, e.g. "p-0007". */
  fhirId: string,
  identifierSystem: string,
  identifierValue: string,
  encounterFhirId: nullable(string),
  active: boolean,
  familyName: withDefault(nullable(string), null),
  givenName: withDefault(nullable(string), null),
  /** ISO date. */
  birthDate: withDefault(nullable(string), null),
  /** Empty: every destination knows him as above. Else a destination that is not among them is refused (`identity-unknown`). */
  identities: withDefault(array(patientIdentity), []),
  /** The key of the patient that survived a merge (A40); null: none. */
  mergedInto: withDefault(nullable(string), null),
});
export type Patient = TypeOf<typeof patient>;

/** Of a patient whom every destination knows by the same identifier and of whom no more is known. */
export const knownAlike = {
  familyName: null,
  givenName: null,
  birthDate: null,
  identities: [],
  mergedInto: null,
} as const;
