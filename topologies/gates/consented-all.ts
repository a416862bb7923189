/** Asks gate 4 of everything that one write discloses: the resource and each Observation beside it. */
import type { ConsentQuestion, Disclosed } from "../../schemas/fhir/consent-question.ts";
import type { GateAnswer } from "../../schemas/records/clinical.ts";
import { type Asking, type ConsentEvidence, consented } from "./consented.ts";

/**
 * The answer about the first, where all may cross; else the first refusal, a denial before one that may yet be mended, for what is denied
 * waits for nothing. `eventTimes`: when all of it arose, instead of what the resources say. Reasons as `consented`.
 */
export const consentedAll = (
  evidence: ConsentEvidence,
  disclosed: readonly [Disclosed, ...Disclosed[]],
  asked: Pick<ConsentQuestion, "hop" | "now"> & Partial<Pick<ConsentQuestion, "eventTimes">>,
  asking: Asking = {},
): GateAnswer => {
  const answerTo = (one: Disclosed): GateAnswer => consented(evidence, { ...one, ...asked }, asking);
  const [first, ...others] = disclosed;
  const own = answerTo(first);
  const refusals = [own, ...others.map(answerTo)].filter(({ passed }) => !passed);
  return refusals.find(({ reason }) => reason === "consent-denied") ?? refusals[0] ?? own;
};
