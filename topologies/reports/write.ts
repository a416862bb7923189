/** Judges a report for one destination, writes what passed, and takes back what turns out to be another patient's. */
import { retractionOf } from "../../schemas/fhir/retraction.ts";
import type { Intent, Task } from "../../schemas/records/clinical.ts";
import { contentHash } from "../../streams/core/hash.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { writtenKeptMs } from "../correctable.ts";
import { type Attributed, attributionObjections } from "../gates/attribution.ts";
import { identityAt } from "../gates/identity.ts";
import type { Destination, GatePolicy } from "../gates/promotable.ts";
import { isOther } from "../gates/strayed.ts";
import {
  chartOf,
  linkOf,
  mayStand,
  type Draft,
  patientOf,
  reportCell,
  reportIn,
  type ReportOut,
  type ReportState,
  wasThere,
  type WrittenReport,
} from "./cells.ts";
import { judgeReport, type ReportVerdict } from "./judge.ts";

export interface Telling extends Draft {
  readonly ceiling: string | null;
  readonly transform: string;
  readonly now: LogTime;
}

/** As its links are known now. What was told of a patient who was merged into another stays his: it is the same person. */
const today = (state: ReportState, part: Attributed): Attributed => {
  const association = part.association === null ? null : (linkOf(state, part.association.id) ?? part.association);
  if (association === null || association.patientKey === part.patientKey || association.mergedFrom !== part.patientKey)
    return { ...part, association };
  const { cause, patientKey } = association;
  return { ...part, association, correction: { why: "merge", cause, otherPatientKey: patientKey } };
};

const [amended, final] = ["amended", "final"] as const;

/** True: it was written under an identity that is not the patient's there any more, and so as another resource. */
export const isElsewhere = ({ intent }: WrittenReport, state: ReportState, destination: Destination): boolean => {
  const patient = patientOf(state);
  const known = patient && identityAt(patient, destination);
  return known !== undefined && intent.patient !== null && isOther(intent.patient, known);
};

export const judgeFor = (
  state: ReportState,
  telling: Telling,
  destination: Destination,
  policy: GatePolicy,
): ReportVerdict => {
  const { facts, now } = telling;
  const known = reportIn(state, destination.name, facts.identity);
  const question = {
    ...telling,
    parts: telling.parts.map((part) => today(state, part)),
    destination,
    revision: known === undefined ? facts.revision : Math.max(facts.revision, known.intent.revision + 1),
    status: known !== undefined && wasThere(known) && !isElsewhere(known, state, destination) ? amended : final,
    stands: mayStand(known),
    correctedBy: known?.correctedBy ?? null,
    at: now,
  };
  return judgeReport(question, chartOf(state), policy);
};

/** What passed goes to the outbox, and is remembered for as long as it can be found wrong. */
export const writeReport = (
  state: ReportState,
  telling: Telling,
  { question, intent }: ReportVerdict,
  out: ReportOut,
): boolean => {
  if (intent === null) return false;
  const { facts, rule, parts, inputs, now } = telling;
  const { destination } = question;
  const known = reportIn(state, destination.name, facts.identity);
  out.emit("outbox", facts.patientKey, intent);
  state.set(reportCell(destination.name, facts.identity), {
    kind: "report",
    ...{ facts, rule, parts, inputs },
    intent: { ...intent, audit: null },
    since: mayStand(known) ? known.since : now,
    retracted: false,
    earlier: known !== undefined && wasThere(known),
    ...(known?.withheldSince !== undefined && { withheldSince: known.withheldSince }),
  });
  return true;
};

const taskOf = (report: WrittenReport, said: string, audience: "careTeam" | "privacy", at: LogTime): Task => {
  const { intent, facts, since } = report;
  const reason = audience === "privacy" ? "possible-breach" : "association-corrected";
  const { patientKey, identity } = facts;
  return {
    kind: "task",
    identity: contentHash("task", audience, reason, patientKey, intent.destination, identity, at).slice(0, 32),
    revision: 0,
    patientKey,
    audience,
    reason,
    detail: `${intent.resourceType}/${intent.resourceId} ${said}`,
    about: [identity],
    destination: intent.destination,
    visibleMs: at - since,
    at,
  };
};

/** People are told of what was taken back; of what was never there nobody is. */
export const tellPeople = (report: WrittenReport, said: string, now: LogTime, out: ReportOut): void => {
  if (!wasThere(report)) return;
  for (const audience of ["careTeam", "privacy"] as const)
    out.emit("tasks", report.facts.patientKey, taskOf(report, said, audience, now));
};

interface TakingBack {
  /** In words for whoever opens the chart; it names no other patient. */
  readonly why: string;
  readonly transform: string;
  readonly now: LogTime;
}

/** Above everything that was told of it. */
export const takeBack = (state: ReportState, report: WrittenReport, of: TakingBack, out: ReportOut): void => {
  const { intent: before, facts, rule, inputs, parts } = report;
  const revision = before.revision + 1;
  const association = parts[0]?.association ?? null;
  const why = { revision, reason: `Entered in error: ${of.why}`, transform: of.transform, at: of.now };
  const taken = retractionOf(before, { ...why, rule, inputs, association, purpose: null });
  const intent: Intent = {
    ...before,
    revision,
    resource: JSON.stringify(taken.resource),
    beside: taken.beside.map((one) => JSON.stringify(one)),
    audit: JSON.stringify(taken.audit),
    action: "retract",
    at: of.now,
  };
  out.emit("outbox", facts.patientKey, intent);
  const kept = { ...report, intent: { ...intent, audit: null }, retracted: true };
  state.set(reportCell(before.destination, facts.identity), kept);
};

/** What was derived follows what it was derived from (clinical.md 10): a link has turned out otherwise. */
export const takeBackWrong = (state: ReportState, transform: string, now: LogTime, out: ReportOut): void => {
  for (const [, report] of [...state.cells()]) {
    if (report.kind !== "report" || report.retracted) continue;
    const wrong = report.parts.flatMap((part) => attributionObjections(today(state, part)))[0];
    if (wrong === undefined) continue;
    takeBack(state, report, { why: wrong.detail, transform, now }, out);
    const said = `was made of what is not this patient's and is entered in error: ${wrong.detail}`;
    tellPeople(report, said, now, out);
  }
};

/** What can be found wrong no more, by its last change. */
export const forgetOldReports = (state: ReportState, now: LogTime): void => {
  for (const [name, cell] of [...state.cells()]) {
    if (cell.kind === "report" && cell.intent.at + writtenKeptMs <= now) state.delete(name);
    if (cell.kind === "association" && cell.to !== null && cell.to + writtenKeptMs <= now) state.delete(name);
  }
};
