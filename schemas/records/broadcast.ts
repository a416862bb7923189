/** What every partition carries: the passing of time, its scale, and the rules in force. One declaration gives the Avro schema and the TypeScript type. */
import {
  array,
  body,
  boolean,
  double,
  instant,
  int,
  logTime,
  long,
  nullable,
  oneOf,
  record,
  string,
  type TypeOf,
} from "../avro.ts";
import { priority } from "../priority.ts";

/** A second of log time has passed. */
export const tick = body("tick", {});
export type Tick = TypeOf<typeof tick>;

/** The first record of a raw partition that runs at speed k (tests, demos, recordings). */
export const origin = body("origin", { originMs: long, speed: double });

const approval = record("Approval", {
  by: string,
  at: instant,
  /** True where a demo ward approved its own example rules; never true in a hospital. */
  demo: boolean,
});

/** A threshold rule as data. Crossing is judged on one metric; `clear` is the limit that ends it (hysteresis). */
export const rule = record("Rule", {
  id: string,
  version: int,
  title: string,
  metric: string,
  ucum: string,
  /** `indeterminateZero` holds while the metric is a zero that no evidence explains (clinical.md 1). */
  when: oneOf("RuleWhen", "above", "below", "equals", "indeterminateZero"),
  limit: double,
  /** The value must come back past this to end; null: the limit itself. */
  clear: nullable(double),
  /** How long the crossing must last before an episode starts, and the return before it ends. */
  minimumMs: long,
  clearMs: long,
  priority,
  /** FHIR interpretation LL/HH instead of L/H: only where the approval says critical (clinical.md 21). */
  critical: boolean,
  ageBand: oneOf("AgeBand", "adult", "child", "neonate"),
  /** Units the rule is for; empty: all. */
  units: array(string),
  /** Promotions per rule and bed-day above which further episodes are folded into one (clinical.md 22). */
  ceilingPerDay: int,
  /** A limit without delay that ends at a missing sample: refused outside tests. */
  plain: boolean,
  /** Null: the rule shows on the board and is never promoted. */
  approval: nullable(approval),
});
export type Rule = TypeOf<typeof rule>;

/** The whole rule set in force from a log time on. */
export const rules = body("rules", { version: int, effectiveFrom: logTime, rules: array(rule) });
export type Rules = TypeOf<typeof rules>;
