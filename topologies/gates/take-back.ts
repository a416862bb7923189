/** What follows when a candidate that is refused shows that something stands at the wrong patient: it is taken back, and people are told. */
import type { Candidate } from "../../schemas/records/clinical.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { type Cell, type GateOut, type GateState, ledgerOf, lookNoLaterThan, marksOf, writtenOf } from "./cells.ts";
import type { Objection } from "./answer.ts";
import * as ceiling from "./ceiling.ts";
import type { Verdict } from "./promotable.ts";
import {
  retractionOf,
  stands,
  tellsTooMuch,
  type Written,
  wrongBecause,
  writtenCell,
  writtenForgottenAt,
} from "./retraction.ts";
import { correctionTasks, reviewTask, unretractableTask } from "./tasks.ts";

/** A person is asked once whose an episode is that may be either patient's, if it would have been written else (clinical.md 8). */
const askAPerson = (state: GateState, { question, answers }: Verdict, out: GateOut): void => {
  const refused = answers.find(({ gate }) => gate === "validatedPatient");
  const crossed = answers.some(({ gate, passed }) => gate === "approvedThreshold" && passed);
  const { candidate, at } = question;
  const cell = `asked/${candidate.episode.identity}`;
  if (refused?.reason !== "time-ambiguous" || !crossed || state.get(cell) !== undefined) return;
  state.set(cell, { kind: "asked", at });
  out.emit("tasks", candidate.patientKey, reviewTask(candidate, refused.detail, at));
};

/** The last of a ledger's other Observations that stands. */
const otherStanding = (state: GateState, ledger: ceiling.Ledger, identity: string): Candidate | null => {
  const others = ledger.admitted
    .filter((one) => one !== identity)
    .map((one) => writtenOf(state, ledger.destination, one))
    .filter(stands);
  return others.at(-1)?.candidate ?? null;
};

/** Out of its ledger: it counts no longer, and tells of no folded episodes. */
export const withdraw = (
  state: GateState,
  name: string,
  { identity, at }: { readonly identity: string; readonly at: LogTime },
): void => {
  const ledger = ledgerOf(state, name);
  if (ledger === undefined) return;
  const next = ceiling.withdraw(ledger, identity, otherStanding(state, ledger, identity), at);
  state.set(name, next);
  lookNoLaterThan(state, ceiling.nextLook(next));
};

/** An episode of another patient's counts no longer among those that were folded here. */
const unfold = (state: GateState, destination: string, identity: string): void => {
  const name = ceiling.foldedCell(destination, identity);
  const mark = state.get(name);
  const ledger = mark?.kind === "folded" ? ledgerOf(state, mark.ledger) : undefined;
  if (mark?.kind !== "folded" || ledger === undefined) return;
  state.delete(name);
  const next = ceiling.unfold(ledger, marksOf(state, mark.ledger));
  state.set(mark.ledger, next);
  lookNoLaterThan(state, ceiling.nextLook(next));
};

/** The same resource, in its next revision, entered in error. */
export const enterInError = (
  state: GateState,
  written: Written,
  wrong: Objection,
  { revision, transform, at }: Pick<Verdict["question"], "revision" | "transform" | "at">,
  out: GateOut,
): void => {
  const { identity, destination, patientKey } = written.intent;
  const taken = retractionOf(written, { revision, reason: `Entered in error: ${wrong.detail}`, transform, at });
  out.emit("outbox", patientKey, taken.intent);
  state.set(writtenCell(destination, identity), taken.written);
  lookNoLaterThan(state, writtenForgottenAt(taken.written) ?? Number.POSITIVE_INFINITY);
};

/** What was written, and how is not remembered: by the gates' first version, or too long ago. A person has to take it out, and is told once. */
const giveToAPerson = (
  state: GateState,
  { candidate, destination, at }: Verdict["question"],
  wrong: Objection,
  out: GateOut,
): void => {
  const { identity } = candidate.episode;
  const isAdmitting = (cell: Cell): cell is ceiling.Ledger =>
    cell.kind === "ledger" && cell.destination === destination.name && cell.admitted.includes(identity);
  const [name] = [...state.cells()].find(([, cell]) => isAdmitting(cell)) ?? [];
  if (name === undefined) return;
  out.emit("tasks", candidate.patientKey, unretractableTask(candidate, destination.name, wrong, at));
  withdraw(state, name, { identity, at });
};

/** After the decision that refuses. What stands stays where identity was not the reason; it is known in its newest form then. */
export const afterRefusal = (state: GateState, verdict: Verdict, out: GateOut): void => {
  askAPerson(state, verdict, out);
  const { candidate, destination, revision, transform, at } = verdict.question;
  const { identity } = candidate.episode;
  const written = writtenOf(state, destination.name, identity);
  const wrong = wrongBecause(candidate, destination.mergedPatients ?? "leave") ?? tellsTooMuch(written, candidate);
  if (wrong === null) {
    if (stands(written)) learn(state, written, candidate);
    return;
  }
  unfold(state, destination.name, identity);
  if (written === undefined) giveToAPerson(state, verdict.question, wrong, out);
  if (!stands(written)) return;
  enterInError(state, written, wrong, { revision, transform, at }, out);
  withdraw(state, written.ledger, { identity, at });
  // A merged patient is the same person: nobody saw another's data.
  if (wrong.reason === "patient-merged") return;
  for (const task of correctionTasks(written, candidate, wrong, { revision, at }))
    out.emit("tasks", task.patientKey, task);
};

/** The link of what stands, as it is known now: an amendment must be judged by it. */
export const learn = (state: GateState, written: Written, candidate: Candidate): void => {
  state.set(writtenCell(written.intent.destination, written.intent.identity), { ...written, candidate });
  const ledger = ledgerOf(state, written.ledger);
  const next = ledger && ceiling.refreshed(ledger, candidate);
  if (next !== undefined && next !== ledger) state.set(written.ledger, next);
};
