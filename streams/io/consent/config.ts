/** How a configuration says what consents are asked about each destination, and where consents are read from. */
import { z } from "zod";
import { authorizationShape } from "../authorization/authorization.ts";

const name = z.string().trim().min(1);

/** Of a destination: what crossing it is to the law (clinical.md 19). What is left out permits less. */
export const hopConfig = {
  /** How consents name the organisation there: references as their source writes them (`Organization/f001`), identifiers. */
  organisation: z
    .array(z.union([z.strictObject({ reference: name }), z.strictObject({ system: name, value: name })]))
    .optional(),
  /** HL7 consentaction; `disclose` unless told otherwise. */
  action: z.enum(["disclose", "access"]).optional(),
  /** v3-ActReason, e.g. TREAT, HRESCH, PATRQT. Without one no FHIR Consent for a purpose permits it. */
  purpose: z
    .string()
    .regex(/^[A-Z][A-Za-z]+$/)
    .optional(),
  /** `consentRequired` unless told otherwise. `unlessDenied` is a hospital's own decision, for a law that it names. */
  legalBasis: z.enum(["consentRequired", "unlessDenied"]).optional(),
  jurisdiction: name.optional(),
};

/** What is wrong with a destination's legal basis; null: nothing. */
export const legalBasisProblem = (hop: { legalBasis?: string | undefined; jurisdiction?: string | undefined }) =>
  hop.legalBasis === "unlessDenied" && hop.jurisdiction === undefined
    ? "legalBasis: unlessDenied needs the jurisdiction whose law it is"
    : null;

/** A FHIR server that patients' Consents are read from. */
export const consentSourceShape = z.strictObject({
  /** Where it is also a destination, that one's name: then patients are known to it by their ids there. Else by the roster's `fhirId`. */
  name: name.regex(/^[^/]+$/, "must hold no slash"),
  baseUrl: z.url().transform((url) => url.replace(/\/+$/, "")),
  auth: authorizationShape.optional(),
  /** Pause between two looks; a second unless told otherwise. */
  pollMs: z.int().min(100).max(60_000).default(1_000),
  /** A whole page must be there after this long. */
  timeoutMs: z.int().min(100).default(10_000),
  /** What it permits counts for so long after it was last heard; five minutes unless told otherwise. */
  freshForMs: z.int().min(1_000).default(300_000),
  /** How often it is asked whether what it once had is still there: what is deleted shows in no search for changes. */
  confirmEveryMs: z.int().min(1_000).default(60_000),
  /** Within this time each patient known here is asked for again: what shows late bears an old time, and no search for changes finds it. */
  rereadEveryMs: z.int().min(10_000).default(600_000),
});
export type ConsentSourceConfig = z.output<typeof consentSourceShape>;

/** How consents are read, whatever they come from. */
export const consentsShape = z.strictObject({
  /** Minutes east of UTC where dates without a zone are written, in winter and summer, e.g. [60, 120]; anywhere unless told otherwise. */
  zoneMinutes: z.tuple([z.int().min(-720).max(840), z.int().min(-720).max(840)]).optional(),
  /** How long after a refusal a consent may still become known; 24 unless told otherwise. */
  pendingHours: z.number().positive().max(168).optional(),
});
