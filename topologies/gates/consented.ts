/**
 * Gate 4: this hop may be crossed, by a consent or by the law that its configuration names, both when the data arose and now; or by
 * a named person's override that has not run out (clinical.md 19). The stage asks with log time; what writes to the destination asks
 * again, with its own now, at the moment of writing.
 */
import { judgeConsents } from "../../schemas/fhir/consent-judge.ts";
import type { ConsentQuestion } from "../../schemas/fhir/consent-question.ts";
import type { Zones } from "../../schemas/fhir/moment.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { GateAnswer } from "../../schemas/records/clinical.ts";
import type { AccessOverride, FhirConsent } from "../../schemas/records/consent.ts";
import { answer, objection } from "./answer.ts";
import { type ConsentEvidence, directivesIn } from "./consent-evidence.ts";

export type { ConsentEvidence } from "./consent-evidence.ts";

/** An override ends after so long at the latest, whatever it says. */
export const longestOverrideMs = 24 * 3_600_000;

/** By nobody, for no reason, or backwards: none. */
const isSound = ({ by, reason, from, to }: AccessOverride): boolean =>
  by.trim() !== "" && reason.trim() !== "" && from < to;
const endOf = ({ from, to }: AccessOverride): number => Math.min(to, from + longestOverrideMs);
const isInForce = (override: AccessOverride, time: number): boolean => override.from <= time && time < endOf(override);

export interface Asking {
  /** Where dates without a zone are written; anywhere unless told otherwise. */
  readonly zones?: Zones | undefined;
  /** Why a denial may be there that is not known here; null: nothing speaks for that. */
  readonly blind?: string | null | undefined;
  /** Whether what a record permits counts no more, for its source was not heard for too long; as the record itself says unless told otherwise. */
  readonly isStale?: ((record: FhirConsent) => boolean) | undefined;
}

/**
 * Reasons: `consent-unknown`, `consent-denied`, `consent-review`, `consent-unreadable`, `consent-stale`, `consent-inactive`,
 * `consent-not-at-event`, `consent-not-now`, `override-expired` (one was in force when the data arose, and there is nothing else).
 */
export const consented = (
  evidence: ConsentEvidence,
  question: ConsentQuestion,
  { zones, blind = null, isStale }: Asking = {},
): GateAnswer => {
  const { hop, eventTimes, now } = question;
  const said = judgeConsents(directivesIn(evidence, { zones, isStale }), question, blind);
  if (said.standing === "permit") return answer("consented", [], said.detail);
  const overrides = evidence.overrides.filter((o) => isSound(o) && o.destination === hop.name);
  const held = overrides.find((o) => isInForce(o, now));
  if (held !== undefined)
    return answer("consented", [], `by override of ${held.by} until ${utcInstant(endOf(held))}: ${said.detail}`);
  const refusal = objection(said.standing, said.detail);
  const expired = overrides.find((o) => endOf(o) <= now && eventTimes.some((time) => isInForce(o, time)));
  if (expired === undefined) return answer("consented", [refusal], "");
  const detail = `the override of ${expired.by} ended at ${utcInstant(endOf(expired))}`;
  return answer("consented", [objection("override-expired", detail), refusal], "");
};

/** Of a patient's records as they come in, the newest version of each id. */
export const supersedes = (
  known: { readonly version: number } | undefined,
  next: { readonly version: number },
): boolean => known === undefined || next.version >= known.version;
