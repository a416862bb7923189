/**
 * Decides what is promoted: asks the gates about each candidate, for each destination, and leaves one decision per
 * episode revision, with every gate's answer; what passes all of them becomes an intent in the outbox.
 */
import { stage } from "../streams/core/stage.ts";
import type { LogTime } from "../streams/core/time.ts";
import type { Candidate } from "../schemas/records.ts";
import { events } from "../schemas/topics.ts";
import { answer, objection } from "./gates/answer.ts";
import {
  type Cell,
  chartOf,
  consentCell,
  type ConsentRecord,
  type GateOut,
  type GateState,
  ledgerOf,
  lookNoLaterThan,
  writes,
  writtenOf,
} from "./gates/cells.ts";
import * as ceiling from "./gates/ceiling.ts";
import { takeCorrection, takenBackByPerson } from "./gates/correction.ts";
import { consentTask } from "./gates/consent-review.ts";
import { supersedes } from "./gates/consented.ts";
import {
  forget,
  isOver,
  nextPendingLook,
  notInTime,
  type Pending,
  pendingIn,
  settle,
  takeWithheld,
  usualPendingMs,
} from "./gates/pending.ts";
import { writtenKeptMs } from "./correctable.ts";
import { forgetLink, hearCandidate, hearValue, preferredSource } from "./gates/preferred-source.ts";
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
} from "./gates/promotable.ts";
import { afterWrite, stands, type Written, writtenCell, writtenForgottenAt } from "./gates/retraction.ts";
import { isElsewhere, strayedAt, takeBackStrayed } from "./gates/strayed.ts";
import { afterRefusal, learn, withdraw } from "./gates/take-back.ts";
import { untoldFoldingTask } from "./gates/tasks.ts";
import { cellsOfVersion1 } from "./gates/version-1.ts";

export type { GatePolicy } from "./gates/promotable.ts";

/** 2: remembers what was written, and takes it back when its patient turns out to be another. */
const version = 2;
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

interface Asking {
  readonly now: LogTime;
  readonly out: GateOut;
  readonly policy: GatePolicy;
  readonly chart: Chart;
}

