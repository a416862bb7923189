/**
 * Asks the gates about a report as they are asked about an episode: a named person approved that such reports are written, it is valid,
 * it is this patient's by confirmed links, and consents cover what it was made of, and now (clinical.md 19, 20, 23).
 */
import { type Disclosed, disclosedBy, disclosuresOf } from "../../schemas/fhir/consent-question.ts";
import { disclosureOf } from "../../schemas/fhir/disclosure.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { WrittenReport } from "../../schemas/fhir/report.ts";
import { dialysisReportOf } from "../../schemas/fhir/report-dialysis.ts";
import { news2ReportOf } from "../../schemas/fhir/report-news2.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Decision, GateAnswer, Intent } from "../../schemas/records/clinical.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import type { DialysisSession, News2 } from "../../schemas/scores.ts";
import type { Result } from "../../streams/core/failure.ts";
import { eventTime, type LogTime } from "../../streams/core/time.ts";
import { answer, type Objection, objection, objections } from "../gates/answer.ts";
import type { Attributed } from "../gates/attribution.ts";
import { consentedAll } from "../gates/consented-all.ts";
import { identityAt, patientAt } from "../gates/identity.ts";
import type { Chart, Destination, GatePolicy } from "../gates/promotable.ts";
import { validatedPatient } from "../gates/validated-patient.ts";
import { checkResource, intended, type Promotion } from "../gates/well-formed.ts";

export type Facts = DialysisSession | News2;

/** What a report is told by: its own "rule", whose approval is the score policy's. */
export type ReportRule = Pick<Rule, "id" | "version" | "approval">;

export interface ReportQuestion {
  readonly facts: Facts;
  readonly rule: ReportRule;
  readonly destination: Destination;
  readonly revision: number;
  readonly status: "final" | "amended";
  readonly transform: string;
  /** Everything measured that it was made of, with the link of each. */
  readonly parts: readonly Attributed[];
  /** Identities of what it was made of. */
  readonly inputs: readonly string[];
  /** True: the destination has it already. */
  readonly stands: boolean;
  /** Who took it back there by a reviewed correction; null: nobody. */
  readonly correctedBy: string | null;
  /** Why it is too many of its kind; null: it is not. */
  readonly ceiling: string | null;
  readonly at: LogTime;
}

export interface ReportVerdict {
  readonly question: ReportQuestion;
  readonly answers: readonly GateAnswer[];
  readonly intent: Intent | null;
}

const timesOf = (facts: Facts): readonly number[] =>
  facts.kind === "dialysisSession" ? [facts.start, facts.end] : [facts.at, ...facts.parts.map(({ at }) => at)];

const approved = ({ rule, ceiling, facts, correctedBy }: ReportQuestion, policy: GatePolicy): GateAnswer => {
  const named = `${rule.id} version ${rule.version}`;
  const { approval } = rule;
  const [first = 0] = timesOf(facts);
  if (approval === null || approval.by.trim() === "") {
    const detail = `${named} is approved by nobody: an example until a clinician approves it`;
    return answer("approvedThreshold", [objection("report-unapproved", detail)], "");
  }
  const found = objections(
    approval.at > first &&
      objection("report-approved-later", `${named} was approved at ${utcInstant(approval.at)}, after what it tells of`),
    approval.demo &&
      !policy.acceptDemoApprovals &&
      objection("approval-demo", `the approval of ${named} by ${approval.by} is a demo ward's`),
    correctedBy !== null &&
      objection("retracted-by-correction", `${correctedBy} took it back: nothing is told over a reviewed correction`),
    ceiling !== null && objection("ceiling-folded", ceiling),
  );
  return answer("approvedThreshold", found, `${named}, approved by ${approval.by}`);
};

const resourceOf = (question: ReportQuestion, patient: Patient): Result<WrittenReport> => {
  const { facts, status, transform, rule, revision, at } = question;
  const frame = { patient, status, transform, rule: `${rule.id}@${rule.version}`, at };
  return facts.kind === "news2"
    ? news2ReportOf({ ...frame, facts: { ...facts, revision } })
    : dialysisReportOf({ ...frame, facts: { ...facts, revision } });
};

