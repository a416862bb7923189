/** Which rules hold at a log time, and for whom. Rule sets arrive as broadcasts, each whole and numbered. */
import type { Rule, Rules } from "../../schemas/records/broadcast.ts";

/** Rule sets by version, ascending; the last few are kept, for one may be announced ahead of its time. */
export interface RuleSets {
  readonly sets: readonly Rules[];
}

const kept = 8;

export const noRules: RuleSets = { sets: [] };

/** Idempotent by version. */
export const withRules = (known: RuleSets, next: Rules): RuleSets =>
  known.sets.some(({ version }) => version === next.version)
    ? known
    : { sets: [...known.sets, next].sort((a, b) => a.version - b.version).slice(-kept) };

/** The highest version whose time has come. */
export const rulesInForce = ({ sets }: RuleSets, logTimeMs: number): Rules | undefined =>
  sets.findLast(({ effectiveFrom }) => effectiveFrom <= logTimeMs);

/** Who is measured, as far as it is known. */
export interface Population {
  readonly ageBand: Rule["ageBand"] | null;
  readonly unit: string | null;
}

export const unknownPopulation: Population = { ageBand: null, unit: null };

const byMetric = new WeakMap<Rules, Map<string, readonly Rule[]>>();

/**
 * Rules of a metric for a population. Where no rule of the metric is for that age, or the age is unknown, the adult rules judge: nobody goes
 * without an alarm for want of a rule (clinical.md 15: paged by the default); the gates promote nothing of it (`population-age`, `age-unknown`).
 */
export const rulesFor = (rules: Rules, metric: string, { ageBand, unit }: Population): readonly Rule[] => {
  const index = byMetric.getOrInsertComputed(rules, () => new Map());
  const ofMetric = index.getOrInsertComputed(metric, () => rules.rules.filter((rule) => rule.metric === metric));
  const band = ageBand !== null && ofMetric.some((rule) => rule.ageBand === ageBand) ? ageBand : "adult";
  return ofMetric.filter(
    (rule) => rule.ageBand === band && (rule.units.length === 0 || (unit !== null && rule.units.includes(unit))),
  );
};
