/**
 * The life of one condition of one source: absent or present. Pure; each turn gives the condition as it is after it and what is to be told.
 * An instance is minted at every absent-to-present edge and every time the condition is raised again; there is never more than one at a
 * time (clinical.md 12, 13).
 */
import { contentHash } from "../../streams/core/hash.ts";
import { type EventTime, eventTime, type ReceivedTime } from "../../streams/core/time.ts";
import type { Alarm } from "../../schemas/alert-records.ts";
import type { Priority } from "../../schemas/priority.ts";
import { afterCondition, afterPause, type Signal } from "./signal.ts";

/** What is so of an alarm, beside where it stands in its life. */
export type Facts = Omit<
  Alarm,
  "kind" | "identity" | "instance" | "revision" | "phase" | "present" | "end" | "timeliness" | "signal" | "inactivation"
>;

export interface Condition {
  /** Of the last one minted, from 0. */
  readonly instance: number;
  /** As it was last told; null while the condition is absent. */
  readonly open: Alarm | null;
  readonly signal: Signal;
  /** Of the word with which its last origin began, and of the latest that it is there, in ms of event time. */
  readonly raisedAt: number;
  readonly saidAt: number;
  /** `origin` of the last instance. */
  readonly origin: string;
  /** Log time in ms at which it became absent; null while it is present. */
  readonly closedAt: number | null;
  /** Nothing usable was heard of its device since the last word. */
  readonly unseen: boolean;
  /** Log time in ms up to which what came late waits for a newer word; null where it needs none, or where such a word is sure to come. */
  readonly lateUntil: number | null;
}

/** What an alarm that was told says, without where it stood in its life. */
const factsOf = (alarm: Alarm): Facts => {
  const { kind, identity, instance, revision, phase, present, end: ended, ...rest } = alarm;
  const { timeliness, signal, inactivation, ...facts } = rest;
  return facts;
};

export interface Turn {
  readonly condition: Condition;
  readonly told: readonly Alarm[];
}

/** Something that says a condition is present. `at`: the moment of which it speaks, in ms of event time. */
export interface Word {
  readonly facts: Facts;
  readonly signal: Signal;
  readonly at: number;
  /** It came too late to say what is so now (clinical.md 7). */
  readonly late: boolean;
  /** Of a late one: `lateUntil` of its condition. */
  readonly lateUntil: number | null;
}

const stay = (condition: Condition): Turn => ({ condition, told: [] });

/**
 * Beside what clinical.md 13 names, the rule or code (two rules on one channel are two conditions) and what it came from, so that no
 * identity comes back when a counter of instances has been forgotten.
 */
const identityOf = (name: string, facts: Facts, instance: number): string =>
  contentHash(
    "alarm",
    facts.device,
    facts.channel,
    facts.metric,
    facts.event,
    facts.direction,
    name,
    facts.origin === "" ? facts.onset : facts.origin,
    instance,
  ).slice(0, 32);

/** Absent to present: a new instance. `name` names the condition among those of its subject. */
export const raise = (before: Condition | undefined, name: string, word: Word): Turn => {
  const { facts, signal } = word;
  const instance = before === undefined ? 0 : before.instance + 1;
  const open: Alarm = {
    kind: "alarm",
    identity: identityOf(name, facts, instance),
    instance,
    revision: 0,
    phase: "start",
    ...facts,
    end: null,
    present: true,
    signal: signal.signal,
    inactivation: signal.inactivation,
    timeliness: word.late ? "late" : "current",
  };
  const condition: Condition = {
    instance,
    open,
    signal,
    raisedAt: word.at,
    saidAt: word.at,
    origin: facts.origin,
    closedAt: null,
    unseen: false,
    lateUntil: word.late ? word.lateUntil : null,
  };
  return { condition, told: [open] };
};

/** Still there after a gap, or in another unit: the instance makes way for the next. Its `end` has no time, for the condition has not ended. */
export const raiseAgain = (before: Condition, name: string, word: Word, why: string): Turn => {
  if (before.open === null) return raise(before, name, word);
  const { condition, told } = raise(before, name, word);
  const makesWay: Alarm = {
    ...before.open,
    revision: before.open.revision + 1,
    phase: "end",
    present: false,
    signal: "inactive",
    detail: joined(before.open.detail, why),
  };
  const raisedAt = before.origin === condition.origin ? before.raisedAt : condition.raisedAt;
  return { condition: { ...condition, raisedAt }, told: [makesWay, ...told] };
};

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

/** Present to absent. One that came late and was never confirmed is over: nobody was paged, and the unit gets one delayed item. */
export const end = (
  before: Condition,
  ended: {
    readonly at: EventTime;
    readonly receivedTime: ReceivedTime;
    /** Log time in ms. */
    readonly now: number;
    readonly why: string | null;
  },
): Turn => {
  const { open } = before;
  if (open === null) return stay(before);
  const signal = afterCondition(before.signal);
  const over: Alarm = {
    ...open,
    revision: open.revision + 1,
    phase: "end",
    end: eventTime(Math.max(ended.at, open.onset)),
    receivedTime: ended.receivedTime,
    present: false,
    signal: signal.signal,
    inactivation: signal.inactivation,
    timeliness: open.timeliness === "late" ? "over" : open.timeliness,
    detail: joined(open.detail, ended.why),
  };
  return {
    condition: {
      ...before,
      open: null,
      signal,
      closedAt: ended.now,
      lateUntil: null,
    },
    told: [over],
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

const joined = (detail: string | null, more: string | null): string | null =>
  detail === null || more === null ? (detail ?? more) : `${detail}; ${more}`;
