/** What is said back into the log about one intent. */
import type { Delivery, Intent, Task } from "../../../schemas/records/clinical.ts";
import { contentHash } from "../../core/hash.ts";
import type { LogTime } from "../../core/time.ts";
import { member } from "../json.ts";
import type { Outcome } from "./attempt.ts";
import { parsedIntent } from "./parsed.ts";

/** Shorter values occur in any text by chance. */
const tellingLength = 4;

/** The patient's identifier and his id at the destination, which an answer may repeat and a listing must not show. */
const identifiersOf = (intent: Intent): string[] => {
  const { patient } = intent;
  const reference = member(member(parsedIntent(intent).resource, "subject"), "reference");
  const id = typeof reference === "string" ? reference.split("/").at(-1) : undefined;
  return [patient?.value, patient?.fhirId, id].filter(
    (one): one is string => typeof one === "string" && one.length >= tellingLength,
  );
};

/** What a destination said, without the patient's identifiers, in one line of at most 500 characters. */
export const tellable = (intent: Intent, detail: string): string =>
  identifiersOf(intent)
    .reduce((text, identifier) => text.replaceAll(identifier, "[patient]"), detail)
    .replace(/\p{Cc}+/gu, " ")
    .slice(0, 500);

/** Its AuditEvent goes with a disclosure also where only a later start finds that it was made; a repeat has the same id and adds nothing. */
export const deliveryOf = (intent: Intent, { outcome, detail, versionId, taken = false }: Outcome): Delivery => ({
  kind: "delivery",
  identity: intent.identity,
  revision: intent.revision,
  patientKey: intent.patientKey,
  destination: intent.destination,
  resourceType: intent.resourceType,
  resourceId: intent.resourceId,
  outcome,
  detail: tellable(intent, detail),
  versionId,
  by: null,
  audit: outcome === "written" || taken ? intent.audit : null,
});

/** A retraction that can't be carried out leaves something wrong in a chart: somebody there has to take it out (clinical.md 10). */
export const taskOf = (intent: Intent, detail: string, at: LogTime): Task => ({
  kind: "task",
  identity: contentHash("task", "not-retractable", intent.destination, intent.resourceId, String(intent.revision)),
  revision: 0,
  patientKey: intent.patientKey,
  audience: "records",
  reason: "not-retractable",
  detail: `${intent.destination}: ${intent.resourceType}/${intent.resourceId} is wrong and stands there still: ${tellable(intent, detail)}`,
  about: [intent.identity],
  destination: intent.destination,
  visibleMs: null,
  at,
});
