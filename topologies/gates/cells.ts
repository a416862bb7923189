/** What the gates keep of one patient, by cell, and the names of their outputs. */
import type { Out, State } from "../../streams/core/stage.ts";
import { logTime } from "../../streams/core/time.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../schemas/records/consent.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { clinicalQuarantine, decisions, outbox, tasks } from "../../schemas/topics.ts";
import type { Sources } from "../precedence.ts";
import type * as ceiling from "./ceiling.ts";
import type { Pending } from "./pending.ts";
import type { Chart } from "./promotable.ts";
import { type Written, writtenCell } from "./retraction.ts";

export const writes = { decisions, outbox, tasks, quarantine: clinicalQuarantine };

/** That a person was asked about an episode, since this log time. */
export interface Asked {
  readonly kind: "asked";
  readonly at: number;
}

/** What consents and overrides are read from, each by its kind and id. */
export type ConsentRecord = Consent | FhirConsent | AccessOverride;
export const consentCell = ({ kind, id }: ConsentRecord): string => `${kind}/${id}`;

/**
 * The patient, the consents and overrides by id, what waits for one, the ledgers of the ceilings, the episodes folded under them, what was
 * written, what a person was asked.
 */
export type Cell = Patient | ConsentRecord | Pending | ceiling.Ledger | ceiling.Folded | Written | Asked | Sources;
export type GateState = State<Cell>;
export type GateOut = Out<typeof writes>;

export const chartOf = (state: GateState): Chart => {
  const all = [...state.cells()].map(([, cell]) => cell);
  return {
    patient: all.find((c) => c.kind === "patient"),
    consents: all.filter((c) => c.kind === "consent" || c.kind === "fhirConsent"),
    overrides: all.filter((c) => c.kind === "accessOverride"),
  };
};

export const writtenOf = (state: GateState, destination: string, identity: string): Written | undefined => {
  const cell = state.get(writtenCell(destination, identity));
  return cell?.kind === "written" ? cell : undefined;
};

export const ledgerOf = (state: GateState, name: string): ceiling.Ledger | undefined => {
  const cell = state.get(name);
  return cell?.kind === "ledger" ? cell : undefined;
};

export const lookNoLaterThan = (state: GateState, at: number): void => {
  if (state.dueAt === null || at < state.dueAt) state.dueAt = logTime(at);
};

/** Of every episode that is folded under a ledger. */
export const marksOf = (state: GateState, ledger: string): readonly ceiling.Folded[] =>
  [...state.cells()].flatMap(([, cell]) => (cell.kind === "folded" && cell.ledger === ledger ? [cell] : []));
