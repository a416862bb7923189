/** What people have to do about a consent that contradicts itself or can't be read: one task for each version of it, to medical records. */
import { anyZone, type Zones } from "../../schemas/fhir/moment.ts";
import type { Task } from "../../schemas/records/clinical.ts";
import type { FhirConsent } from "../../schemas/records/consent.ts";
import { contentHash } from "../../streams/core/hash.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { directiveIn, staleProblem } from "./consent-evidence.ts";

const problemOf = (record: FhirConsent, zones: Zones): string | null => {
  // a source that is not heard is an engineer's affair, and says so itself
  if (record.problem?.startsWith(staleProblem)) return null;
  const directive = directiveIn(record, zones);
  if (directive === null || directive.said.kind === "silent") return null;
  return directive.said.kind === "refused" ? directive.said.detail : directive.said.review;
};

/** Null: a person need not look at it. */
export const consentTask = (record: FhirConsent, zones: Zones | undefined, at: LogTime): Task | null => {
  const problem = problemOf(record, zones ?? anyZone);
  if (problem === null) return null;
  return {
    kind: "task",
    identity: contentHash("task", "consent-review", record.patientKey, record.id).slice(0, 32),
    revision: record.version,
    patientKey: record.patientKey,
    audience: "records",
    reason: "consent-review",
    detail: `consent ${record.id} version ${record.version}: ${problem}; until it is mended nothing is disclosed by it`,
    about: [record.id],
    destination: null,
    visibleMs: null,
    at,
  };
};
