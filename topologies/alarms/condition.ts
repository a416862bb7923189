/**
 * The life of one condition of one source: absent or present. Pure; each turn gives the condition as it is after it and what is to be told.
 * An instance is minted at every absent-to-present edge and every time the condition is raised again; there is never more than one at a
 * time (clinical.md 12, 13).
 */
import { contentHash } from "../../streams/core/hash.ts";
import { type EventTime, eventTime, type ReceivedTime } from "../../streams/core/time.ts";
import type { Alarm } from "../../schemas/records/alert.ts";
import { afterCondition, type Signal } from "./signal.ts";

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
  /** Of stored readings that came after later ones: over, whatever is said of now, and only its end is still to come. */
  readonly past?: true;
}

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
  /** Of a late one: `past` of its condition. */
  readonly past?: boolean;
}

/** Nothing is to be told. */
export const stay = (condition: Condition): Turn => ({ condition, told: [] });

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
    ...(word.late && word.past === true && { past: true as const }),
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

/** Two remarks as one. */
export const joined = (detail: string | null, more: string | null): string | null =>
  detail === null || more === null ? (detail ?? more) : `${detail}; ${more}`;