const promotionOf = (question: ReportQuestion, written: WrittenReport): Promotion => {
  const { rule, destination, revision, transform, inputs, stands, at, parts } = question;
  const association = parts[0]?.association ?? null;
  const disclosure = disclosureOf({
    written,
    destination: destination.name,
    purpose: destination.purpose ?? null,
    revision,
    activity: stands ? "update" : "create",
    at,
    transform,
    rule,
    inputs,
    association,
  });
  return { resource: written.resource, ...disclosure };
};

/** Reasons: `not-evaluated`, those of the report's builder (`news2-partial`, `session-empty`, ...), `shape`. */
const wellFormed = (
  question: ReportQuestion,
  patient: Patient | undefined,
): { readonly gate: GateAnswer; readonly promotion: Promotion | null } => {
  const refusal = (found: Objection) => ({ gate: answer("wellFormed", [found], ""), promotion: null });
  if (patient === undefined) return refusal(objection("not-evaluated", "no patient to build the report for"));
  const written = resourceOf(question, patient);
  if (!written.ok) return refusal(objection(written.problem.reason, written.problem.detail));
  const promotion = promotionOf(question, written.value);
  const all = [promotion.resource, ...promotion.beside, promotion.audit];
  const shape = all.flatMap(checkResource).map((problem) => objection("shape", problem));
  const gate = answer("wellFormed", shape, "a well-formed DiagnosticReport");
  return { gate, promotion: gate.passed ? promotion : null };
};

/** Each part must be this patient's; the first that is not speaks for all. */
const validated = (question: ReportQuestion, chart: Chart, { clockUncertaintyMs }: GatePolicy): GateAnswer => {
  const { parts, destination, stands } = question;
  const asked = {
    patient: chart.patient,
    destination,
    clockUncertaintyMs,
    mergedPatients: destination.mergedPatients ?? "leave",
    stands,
  } as const;
  const answers = parts.map((part) => validatedPatient(part, asked));
  const refused = answers.find(({ passed }) => !passed) ?? answers[0];
  if (refused !== undefined) return refused;
  return answer("validatedPatient", [objection("no-association", "nothing in it was measured under a link")], "");
};

/** Reasons of the first gate: `report-unapproved`, `report-approved-later`, `approval-demo`, `retracted-by-correction`, `ceiling-folded`. */
export const judgeReport = (question: ReportQuestion, chart: Chart, policy: GatePolicy): ReportVerdict => {
  const { destination, facts, at } = question;
  const patient = chart.patient && identityAt(chart.patient, destination);
  const asThere = chart.patient && patientAt(chart.patient, destination);
  const { gate, promotion } = wellFormed(question, asThere);
  const disclosed: [Disclosed, ...Disclosed[]] =
    promotion === null
      ? [disclosedBy({ resourceType: "DiagnosticReport" })]
      : disclosuresOf(promotion.resource, promotion.beside);
  const asked = { hop: destination, eventTimes: timesOf(facts), now: at };
  const answers = [
    approved(question, policy),
    gate,
    validated(question, chart, policy),
    consentedAll(chart, disclosed, asked, { zones: policy.zones }),
  ];
  const passed = promotion !== null && patient !== undefined && answers.every((a) => a.passed);
  const intent: Intent | null = !passed
    ? null
    : {
        kind: "intent",
        identity: facts.identity,
        revision: question.revision,
        patientKey: facts.patientKey,
        destination: destination.name,
        ...intended(promotion),
        action: "write",
        patient,
        resentBy: null,
        at,
      };
  return { question, answers, intent };
};

export const decisionOfReport = ({ question, answers, intent }: ReportVerdict): Decision => {
  const { facts, rule, revision, destination, at } = question;
  return {
    kind: "decision",
    identity: facts.identity,
    revision,
    patientKey: facts.patientKey,
    device: facts.kind === "dialysisSession" ? facts.device : "",
    metric: facts.kind,
    ruleId: rule.id,
    ruleVersion: rule.version,
    destination: destination.name,
    episodeStart: eventTime(facts.kind === "dialysisSession" ? facts.start : facts.at),
    promoted: intent !== null,
    answers,
    at,
  };
};
