/**
 * Gate 1: the value is one, and it crossed a threshold that a named clinician approved before, for this population
 * (clinical.md 3, 15, 22).
 */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Candidate, GateAnswer } from "../../schemas/records/clinical.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { answer, type Objection, objection, objections } from "./answer.ts";

export interface ApprovalPolicy {
  /** True only in a demo ward: approvals marked as demo count. */
  readonly acceptDemoApprovals: boolean;
}

const approvalObjections = (rule: Rule, start: number, policy: ApprovalPolicy): readonly Objection[] => {
  const named = `rule ${rule.id} version ${rule.version}`;
  const { approval } = rule;
  if (approval === null || approval.by.trim() === "")
    return [objection("rule-unapproved", `${named} is approved by nobody: an example until a clinician approves it`)];
  return objections(
    approval.at > start &&
      objection("rule-approved-later", `${named} was approved at ${utcInstant(approval.at)}, after the episode began`),
    approval.demo &&
      !policy.acceptDemoApprovals &&
      objection("approval-demo", `the approval of ${named} by ${approval.by} is a demo ward's`),
  );
};

/** Out of the population, or age unknown: no promotion (clinical.md 15). */
const populationObjections = (rule: Rule, association: Association | null): readonly Objection[] => {
  if (association === null) return [objection("population-unknown", "without a patient neither age nor unit is known")];
  const { ageBand, unit } = association;
  return objections(
    ageBand === null &&
      objection("age-unknown", `the rule is for ${rule.ageBand}s and the patient's age band is unknown`),
    ageBand !== null &&
      ageBand !== rule.ageBand &&
      objection("population-age", `the rule is for ${rule.ageBand}s, the patient's age band is ${ageBand}`),
    rule.units.length > 0 &&
      !rule.units.includes(unit) &&
      objection("population-unit", `the rule is for ${rule.units.join(", ")}, the bed is in ${unit}`),
  );
};

/** QUES is allowed and marked in what is written; the rest is no value that may be told (clinical.md 1, 3). */
const isValue = (episode: Episode): boolean =>
  episode.qualifyingValidity === "valid" || episode.qualifyingValidity === "questionable";

const crosses = ({ rule, qualifyingValue: value }: Episode): boolean => {
  switch (rule.when) {
    case "above":
      return value > rule.limit;
    case "below":
      return value < rule.limit;
    case "equals":
      return value === rule.limit;
    case "indeterminateZero":
      return value === 0;
  }
};

/**
 * Reasons: `rule-plain`, `rule-unapproved`, `rule-approved-later`, `approval-demo`, `population-unknown`, `age-unknown`,
 * `population-age`, `population-unit`, `validity-<validity>`, `rule-metric-mismatch`, `not-crossed`; `ceiling-folded` comes from ceiling.ts.
 */
export const approvedThreshold = ({ episode, association }: Candidate, policy: ApprovalPolicy): GateAnswer => {
  const { rule } = episode;
  const found = [
    ...objections(
      rule.plain && objection("rule-plain", `rule ${rule.id} is a plain limit: a test profile, never promoted`),
    ),
    ...approvalObjections(rule, episode.start, policy),
    ...populationObjections(rule, association),
    ...objections(
      !isValue(episode) &&
        objection(`validity-${episode.qualifyingValidity}`, `the qualifying sample is ${episode.qualifyingValidity}`),
      (rule.metric !== episode.metric || rule.ucum !== episode.ucum) &&
        objection(
          "rule-metric-mismatch",
          `the rule judges ${rule.metric} in ${rule.ucum}, the episode is of ${episode.metric} in ${episode.ucum}`,
        ),
      !crosses(episode) &&
        objection("not-crossed", `${episode.qualifyingValue} ${episode.ucum} is not ${rule.when} ${rule.limit}`),
    ),
  ];
  return answer(
    "approvedThreshold",
    found,
    `${rule.title}: rule ${rule.id} version ${rule.version}, approved by ${rule.approval?.by ?? "nobody"}`,
  );
};
