/**
 * The state machine of one rule on one series: idle, pending (crossing, not yet for long enough), open, clearing (back, not yet for
 * long enough). Durations are of event time. A gap neither ends an episode nor counts towards a duration (clinical.md 5).
 */
import { type Fold, foldOf, merge } from "../fold.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { type Crossing, crossingOf } from "./crossing.ts";

export interface Machine {
  readonly ruleId: string;
  readonly ruleVersion: number;
  readonly phase: "pending" | "open" | "clearing";
  /** First crossing sample. */
  readonly since: number;
  /** Names the episode: the first crossing sample's time as claimed by the device, else its identity. */
  readonly firstClaim: number | string;
  /** The sample judged last. */
  readonly judgedAt: number;
  /** When it came back; null but in `clearing`. */
  readonly clearingSince: number | null;
  /** Over the crossing samples. */
  readonly fold: Fold;
  /** Its start came late, and nothing has come in time since (clinical.md 7). */
  readonly late?: true;
}

export type Move =
  | { readonly what: "start"; readonly machine: Machine }
  | { readonly what: "end"; readonly machine: Machine; readonly ended: string };

export interface Advance {
  /** Undefined is idle. */
  readonly machine: Machine | undefined;
  readonly moves: readonly Move[];
}

const idle: Advance = { machine: undefined, moves: [] };
const stay = (machine: Machine | undefined): Advance => ({ machine, moves: [] });

/** Samples further apart than this are not one unbroken stretch: the duration asked for, or two and a half periods if that is longer. */
const longestGapMs = (durationMs: number, m: Measurement): number => Math.max(durationMs, 2.5 * (m.periodMs ?? 0));

/** Takes the machine over one measurement that is later than all before it. */
export const advance = (machine: Machine | undefined, rule: Rule, m: Measurement): Advance => {
  if (machine !== undefined && rule.plain && isMissing(machine, m)) return overGap(machine, rule, m);
  const crossing = crossingOf(rule, m);
  if (crossing === "missing") return machine === undefined ? idle : end(machine, "missing sample");
  if (crossing === "unjudged") return stay(machine);
  return crossing === "crossing" ? cross(machine, rule, m) : goBack(machine, rule, m, crossing);
};

/** A plain rule's run ends where a sample was due and did not come. */
const isMissing = (machine: Machine, m: Measurement): boolean =>
  m.periodMs !== null && m.eventTime - machine.judgedAt > 1.5 * m.periodMs;

const overGap = (machine: Machine, rule: Rule, m: Measurement): Advance => {
  const ended = end(machine, "missing sample");
  const next = advance(undefined, rule, m);
  return { machine: next.machine, moves: [...ended.moves, ...next.moves] };
};

/** A pending machine ends in silence: nothing was said of it. */
export const end = (machine: Machine, ended: string): Advance =>
  machine.phase === "pending" ? idle : { machine: undefined, moves: [{ what: "end", machine, ended }] };

const cross = (machine: Machine | undefined, rule: Rule, m: Measurement): Advance => {
  const sample = foldOf({ value: m.value ?? 0, at: m.eventTime, coversMs: m.periodMs ?? 0 });
  if (machine === undefined || staleAs("pending", machine, rule.minimumMs, m)) return begin(rule, m, sample);
  const fold = merge(machine.fold, sample) ?? sample;
  const next: Machine = { ...machine, fold, judgedAt: m.eventTime, clearingSince: null };
  if (machine.phase === "pending") return openIfLasting(next, rule, m);
  return stay({ ...next, phase: "open" });
};

const begin = (rule: Rule, m: Measurement, fold: Fold): Advance =>
  openIfLasting(
    {
      ruleId: rule.id,
      ruleVersion: rule.version,
      phase: "pending",
      since: m.eventTime,
      firstClaim: m.deviceTime ?? m.identity,
      judgedAt: m.eventTime,
      clearingSince: null,
      fold,
    },
    rule,
    m,
  );

const openIfLasting = (machine: Machine, rule: Rule, m: Measurement): Advance => {
  if (m.eventTime - machine.since < rule.minimumMs) return stay(machine);
  const open: Machine = { ...machine, phase: "open" };
  return { machine: open, moves: [{ what: "start", machine: open }] };
};

const staleAs = (phase: Machine["phase"], machine: Machine, durationMs: number, m: Measurement): boolean =>
  machine.phase === phase && m.eventTime - machine.judgedAt > longestGapMs(durationMs, m);

const goBack = (machine: Machine | undefined, rule: Rule, m: Measurement, how: Crossing): Advance => {
  if (machine === undefined || machine.phase === "pending") return idle;
  const judged = { ...machine, judgedAt: m.eventTime };
  if (how === "between") return stay({ ...judged, phase: "open", clearingSince: null });
  const restarts = machine.clearingSince === null || staleAs("clearing", machine, rule.clearMs, m);
  const since = restarts ? m.eventTime : (machine.clearingSince ?? m.eventTime);
  if (m.eventTime - since >= rule.clearMs) return end(machine, "cleared");
  return stay({ ...judged, phase: "clearing", clearingSince: since });
};
