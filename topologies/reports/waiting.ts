/** Reports that consent alone kept from a destination, for as long as they may still be written: as with episodes (gates/pending.ts). */
import type { GateAnswer } from "../../schemas/records/clinical.ts";
import type { Withheld } from "../../schemas/records/consent.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { answer, objection } from "../gates/answer.ts";
import { usualPendingMs } from "../gates/pending.ts";
import type { GatePolicy } from "../gates/promotable.ts";
import { reportCell, reportIn, type ReportOut, type ReportState, type Waiting } from "./cells.ts";
import { decisionOfReport, type ReportVerdict } from "./judge.ts";
import { isElsewhere, judgeFor, takeBack, tellPeople, type Telling, writeReport } from "./write.ts";

const cellOf = (destination: string, identity: string): string => `waiting/${JSON.stringify([destination, identity])}`;

/** The consent's refusal, where nothing else refuses; a denial is an answer and keeps nothing waiting. */
const waitsFor = ({ answers }: ReportVerdict): GateAnswer | undefined => {
  const [refusal, ...others] = answers.filter(({ passed }) => !passed);
  return others.length === 0 && refusal?.gate === "consented" && refusal.reason !== "consent-denied"
    ? refusal
    : undefined;
};

/** Keeps what waits for consent, and forgets what does so no longer. */
const settle = (state: ReportState, telling: Telling, verdict: ReportVerdict, known: Waiting | undefined): void => {
  const { facts, rule, parts, inputs, ceiling } = telling;
  const destination = verdict.question.destination.name;
  const refusal = waitsFor(verdict);
  const cell = cellOf(destination, facts.identity);
  if (refusal === undefined) state.delete(cell);
  else {
    const since = known?.since ?? telling.now;
    const { reason } = refusal;
    state.set(cell, { kind: "waiting", facts, rule, parts, inputs, ceiling, destination, since, reason });
  }
};

const record = (state: ReportState, telling: Telling, verdict: ReportVerdict, out: ReportOut): boolean => {
  out.emit("decisions", telling.facts.patientKey, decisionOfReport(verdict));
  return writeReport(state, telling, verdict, out);
};

/** One decision for each destination; an intent where all gates passed. True: it went somewhere. */
export const tellReport = (state: ReportState, telling: Telling, policy: GatePolicy, out: ReportOut): boolean => {
  let written = false;
  for (const destination of policy.destinations) {
    const verdict = judgeFor(state, telling, destination, policy);
    settle(state, telling, verdict, undefined);
    written = record(state, telling, verdict, out) || written;
  }
  return written;
};

/** What stood under an identity that is not the patient's there any more is taken back in any case, and told anew under the new one. */
export const takeBackStrayed = (
  state: ReportState,
  policy: GatePolicy,
  { transform, now }: Pick<Telling, "transform" | "now">,
  out: ReportOut,
): void => {
  for (const [, report] of [...state.cells()]) {
    if (report.kind !== "report" || report.retracted) continue;
    const destination = policy.destinations.find(({ name }) => name === report.intent.destination);
    if (destination === undefined || !isElsewhere(report, state, destination)) continue;
    const why = "it was written under an identity that is not the patient's at this destination any more";
    takeBack(state, report, { why, transform, now }, out);
    tellPeople(report, `is entered in error: ${why}, and whose record may be another's`, now, out);
    const { facts, rule, parts, inputs } = report;
    const telling: Telling = { facts, rule, parts, inputs, ceiling: null, transform, now };
    const verdict = judgeFor(state, telling, destination, policy);
    settle(state, telling, verdict, undefined);
    record(state, telling, verdict, out);
  }
};

const tooLate = (verdict: ReportVerdict, { reason }: Waiting): ReportVerdict => {
  const found = [
    objection("consent-not-in-time", `${reason} until now, and its time is over: it is not written any more`),
  ];
  const answers = verdict.answers.map((a) => (a.gate === "consented" ? answer("consented", found, "") : a));
  return { ...verdict, answers, intent: null };
};

const waitingIn = (state: ReportState): readonly Waiting[] =>
  [...state.cells()].flatMap(([, cell]) => (cell.kind === "waiting" ? [cell] : []));

/**
 * What passed here and was withheld at the moment of writing waits too, from the first time on that it was (as in gates/pending.ts). Not so
 * where a newer form of it is on its way, or it was taken back. `again`: log time from which it is tried without a word from anybody.
 */
export const takeWithheld = (
  state: ReportState,
  { destination, identity, revision, reason }: Withheld,
  {
    now,
    again,
    pendingMs = usualPendingMs,
  }: { readonly now: LogTime; readonly again: number; readonly pendingMs?: number | undefined },
): void => {
  const report = reportIn(state, destination, identity);
  if (report === undefined || report.retracted || report.intent.revision !== revision) return;
  const before = report.withheldSince;
  const since = before !== undefined && now < before + 2 * pendingMs ? before : now;
  const { facts, rule, parts, inputs, earlier = revision > facts.revision } = report;
  state.set(reportCell(destination, identity), { ...report, earlier, withheld: true, withheldSince: since });
  if (now >= since + pendingMs) return;
  const what = { facts, rule, parts, inputs, ceiling: null, destination };
  state.set(cellOf(destination, identity), { kind: "waiting", ...what, since, reason, notBefore: again });
};

interface Looking {
  readonly transform: string;
  readonly now: LogTime;
  /** True: a record came that may be what was waited for; else time has passed. */
  readonly isNews: boolean;
}

/** Judges anew what waits: a record has come, or time has passed. What has not changed is not said again. True: something still waits. */
export const lookAtWaiting = (
  state: ReportState,
  policy: GatePolicy,
  { transform, now, isNews }: Looking,
  out: ReportOut,
): boolean => {
  const due = waitingIn(state).filter(({ notBefore = now }) => isNews || notBefore <= now);
  for (const known of due) {
    const destination = policy.destinations.find(({ name }) => name === known.destination);
    const { facts, rule, parts, inputs, ceiling } = known;
    const telling: Telling = { facts, rule, parts, inputs, ceiling, transform, now };
    if (destination === undefined) {
      state.delete(cellOf(known.destination, facts.identity));
      continue;
    }
    const verdict = judgeFor(state, telling, destination, policy);
    if (now - known.since > (policy.pendingMs ?? usualPendingMs)) {
      state.delete(cellOf(known.destination, facts.identity));
      record(state, telling, tooLate(verdict, known), out);
    } else if (waitsFor(verdict)?.reason !== known.reason) {
      settle(state, telling, verdict, known);
      record(state, telling, verdict, out);
    }
  }
  return waitingIn(state).length > 0;
};
