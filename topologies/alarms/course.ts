/**
 * What happens to an instance between its start and its end: it changes, it turns out to be of now, nobody can see it any more, its pause is
 * over. Pure, as condition.ts.
 */
import type { Alarm } from "../../schemas/records/alert.ts";
import type { Priority } from "../../schemas/priority.ts";
import { type Condition, type Facts, joined, stay, type Turn, type Word } from "./condition.ts";
import { afterPause } from "./signal.ts";

const rank: Readonly<Record<Priority, number>> = { low: 0, medium: 1, high: 2 };

const phaseOf = (before: Priority, after: Priority): "escalate" | "deescalate" | "update" => {
  if (rank[after] === rank[before]) return "update";
  return rank[after] > rank[before] ? "escalate" : "deescalate";
};

const told: readonly (keyof Alarm)[] = [
  "priority",
  "signal",
  "inactivation",
  "timeliness",
  "text",
  "event",
  "value",
  "lowLimit",
  "highLimit",
  "ruleVersion",
  "unit",
  "bed",
  "bedSince",
  "bedConfirmed",
  "detail",
];

/** Something else is so of an open instance. A rise in priority is an escalation and a fall a de-escalation; what is the same is not told. */
export const change = (before: Condition, word: Word): Turn => {
  const { open } = before;
  if (open === null) return stay(before);
  const { facts, signal } = word;
  const after: Alarm = {
    ...open,
    ...facts,
    onset: open.onset,
    origin: open.origin,
    revision: open.revision + 1,
    phase: phaseOf(open.priority, facts.priority),
    signal: signal.signal,
    inactivation: signal.inactivation,
  };
  const condition: Condition = { ...before, signal, saidAt: word.at };
  if (told.every((field) => after[field] === open[field])) return stay(condition);
  return { condition: { ...condition, open: after }, told: [after] };
};

/** Nobody can say whether it is still there: its next word of now raises it again, and where `until` is given that time does, without one. */
export const unseen = (before: Condition, until: number | null): Turn => {
  const lateUntil = before.open?.timeliness === "current" ? (before.lateUntil ?? until) : before.lateUntil;
  return stay(before.unseen && lateUntil === before.lateUntil ? before : { ...before, unseen: true, lateUntil });
};

/** What an alarm that was told says, without where it stood in its life. */
const factsOf = (alarm: Alarm): Facts => {
  const { kind, identity, instance, revision, phase, present, end: ended, ...rest } = alarm;
  const { timeliness, signal, inactivation, ...facts } = rest;
  return facts;
};

/** The word that would tell it as it was told last, of now. */
export const asTold = (open: Alarm, { signal, saidAt }: Condition): Word => ({
  facts: factsOf(open),
  signal,
  at: saidAt,
  late: false,
  lateUntil: null,
});

/** A late one turns out to be true now: it is told as current, with its real onset, and starts for the people only here (clinical.md 7). */
export const confirm = (before: Condition, word: Word, why: string | null): Turn => {
  const { open } = before;
  if (open === null || open.timeliness !== "late") return stay(before);
  const { facts, signal } = word;
  const current: Alarm = {
    ...open,
    ...facts,
    onset: open.onset,
    origin: open.origin,
    revision: open.revision + 1,
    phase: "start",
    signal: signal.signal,
    inactivation: signal.inactivation,
    timeliness: "current",
    detail: joined(facts.detail, why),
  };
  return {
    condition: { ...before, open: current, signal, saidAt: word.at, unseen: false, lateUntil: null },
    told: [current],
  };
};

/** Log time has come this far: a pause that its device never ended is over. */
export const passTime = (before: Condition, now: number): Turn => {
  const signal = afterPause(before.signal, now);
  if (before.open === null || signal === before.signal) return stay(before);
  const open: Alarm = {
    ...before.open,
    revision: before.open.revision + 1,
    phase: "update",
    inactivation: signal.inactivation,
  };
  return { condition: { ...before, open, signal }, told: [open] };
};
