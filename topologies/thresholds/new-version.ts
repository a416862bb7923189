/**
 * What becomes of a crossing when a new version of its rule comes into force: what the new one would hold too goes on as the same episode,
 * without a gap and without a second page; what it does not hold has ended with the old one.
 */
import type { Fold } from "../fold.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Episode, Measurement } from "../../schemas/records/telemetry.ts";
import { crossingOf } from "./crossing.ts";
import type { Machine } from "./machine.ts";

/** ends: said as ended, and the new version begins afresh · later: the sample says nothing of it yet. */
export type Turn = "goesOn" | "later" | "ends";

/** `start`: what was told of it, undefined while it is pending. `m`: the first sample under `rule`. */
export const turnOf = (machine: Machine, start: Episode | undefined, rule: Rule, m: Measurement): Turn => {
  if (start === undefined) return !rule.plain && crossesThroughout(rule, machine.fold) ? "goesOn" : "ends";
  if (!isSameKind(start.rule, rule)) return "ends";
  const how = crossingOf(rule, m);
  if (how === "unjudged") return "later";
  if (how === "missing") return "ends";
  // what was about to clear goes on clearing
  return how === "back" && machine.phase === "open" ? "ends" : "goesOn";
};

/** Another direction or approval is another rule, whatever it is called: a shadow rule's episode has paged nobody. */
const isSameKind = (before: Rule, after: Rule): boolean =>
  before.when === after.when &&
  before.plain === after.plain &&
  (before.approval === null) === (after.approval === null);

/** Every crossing sample so far is beyond the new limit too. */
const crossesThroughout = ({ when, limit }: Rule, { min, max }: Fold): boolean => {
  if (when === "above") return min > limit;
  if (when === "below") return max < limit;
  return min === limit && max === limit;
};

/** The episode as it stands under the new version, told as a revision of its start. */
export const revised = (start: Episode, rule: Rule, rulesVersion: number): Episode => ({
  ...start,
  revision: start.revision + 1,
  rule,
  rulesVersion,
});
