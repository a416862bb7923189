/** What one measurement says about one rule. */
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";

/**
 * crossing: beyond the limit · between: inside the limit but not past `clear` · back: past `clear` ·
 * missing: nothing usable, which ends a plain rule's run · unjudged: says nothing about the rule.
 */
export type Crossing = "crossing" | "between" | "back" | "missing" | "unjudged";

/** INV, TEST, DEMO, null and a sensor that is off never cross; QUES does (clinical.md 3). */
export const isJudged = ({ value, validity }: Measurement): boolean =>
  value !== null && (validity === "valid" || validity === "questionable" || validity === "indeterminate");

/** `m` as `rule` sees it. */
export const crossingOf = (rule: Rule, m: Measurement): Crossing => {
  if (m.value === null || !isJudged(m)) return rule.plain ? "missing" : "unjudged";
  if (rule.when === "indeterminateZero") return m.validity === "indeterminate" ? "crossing" : "back";
  if (rule.when === "equals") return m.value === rule.limit ? "crossing" : "back";
  // A zero that no evidence explains is no low value: it has its own rules (clinical.md 1), and a plain profile its `equals`.
  if (m.validity === "indeterminate") return rule.plain ? "back" : "unjudged";
  if (rule.plain && rule.when === "below" && m.value === 0) return "back";
  return beyond(rule, m.value);
};

const beyond = (rule: Rule, value: number): Crossing => {
  const sign = rule.when === "above" ? 1 : -1;
  if (sign * (value - rule.limit) > 0) return "crossing";
  return sign * (value - (rule.clear ?? rule.limit)) > 0 ? "between" : "back";
};
