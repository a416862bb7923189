/** An episode's record, from its start to its end. */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime } from "../../streams/core/time.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Episode, Measurement } from "../../schemas/records/telemetry.ts";
import { meanOf } from "../fold.ts";
import type { Machine } from "./machine.ts";

/** Over rule, source and the first crossing sample's time as claimed: the same after a replay, a repeat or a corrected clock. */
const identityOf = (machine: Machine, m: Measurement): string =>
  contentHash("episode", machine.ruleId, m.device, m.channel, m.metric, machine.firstClaim).slice(0, 32);

type Statistics = Pick<Episode, "extreme" | "min" | "max" | "mean" | "count">;

const statisticsOf = ({ fold }: Machine, rule: Rule): Statistics => ({
  extreme: rule.when === "above" ? fold.max : fold.min,
  min: fold.min,
  max: fold.max,
  mean: meanOf(fold),
  count: fold.count,
});

/** `m` is the sample with which the crossing had lasted long enough. `late`: it was stored, and came after later ones had been judged. */
export const startOf = (
  machine: Machine,
  rule: Rule,
  rulesVersion: number,
  m: Measurement,
  subject: string,
  late: boolean,
): Episode => ({
  kind: "episode",
  identity: identityOf(machine, m),
  revision: 0,
  phase: "start",
  subject,
  association: m.association,
  associationRevision: m.associationRevision,
  device: m.device,
  channel: m.channel,
  metric: m.metric,
  mdc: m.mdc,
  loinc: m.loinc,
  ucum: m.ucum,
  rule,
  rulesVersion,
  start: eventTime(machine.since),
  end: null,
  qualifyingValue: m.value ?? 0,
  qualifyingAt: m.eventTime,
  qualifyingIdentity: m.identity,
  qualifyingValidity: m.validity,
  clockUncertaintyMs: m.clockUncertaintyMs,
  companions: m.companions,
  ...statisticsOf(machine, rule),
  ended: null,
  late,
});

/** The end of the episode that began as `start`; its end is the last crossing sample, and never before its start. */
export const endOf = (start: Episode, machine: Machine, ended: string): Episode => ({
  ...start,
  revision: start.revision + 1,
  phase: "end",
  end: eventTime(Math.max(start.start, machine.fold.lastAt)),
  ...statisticsOf(machine, start.rule),
  ended,
});
