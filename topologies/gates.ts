/**
 * Decides what is promoted: asks the four gates about each candidate, for each destination, and leaves one decision per
 * episode revision, with every gate's answer; what passes all of them becomes an intent in the outbox.
 */
import { type Out, stage, type State } from "../streams/core/stage.ts";
import { type LogTime, logTime } from "../streams/core/time.ts";
import type { Candidate, Consent, Patient } from "../schemas/records.ts";
import { clinicalQuarantine, decisions, events, outbox } from "../schemas/topics.ts";
import { answer, objection } from "./gates/answer.ts";
import * as ceiling from "./gates/ceiling.ts";
import { supersedes } from "./gates/consented.ts";
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

export type { GatePolicy } from "./gates/promotable.ts";

const version = 1;
const transform = `gates@${version}`;
const writes = { decisions, outbox, quarantine: clinicalQuarantine };

/** A patient key's state: the patient, the consents by id, the ledgers of its ceilings and the episodes folded under them. */
type Cell = Patient | Consent | ceiling.Ledger | { readonly kind: "folded" };
type GateState = State<Cell>;
type GateOut = Out<typeof writes>;

const chartOf = (state: GateState): Chart => {
  const all = [...state.cells()].map(([, cell]) => cell);
  return { patient: all.find((c) => c.kind === "patient"), consents: all.filter((c) => c.kind === "consent") };
};

const record = (verdict: Verdict, out: GateOut): void => {
  const { patientKey } = verdict.question.candidate;
  out.emit("decisions", patientKey, decisionOf(verdict));
  if (verdict.promotable !== null) out.emit("outbox", patientKey, intentOf(verdict.promotable));
};

/** Open: preliminary. Ended: final where the destination says so; amended after that (clinical.md 21). */
const statusOf = (candidate: Candidate, destination: Destination, ledger: ceiling.Ledger): Question["status"] => {
  if (ledger.final.includes(candidate.episode.identity)) return "amended";
  return candidate.episode.phase === "end" && destination.finalAtEnd ? "final" : "preliminary";
};

const questionOf = (candidate: Candidate, destination: Destination, ledger: ceiling.Ledger, at: LogTime): Question => ({
  candidate,
  destination,
  revision: ceiling.revisionIn(ledger, candidate.episode),
  status: statusOf(candidate, destination, ledger),
  transform,
  note: ceiling.foldingNote(ledger, candidate.episode),
  at,
});

const foldedRefusal = (ledger: ceiling.Ledger, candidate: Candidate) => {
  const { rule } = candidate.episode;
  const detail =
    `the ceiling of ${ledger.ceiling} per bed-day of rule ${rule.id} is reached on ${ledger.day} (UTC): ` +
    `folded into ${ledger.last?.episode.identity ?? "nothing"}`;
  return answer("approvedThreshold", [objection("ceiling-folded", detail)], "");
};

/** Amends the last Observation of the day, if it must tell of folded episodes and still passes the gates itself. */
const tell = (ledger: ceiling.Ledger, now: LogTime, out: GateOut, chart: Chart, policy: GatePolicy): ceiling.Ledger => {
  const destination = policy.destinations.find((d) => d.name === ledger.destination);
  if (ledger.last === null || destination === undefined || !ceiling.mustTell(ledger, now)) return ledger;
  const next = ceiling.told(ledger);
  record(judge(questionOf(ledger.last, destination, next, now), chart, policy), out);
  return next;
};

const weigh = (
  state: GateState,
  candidate: Candidate,
  destination: Destination,
  now: LogTime,
  out: GateOut,
  policy: GatePolicy,
): void => {
  const chart = chartOf(state);
  const cell = ceiling.ledgerCell(destination.name, candidate);
  const known = state.get(cell);
  const ledger = ceiling.openLedger(known?.kind === "ledger" ? known : undefined, destination.name, candidate, now);
  const verdict = judge(questionOf(candidate, destination, ledger, now), chart, policy);
  if (verdict.promotable === null) {
    record(verdict, out);
    return;
  }
  const keep = (next: ceiling.Ledger): void => {
    state.set(cell, next);
    const look = ceiling.nextLook(next);
    if (state.dueAt === null || look < state.dueAt) state.dueAt = logTime(look);
  };
  if (ceiling.standingOf(ledger, candidate.episode.identity) !== "folded") {
    record(verdict, out);
    keep(ceiling.admit(ledger, candidate, verdict.question.status));
    return;
  }
  record(overrule(verdict, foldedRefusal(ledger, candidate)), out);
  const mark = `folded/${cell}/${candidate.episode.identity}`;
  const again = state.get(mark) !== undefined;
  state.set(mark, { kind: "folded" });
  keep(tell(ceiling.fold(ledger, candidate, again), now, out, chart, policy));
};

/** Tells what was folded once a day is over, and forgets old ledgers. */
const look = (state: GateState, now: LogTime, out: GateOut, policy: GatePolicy): void => {
  const chart = chartOf(state);
  const cells = [...state.cells()];
  let next: number | null = null;
  for (const [name, cell] of cells) {
    if (cell.kind !== "ledger") continue;
    if (ceiling.isForgotten(cell, now)) {
      state.delete(name);
      for (const [other] of cells) if (other.startsWith(`folded/${name}/`)) state.delete(other);
      continue;
    }
    const ledger = tell(cell, now, out, chart, policy);
    state.set(name, ledger);
    const at = Math.max(ceiling.nextLook(ledger), now + 1);
    next = next === null ? at : Math.min(next, at);
  }
  state.dueAt = next === null ? null : logTime(next);
};

/** The stage for these destinations. They are part of the topology: a new one is asked about from its first candidate on, not before. */
export const gates = (policy: GatePolicy) =>
  stage("gates", {
    version,
    reads: events,
    writes,
    quarantine: "quarantine",
    step(state: GateState, { key, body, logTime: now }, out: GateOut) {
      if (body.kind === "tick" || body.kind === "rules") return;
      if (body.patientKey !== key)
        return out.quarantine({ reason: "key-mismatch", detail: `a ${body.kind} of ${body.patientKey} under ${key}` });
      switch (body.kind) {
        case "patient": {
          const known = state.get("patient");
          if (known?.kind !== "patient" || body.version >= known.version) state.set("patient", body);
          return;
        }
        case "consent": {
          const known = state.get(`consent/${body.id}`);
          if (supersedes(known?.kind === "consent" ? known : undefined, body)) state.set(`consent/${body.id}`, body);
          return;
        }
        case "candidate":
          for (const destination of policy.destinations) weigh(state, body, destination, now, out, policy);
      }
    },
    due: (state: GateState, now, _key, out: GateOut) => look(state, now, out, policy),
  });
