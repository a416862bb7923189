/**
 * Decides what is promoted: asks the gates about each candidate, for each destination, and leaves one decision per
 * episode revision, with every gate's answer; what passes all of them becomes an intent in the outbox.
 */
import { stage } from "../streams/core/stage.ts";
import { events } from "../schemas/topics.ts";
import {
  type Cell,
  chartOf,
  consentCell,
  type ConsentRecord,
  type GateOut,
  type GateState,
  lookNoLaterThan,
  writes,
} from "./gates/cells.ts";
import * as ceiling from "./gates/ceiling.ts";
import { takeCorrection } from "./gates/correction.ts";
import { consentTask } from "./gates/consent-review.ts";
import { supersedes } from "./gates/consented.ts";
import { nextPendingLook, takeWithheld, usualPendingMs } from "./gates/pending.ts";
import { writtenKeptMs } from "./correctable.ts";
import { forgetLink, hearCandidate, hearValue } from "./gates/preferred-source.ts";
import type { GatePolicy } from "./gates/promotable.ts";
import { writtenForgottenAt } from "./gates/retraction.ts";
import { untoldFoldingTask } from "./gates/tasks.ts";
import { cellsOfVersion1 } from "./gates/version-1.ts";
import { type Asking, lookAtPending, lookAtStrayed, tell, transform, version, weigh } from "./gates/weigh.ts";

export type { GatePolicy } from "./gates/promotable.ts";
export { transform } from "./gates/weigh.ts";

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
