/**
 * Weighs a candidate for each destination: judged by the gates as the patient is known now, under its ledger's ceiling, with what was written
 * before taken back or amended, and what waits for consent judged anew.
 */
import type { LogTime } from "../../streams/core/time.ts";
import type { Candidate } from "../../schemas/records/clinical.ts";
import { answer, objection } from "./answer.ts";
import { type GateOut, type GateState, ledgerOf, lookNoLaterThan, marksOf, writtenOf } from "./cells.ts";
import * as ceiling from "./ceiling.ts";
import { takenBackByPerson } from "./correction.ts";
import {
  forget,
  isOver,
  nextPendingLook,
  notInTime,
  type Pending,
  pendingIn,
  settle,
  usualPendingMs,
} from "./pending.ts";
import { preferredSource } from "./preferred-source.ts";
import {
  type Chart,
  decisionOf,
  type Destination,
  type GatePolicy,
  intentOf,
  judge,
  overrule,
  type Question,
  type Verdict,
} from "./promotable.ts";
import { afterWrite, stands, tellsTooMuch, type Written, writtenCell, writtenForgottenAt } from "./retraction.ts";
import { isElsewhere, strayedAt, takeBackStrayed } from "./strayed.ts";
import { afterRefusal, learn, withdraw } from "./take-back.ts";
import { cutTasks } from "./tasks.ts";

/** 2: remembers what was written, and takes it back when its patient turns out to be another. */
export const version = 2;
/** As it stands in what is written. */
export const transform = `gates@${version}`;

/** The decision, and what is written by it under a ledger's ceiling, which is remembered for as long as it can be found wrong. */
const record = (state: GateState, ledger: string, verdict: Verdict, out: GateOut): void => {
  const { candidate, destination, status } = verdict.question;
  const { patientKey, episode } = candidate;
  out.emit("decisions", patientKey, decisionOf(verdict));
  if (verdict.promotable === null) return;
  const intent = intentOf(verdict.promotable);
  out.emit("outbox", patientKey, intent);
  const known = writtenOf(state, destination.name, episode.identity);
  const written = afterWrite(known, intent, { candidate, status, ledger });
  state.set(writtenCell(destination.name, episode.identity), written);
  const forgottenAt = writtenForgottenAt(written);
  if (forgottenAt !== null) lookNoLaterThan(state, forgottenAt);
};

/** Open: preliminary. Ended: final where the destination says so; amended after that, and after a retraction (clinical.md 21). */
const statusOf = (
  candidate: Candidate,
  destination: Destination,
  ledger: ceiling.Ledger,
  written: Written | undefined,
  elsewhere: boolean,
): Question["status"] => {
  const { identity, phase } = candidate.episode;
  const wasTold = ledger.final.includes(identity) || written?.final === true || written?.retracted === true;
  if (wasTold && !elsewhere) return "amended";
  return phase === "end" && destination.finalAtEnd ? "final" : "preliminary";
};

const questionOf = (
  state: GateState,
  candidate: Candidate,
  destination: Destination,
  ledger: ceiling.Ledger,
  { now: at, policy, chart }: Asking,
): Question => {
  const written = writtenOf(state, destination.name, candidate.episode.identity);
  const least = written === undefined ? 0 : written.intent.revision + 1;
  const elsewhere = isElsewhere(written, chart.patient, destination);
  // what the first version wrote is known by its ledger alone
  const isThere = stands(written) || (written === undefined && ledger.admitted.includes(candidate.episode.identity));
  return {
    candidate,
    destination,
    revision: Math.max(ceiling.revisionIn(ledger, candidate.episode), least),
    status: statusOf(candidate, destination, ledger, written, elsewhere),
    transform,
    note: ceiling.foldingNote(ledger, candidate.episode),
    stands: isThere,
    preferred: preferredSource(state, candidate, isThere || elsewhere, at, policy.precedence ?? null),
    at,
  };
};

const foldedRefusal = (ledger: ceiling.Ledger, candidate: Candidate) => {
  const { rule } = candidate.episode;
  const detail =
    `the ceiling of ${ledger.ceiling} per bed-day of rule ${rule.id} is reached on ${ledger.day} (UTC): ` +
    `folded into ${ledger.last?.episode.identity ?? "nothing"}`;
  return answer("approvedThreshold", [objection("ceiling-folded", detail)], "");
};

/** What a judgement needs beside the state. */
export interface Asking {
  readonly now: LogTime;
  readonly out: GateOut;
  readonly policy: GatePolicy;
  readonly chart: Chart;
}

/** Amends the last Observation of the day, if it must tell of folded episodes and still passes the gates itself. */
export const tell = (state: GateState, name: string, ledger: ceiling.Ledger, asking: Asking): ceiling.Ledger => {
  const { now, out, policy, chart } = asking;
  const destination = policy.destinations.find((d) => d.name === ledger.destination);
  if (ledger.last === null || destination === undefined || !ceiling.mustTell(ledger, now)) return ledger;
  const next = ceiling.told(ledger);
  record(state, name, judge(questionOf(state, ledger.last, destination, next, asking), chart, policy), out);
  return next;
};