/** Amends the last Observation of the day, if it must tell of folded episodes and still passes the gates itself. */
const tell = (state: GateState, name: string, ledger: ceiling.Ledger, asking: Asking): ceiling.Ledger => {
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
const saysNothingNew = (written: Written | undefined, { correction, episode }: Candidate): boolean =>
  stands(written) && correction !== null && written.episodeRevision >= episode.revision;

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
const weigh = (
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
    keep(ceiling.admit(ledger, candidate, verdict.question.status));
    return;
  }
  record(state, home, overrule(verdict, foldedRefusal(ledger, candidate)), out);
  const mark = ceiling.foldedCell(destination.name, identity);
  const foldedBefore = state.get(mark) !== undefined;
  state.set(mark, { kind: "folded", ledger: home });
  keep(tell(state, home, ceiling.fold(ledger, candidate, foldedBefore), asking));
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
const lookAtStrayed = (state: GateState, asking: Asking): void => {
  for (const destination of asking.policy.destinations)
    for (const { candidate } of strayedAt(state.cells(), asking.chart.patient, destination))
      weigh(state, candidate, destination, asking);
};

/** Judges anew what waits for consent: a record has come, or time has passed. */
const lookAtPending = (state: GateState, asking: Asking): void => {
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

/** The newest version of each; one that nobody can tell is a person's to look at. */
const takeConsent = (state: GateState, record: ConsentRecord, asking: Omit<Asking, "chart">): void => {
  const { now, out, policy } = asking;
  const cell = consentCell(record);
  const known = state.get(cell);
  if (known !== undefined && "version" in known && !supersedes(known, record)) return;
  state.set(cell, record);
  const task = record.kind === "fhirConsent" ? consentTask(record, policy.zones, now) : null;
  if (task !== null) out.emit("tasks", record.patientKey, task);
  lookAtPending(state, { ...asking, chart: chartOf(state) });
};

/** Tells what was folded once a day is over, where need be a person. */
const lookAtLedger = (state: GateState, name: string, known: ceiling.Ledger, asking: Asking): number => {
  const { now, out, chart } = asking;
  const told = tell(state, name, known, asking);
  const ledger = ceiling.isUntold(told, now) ? ceiling.toldToPerson(told) : told;
  if (ledger !== told && chart.patient !== undefined) {
    const { patientKey } = chart.patient;
    out.emit("tasks", patientKey, untoldFoldingTask(patientKey, name, ledger, now));
  }
  state.set(name, ledger);
  return Math.max(ceiling.nextLook(ledger), now + 1);
};

/** When a cell is of no more use; null: not by time. */
const forgottenAt = (cell: Cell): number | null => {
  if (cell.kind === "written") return writtenForgottenAt(cell);
  return cell.kind === "asked" ? cell.at + writtenKeptMs : null;
};

/** Tells what was folded, and forgets old ledgers and what can't be found wrong any more. */
const look = (state: GateState, asking: Asking): void => {
  const { now } = asking;
  state.dueAt = null;
  const cells = [...state.cells()];
  const over = new Set(
    cells.flatMap(([name, c]) => (c.kind === "ledger" && ceiling.isForgotten(c, now) ? [name] : [])),
  );
  for (const [name, cell] of cells) {
    const at = cell.kind === "ledger" && !over.has(name) ? lookAtLedger(state, name, cell, asking) : forgottenAt(cell);
    if (over.has(name) || (cell.kind === "folded" && over.has(cell.ledger)) || (at !== null && at <= now))
      state.delete(name);
    else if (at !== null) lookNoLaterThan(state, at);
  }
};

/** The stage for these destinations. They are part of the topology: a new one is asked about from its first candidate on, not before. */
export const gates = (policy: GatePolicy) =>
  stage("gates", {
    version,
    migrate: { cells: (_from, _key, cells) => cellsOfVersion1(cells) },
    reads: events,
    writes,
    quarantine: "quarantine",
    step(state: GateState, { key, body, logTime: now }, out: GateOut) {
      if (body.kind === "tick" || body.kind === "rules") return;
      // a link that is another patient's by now is told to the former one too
      if (body.patientKey !== key && body.kind !== "association")
        return out.quarantine({ reason: "key-mismatch", detail: `a ${body.kind} of ${body.patientKey} under ${key}` });
      switch (body.kind) {
        case "patient": {
          const known = state.get("patient");
          if (known?.kind !== "patient" || body.version >= known.version) state.set("patient", body);
          const asking = { now, out, policy, chart: chartOf(state) };
          lookAtStrayed(state, asking);
          return lookAtPending(state, asking);
        }
        case "consent":
        case "fhirConsent":
        case "accessOverride":
          return takeConsent(state, body, { now, out, policy });
        case "windowValue":
          return hearValue(state, body, now, policy.precedence ?? null, out);
        case "association":
          return forgetLink(state, key, body, now, policy.precedence ?? null, out);
        case "corrected":
          return takeCorrection(state, body, { now, transform, out });
        case "withheld": {
          const pendingMs = policy.pendingMs ?? usualPendingMs;
          const pending = takeWithheld(state, body, now, pendingMs);
          if (pending !== null) lookNoLaterThan(state, nextPendingLook(pending, now, pendingMs));
          return;
        }
        case "candidate":
          hearCandidate(state, body, now, policy.precedence ?? null, out);
          for (const destination of policy.destinations)
            weigh(state, body, destination, { now, out, policy, chart: chartOf(state) });
      }
    },
    due(state: GateState, now, _key, out: GateOut) {
      const asking = { now, out, policy, chart: chartOf(state) };
      look(state, asking);
      lookAtPending(state, asking);
    },
  });
