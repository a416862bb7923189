/**
 * Reads threshold rules from a file: a JSON array, one rule per line. Everything wrong with it is said at once, each with its place.
 * Rules come unapproved unless the file carries a hospital's approval; only approved ones are ever promoted (clinical.md 15).
 */
import { z } from "zod";
import { ok, refuse, type Result } from "../streams/core/failure.ts";
import type { Priority } from "../schemas/priority.ts";
import type { Rule } from "../schemas/records/broadcast.ts";
import { isMetric, metricOf } from "../schemas/terminology.ts";
import { zeroNeedsEvidence } from "./zeros.ts";

const durationMs = z.int().min(0).max(86_400_000);

const ruleShape = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be lower-case words joined by hyphens"),
  version: z.int().min(1),
  title: z.string().min(1),
  metric: z.string().refine(isMetric, "is no known metric"),
  ucum: z.string(),
  when: z.enum(["above", "below", "equals", "indeterminateZero"]),
  limit: z.number(),
  clear: z.number().nullable(),
  minimumMs: durationMs,
  clearMs: durationMs,
  priority: z.enum(["low", "medium", "high"]),
  critical: z.boolean(),
  ageBand: z.enum(["adult", "child", "neonate"]),
  units: z.array(z.string().min(1)),
  ceilingPerDay: z.int().min(1),
  plain: z.boolean(),
  approval: z.strictObject({ by: z.string().min(1), at: z.int().positive(), demo: z.boolean() }).nullable(),
});

export interface RuleProblem {
  /** As "rules[2].limit (spo2-low)". */
  readonly place: string;
  readonly message: string;
}

export interface RulesRead {
  readonly rules: readonly Rule[];
  readonly problems: readonly RuleProblem[];
}

/** Rules from a file's text, or Problem `rules-invalid` whose detail has one line per problem. Plain rules are a test profile (clinical.md 22). */
export const parseRules = (text: string, options: { readonly allowPlain?: boolean } = {}): Result<readonly Rule[]> => {
  const { rules, problems } = readRules(text, options);
  if (problems.length === 0) return ok(rules);
  return refuse("rules-invalid", problems.map(({ place, message }) => `${place}: ${message}`).join("\n"));
};

/** The same, with the problems apart from the rules that have the right shape. */
export const readRules = (text: string, options: { readonly allowPlain?: boolean } = {}): RulesRead => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { rules: [], problems: [{ place: "rules", message: `is no JSON: ${(error as Error).message}` }] };
  }
  const list = z.array(z.unknown()).safeParse(json);
  if (!list.success) return { rules: [], problems: [{ place: "rules", message: "must be an array of rules" }] };
  const rules: Rule[] = [];
  const problems: RuleProblem[] = [];
  list.data.forEach((candidate, i) => {
    const parsed = ruleShape.safeParse(candidate);
    if (parsed.success) rules.push(parsed.data);
    else
      for (const issue of parsed.error.issues)
        problems.push({ place: placeOf(i, issue.path.join("."), candidate), message: issue.message });
    if (parsed.success) problems.push(...ruleProblems(parsed.data, i, options.allowPlain ?? false));
  });
  return { rules, problems: [...problems, ...setProblems(rules)] };
};

const placeOf = (i: number, path: string, rule: unknown): string => {
  const id = (rule as { id?: unknown } | null)?.id;
  return `rules[${i}]${path === "" ? "" : `.${path}`}${typeof id === "string" ? ` (${id})` : ""}`;
};

/** What a rule must agree on with itself and with the terminology. */
const ruleProblems = (rule: Rule, i: number, allowPlain: boolean): RuleProblem[] => {
  if (!isMetric(rule.metric)) return [];
  const { ucum, plausible, waveform } = metricOf(rule.metric);
  const [lowest, highest] = plausible;
  const zero = rule.when === "indeterminateZero";
  const checks: readonly (readonly [boolean, keyof Rule, string])[] = [
    [waveform, "metric", "is a waveform; rules judge single values"],
    [rule.ucum !== ucum, "ucum", `must be "${ucum}", the unit of ${rule.metric}`],
    [rule.limit < lowest || rule.limit > highest, "limit", `is outside the plausible ${lowest} to ${highest} ${ucum}`],
    [zero && !zeroNeedsEvidence(rule.metric), "when", `a zero of ${rule.metric} is not judged by evidence`],
    [zero && (rule.limit !== 0 || rule.clear !== null), "limit", "must be 0, with no clear, for indeterminateZero"],
    [rule.when === "equals" && rule.clear !== null, "clear", "must be null for equals"],
    [rule.when === "above" && rule.clear !== null && rule.clear > rule.limit, "clear", "must not be above the limit"],
    [rule.when === "below" && rule.clear !== null && rule.clear < rule.limit, "clear", "must not be below the limit"],
    [rule.plain && !allowPlain, "plain", "a limit without delay is a test profile and refused here"],
    [
      rule.plain && (rule.minimumMs > 0 || rule.clearMs > 0 || rule.clear !== null),
      "plain",
      "must have no minimumMs, no clearMs and no clear",
    ],
  ];
  return checks.filter(([wrong]) => wrong).map(([, field, message]) => ({ place: placeOf(i, field, rule), message }));
};

const severity: Readonly<Record<Priority, number>> = { low: 0, medium: 1, high: 2 };

/** What rules must agree on with each other. */
const setProblems = (rules: readonly Rule[]): RuleProblem[] =>
  rules.flatMap((rule, i) => {
    const place = placeOf(i, "", rule);
    const twice = rules.findIndex(({ id }) => id === rule.id) < i;
    return [
      ...(twice ? [{ place, message: "has the id of an earlier rule" }] : []),
      ...(losesZeros(rule, rules)
        ? [{ place, message: `needs an indeterminateZero rule for ${rule.metric} of at least its priority beside it` }]
        : []),
    ];
  });

/** For HR and RESP an unexplained zero must never alarm lower than the low limit that it escapes (clinical.md 1). */
const losesZeros = (rule: Rule, rules: readonly Rule[]): boolean =>
  rule.when === "below" &&
  !rule.plain &&
  (rule.metric === "heartRate" || rule.metric === "respiratoryRate") &&
  !rules.some(
    (zero) =>
      zero.when === "indeterminateZero" &&
      zero.metric === rule.metric &&
      zero.ageBand === rule.ageBand &&
      severity[zero.priority] >= severity[rule.priority] &&
      (zero.units.length === 0 || (rule.units.length > 0 && rule.units.every((unit) => zero.units.includes(unit)))),
  );

/** The demo ward's own approvals, marked as demo; production refuses to take them. `at` in ms. */
export const approveForDemo = (rules: readonly Rule[], at: number): Rule[] =>
  rules.map((rule) => ({ ...rule, approval: { by: "Demo ward", at, demo: true } }));
