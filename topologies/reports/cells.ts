/** What the reports' stage keeps of one patient, by cell. */
import type { Out, State } from "../../streams/core/stage.ts";
import type { Intent, Observed } from "../../schemas/records/clinical.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../schemas/records/consent.ts";
import type { Association, Patient } from "../../schemas/records/roster.ts";
import type { DialysisSession } from "../../schemas/scores.ts";
import { clinicalQuarantine, decisions, outbox, tasks } from "../../schemas/topics.ts";
import type { Attributed } from "../gates/attribution.ts";
import type { Chart } from "../gates/promotable.ts";
import type { Sources } from "../precedence.ts";
import type { Facts, ReportRule } from "./judge.ts";

export const writes = { decisions, outbox, tasks, quarantine: clinicalQuarantine };

/** What people and the EHR say of him: of each the newest word of each who says it. */
export interface Said {
  readonly kind: "said";
  readonly all: readonly Observed[];
}

/** How the patient's NEWS2 went. */
export interface Course {
  readonly kind: "course";
  /** The last score that was recorded, in words, and its total. */
  readonly words: string;
  readonly total: number | null;
  /** The greatest total that was reported since he was last well for a while; null: none. */
  readonly reported: number | null;
  /** Log time since which the total has been below what is reported. */
  readonly belowSince: number | null;
  /** Reports of this UTC day. */
  readonly day: string;
  readonly ofDay: number;
}

/** A session that was told, for as long as its laboratory values may come. */
export interface Told {
  readonly kind: "told";
  readonly session: DialysisSession;
  readonly at: number;
}

/** What a report is made of. */
export interface Draft {
  readonly facts: Facts;
  readonly rule: ReportRule;
  readonly parts: readonly Attributed[];
  readonly inputs: readonly string[];
}

/** A report that went to a destination. */
export interface WrittenReport extends Draft {
  readonly kind: "report";
  readonly intent: Intent;
  /** Log time since which it can be seen there. */
  readonly since: number;
  readonly retracted: boolean;
  /** A revision before this one went there. */
  readonly earlier?: boolean;
  /** This revision was withheld at the moment of writing. */
  readonly withheld?: boolean;
  /** Log time since which one was, again and again. */
  readonly withheldSince?: number;
  /** Who took it back by a reviewed correction: nothing is told over that. */
  readonly correctedBy?: string;
}

/** A report that only consent kept from a destination. */
export interface Waiting extends Draft {
  readonly kind: "waiting";
  readonly ceiling: string | null;
  readonly destination: string;
  /** Log time of the first refusal. */
  readonly since: number;
  readonly reason: string;
  /** Log time before which only a new consent lets it be tried again: it was withheld at the moment of writing. */
  readonly notBefore?: number;
}

export type Cell =
  | Patient
  | Consent
  | FhirConsent
  | AccessOverride
  | Association
  | Sources
  | Said
  | Course
  | Told
  | WrittenReport
  | Waiting;
export type ReportState = State<Cell>;
export type ReportOut = Out<typeof writes>;

export const patientOf = (state: ReportState): Patient | undefined => {
  const cell = state.get("patient");
  return cell?.kind === "patient" ? cell : undefined;
};

export const chartOf = (state: ReportState): Chart => {
  const all = [...state.cells()].map(([, cell]) => cell);
  return {
    patient: patientOf(state),
    consents: all.filter((c) => c.kind === "consent" || c.kind === "fhirConsent"),
    overrides: all.filter((c) => c.kind === "accessOverride"),
  };
};

export const linkOf = (state: ReportState, id: string | null): Association | null => {
  const cell = id === null ? undefined : state.get(`link/${id}`);
  return cell?.kind === "association" ? cell : null;
};

export const saidOf = (state: ReportState): readonly Observed[] => {
  const cell = state.get("said");
  return cell?.kind === "said" ? cell.all : [];
};

export const reportCell = (destination: string, identity: string): string =>
  `report/${JSON.stringify([destination, identity])}`;

export const reportIn = (state: ReportState, destination: string, identity: string): WrittenReport | undefined => {
  const cell = state.get(reportCell(destination, identity));
  return cell?.kind === "report" ? cell : undefined;
};

/** Anything of it ever went there, as far as we know. */
export const wasThere = (report: WrittenReport): boolean => report.withheld !== true || report.earlier === true;

/** It is there, and not in error. */
export const mayStand = (report: WrittenReport | undefined): report is WrittenReport =>
  report !== undefined && !report.retracted && wasThere(report);