/** The ledger under which an episode was admitted or folded, taken back though it may be by now; one that is new, that of its bed and day. */
const homeOf = (state: GateState, candidate: Candidate, destination: string): string => {
  const { identity } = candidate.episode;
  const written = writtenOf(state, destination, identity);
  const admitted = written && ledgerOf(state, written.ledger)?.admitted.includes(identity);
  if (written !== undefined && (admitted === true || !written.retracted)) return written.ledger;
  const mark = state.get(ceiling.foldedCell(destination, identity));
  return mark?.kind === "folded" ? mark.ledger : ceiling.ledgerCell(destination, candidate);
};

/** A candidate that was offered anew and would be written as it stands already. */
const saysNothingNew = (written: Written | undefined, { correction, episode, cut }: Candidate): boolean =>
  stands(written) &&
  correction !== null &&
  written.episodeRevision >= episode.revision &&
  (written.cut === true) === cut;

interface Judged {
  readonly home: string;
  readonly ledger: ceiling.Ledger;
  readonly verdict: Verdict;
}

const judgeNow = (state: GateState, candidate: Candidate, destination: Destination, asking: Asking): Judged => {
  const { now, policy, chart } = asking;
  const home = homeOf(state, candidate, destination.name);
  const ledger = ceiling.openLedger(ledgerOf(state, home), destination.name, candidate, now);
  const verdict = judge(questionOf(state, candidate, destination, ledger, asking), chart, policy);
  const takenBack = takenBackByPerson(writtenOf(state, destination.name, candidate.episode.identity));
  return { home, ledger, verdict: takenBack === null ? verdict : overrule(verdict, takenBack) };
};

/** `again`: it is judged anew, and what has not changed is not said again. */
export const weigh = (
  state: GateState,
  candidate: Candidate,
  destination: Destination,
  asking: Asking,
  again = false,
): void => {
  const { now, out, policy } = asking;
  const { identity } = candidate.episode;
  const first = judgeNow(state, candidate, destination, asking);
  const strayed = takeBackStrayed(state, first.verdict, asking.chart.patient, out);
  const { home, ledger, verdict } = strayed === undefined ? first : judgeNow(state, candidate, destination, asking);
  const written = writtenOf(state, destination.name, identity);
  const { pending, asBefore, pushedOut } = settle(state, verdict, now);
  if (pushedOut !== null) giveUp(state, pushedOut, "and too many wait", asking);
  if (pending !== null) lookNoLaterThan(state, nextPendingLook(pending, now, policy.pendingMs ?? usualPendingMs));
  if (again && asBefore && strayed === undefined) return;
  if (verdict.promotable === null) {
    record(state, home, verdict, out);
    if (strayed !== undefined) withdraw(state, strayed.ledger, { identity, at: now });
    afterRefusal(state, verdict, out);
    return;
  }
  if (stands(written) && saysNothingNew(written, candidate)) {
    learn(state, written, candidate);
    return;
  }
  const keep = (next: ceiling.Ledger): void => {
    state.set(home, next);
    lookNoLaterThan(state, ceiling.nextLook(next));
  };
  if (ceiling.standingOf(ledger, identity) !== "folded") {
    record(state, home, verdict, out);
    const tooMuch = tellsTooMuch(written, candidate);
    const { revision } = verdict.question;
    if (written !== undefined && tooMuch !== null)
      for (const task of cutTasks(written, candidate, tooMuch, { revision, at: now }))
        out.emit("tasks", task.patientKey, task);
    keep(ceiling.admit(ledger, candidate, verdict.question.status));
    return;
  }
  record(state, home, overrule(verdict, foldedRefusal(ledger, candidate)), out);
  const mark = ceiling.foldedCell(destination.name, identity);
  const foldedBefore = state.get(mark) !== undefined;
  const { min: least, max: most } = candidate.episode;
  state.set(mark, { kind: "folded", ledger: home, least, most });
  keep(tell(state, home, ceiling.fold(ledger, candidate, foldedBefore, marksOf(state, home)), asking));
};

/** The last word on what waited for consent in vain. */
const giveUp = (state: GateState, pending: Pending, how: string, asking: Asking): void => {
  const destination = asking.policy.destinations.find(({ name }) => name === pending.destination);
  forget(state, pending);
  if (destination === undefined) return;
  const { home, verdict } = judgeNow(state, pending.candidate, destination, asking);
  record(state, home, overrule(verdict, notInTime(pending, how)), asking.out);
};

/** What stands under an identity that another has replaced is taken back, and written anew under that one where the gates let it. */
export const lookAtStrayed = (state: GateState, asking: Asking): void => {
  for (const destination of asking.policy.destinations)
    for (const { candidate } of strayedAt(state.cells(), asking.chart.patient, destination))
      weigh(state, candidate, destination, asking);
};

/** Judges anew what waits for consent: a record has come, or time has passed. */
export const lookAtPending = (state: GateState, asking: Asking): void => {
  const { now, policy } = asking;
  const pendingMs = policy.pendingMs ?? usualPendingMs;
  for (const pending of pendingIn(state)) {
    const destination = policy.destinations.find(({ name }) => name === pending.destination);
    if (destination !== undefined && now <= pending.since + pendingMs)
      weigh(state, pending.candidate, destination, asking, true);
  }
  for (const pending of pendingIn(state))
    if (isOver(pending, now, pendingMs)) giveUp(state, pending, "and its time is over", asking);
    else lookNoLaterThan(state, nextPendingLook(pending, now, pendingMs));
};
