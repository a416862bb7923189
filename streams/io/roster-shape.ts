/** The shape of the roster file: devices, beds, associations, patients and consents as JSON with ISO date-times. */
import { z } from "zod";

const name = z.string().trim().min(1);
/** ISO 8601 with a zone or offset; becomes milliseconds since the epoch. */
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
/** Opaque; a slash is left to keys that are no patient's (topologies/candidates.ts). */
const patientKey = name.regex(/^[^/]+$/, "must hold no slash");
const version = z.int().min(1);
const ageBand = z.enum(["adult", "child", "neonate"]);
/** FHIR R4 `id`. */
const fhirId = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/, "must be a FHIR id: 1 to 64 of A-Z, a-z, 0-9, - and .");
/** An MQTT topic segment. */
const deviceId = name.regex(/^[^/+#\s]+$/, "must be one MQTT topic segment: no /, +, # or blank");

const device = z.strictObject({
  device: deviceId,
  model: name,
  serial: name.nullable(),
  unit: name,
  clockUncertaintyMs: z.int().min(0).optional(),
  silentAfterMs: z.int().min(1).optional(),
  linkGapMs: z.int().min(0).optional(),
  /** Of a fixed monitor: its bed, by which the roster service follows ADT. */
  bed: name.nullable().default(null),
  firmware: name.optional(),
  calibrationDue: z.iso.date().optional(),
});

const bed = z.strictObject({ bed: name, unit: name });

const association = z.strictObject({
  id: name,
  revision: version,
  device: deviceId,
  subject: name,
  patientKey,
  bed: name,
  unit: name,
  ageBand: ageBand.nullable(),
  from: instant,
  to: instant.nullable(),
  confirmedBy: name.nullable(),
  confirmedAt: instant.nullable(),
  assertedBy: name,
  voided: z.boolean().default(false),
  conflict: name.nullable().default(null),
  cause: z.string().default(""),
  mergedFrom: patientKey.nullable().default(null),
  vouchedFrom: instant.nullable().default(null),
});

const identity = z.strictObject({
  destination: name,
  fhirId: fhirId.nullable(),
  system: name,
  namespace: name,
  value: name,
  type: name,
});

const patient = z.strictObject({
  patientKey,
  fhirId,
  identifierSystem: name,
  identifierValue: name,
  encounterFhirId: fhirId.nullable(),
  active: z.boolean(),
  version,
  familyName: name.nullable().default(null),
  givenName: name.nullable().default(null),
  birthDate: z.iso.date().nullable().default(null),
  identities: z.array(identity).default([]),
  mergedInto: patientKey.nullable().default(null),
});

const consent = z.strictObject({
  id: name,
  version,
  patientKey,
  destination: name,
  decision: z.enum(["permit", "deny"]),
  from: instant,
  to: instant.nullable(),
  recordedAt: instant,
});

/**
 * `version` at the top is the file's own: it becomes the version of its device records. The file is a list of what was ever announced, not of
 * what holds now: an entry is never left out and its id never reused. What changes gets a higher `version` (`revision` for an association, the
 * file's own for a device); an association ends by its `to`, a consent by `deny` or its `to`, a patient by `active: false` (roster-changes.ts).
 */
export const rosterShape = z.strictObject({
  version,
  devices: z.array(device),
  beds: z.array(bed),
  associations: z.array(association),
  patients: z.array(patient),
  consents: z.array(consent),
});

/**
 * The alert circuit's: who is measured where, and nothing of who that is. A whole roster will do; its patients and consents are left unread.
 */
export const wardRosterShape = rosterShape
  .extend({ patients: z.unknown(), consents: z.unknown() })
  .partial({ patients: true, consents: true })
  .transform((roster): Roster => ({ ...roster, patients: [], consents: [] }));

export type Roster = z.output<typeof rosterShape>;
export type RosterAssociation = Roster["associations"][number];
