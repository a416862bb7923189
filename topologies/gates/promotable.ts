/**
 * Asks all gates, each whatever the others say, and gives the only thing that an intent can be made of: a Promotable.
 * Nothing else can make one, so nothing reaches an outbox past the gates.
 */
import { type Disclosed, disclosedBy, disclosuresOf, type Hop } from "../../schemas/fhir/consent-question.ts";
import type { Zones } from "../../schemas/fhir/moment.ts";
import { systems } from "../../schemas/fhir/systems.ts";
import {
  type Candidate,
  type Decision,
  type GateAnswer,
  type Intent,
  writesAlone,
} from "../../schemas/records/clinical.ts";
import type { Patient, PatientIdentity } from "../../schemas/records/roster.ts";
import type { LogTime } from "../../streams/core/time.ts";
import type { PrecedencePolicy } from "../precedence/policy.ts";
import type { ScorePolicy } from "../scores/policy.ts";
import { type ApprovalPolicy, approvedThreshold } from "./approved-threshold.ts";
import type { ConsentEvidence } from "./consented.ts";
import { consentedAll } from "./consented-all.ts";
import { identityAt, patientAt } from "./identity.ts";
import { type MergedPatients, validatedPatient } from "./validated-patient.ts";
import { intended, type Promotion, wellFormed } from "./well-formed.ts";

/** A hop, as consents are asked about it, and the destination's own policy. */
export interface Destination extends Hop {
  /** True: an episode that has ended is written as final; false: it stays preliminary until a person validates it (clinical.md 21). */
  readonly finalAtEnd: boolean;
  /** What becomes of a merged patient's earlier events there; they are left where they are unless told otherwise. */
  readonly mergedPatients?: MergedPatients;
  /** True: it keeps no FHIR resources and knows patients by identifier alone (HL7v2, an API of its own). */
  readonly byIdentifier?: boolean;
}

export interface GatePolicy extends ApprovalPolicy {
  readonly destinations: readonly Destination[];
  /** How near an association's edge a sample's time is ambiguous (clinical.md 8), at least: a device whose clock is worse has its own. */
  readonly clockUncertaintyMs: number;
  /** Where dates without a zone are written, in consents; anywhere unless told otherwise. */
  readonly zones?: Zones | undefined;
  /** How long after a refusal a consent may still become known (gates/pending.ts); a day unless told otherwise. */
  readonly pendingMs?: number | undefined;
  /** Which of several sources is charted; without one the gate `precedence` is not asked. */
  readonly precedence?: PrecedencePolicy | null;
  /** What is scored and reported, over the precedence policy's quantities; without one nothing is. */
  readonly scores?: ScorePolicy | null;
}

/** What is known of the patient when a candidate is judged. */
export interface Chart extends ConsentEvidence {
  readonly patient: Patient | undefined;
}

/** One question to the gates: may this be written there, in this form, at this log time? */
export interface Question {
  readonly candidate: Candidate;
  readonly destination: Destination;
  readonly revision: number;
  readonly status: "preliminary" | "final" | "amended";
  readonly transform: string;
  readonly note: string | null;
  /** True: this destination has it of this patient already. */
  readonly stands: boolean;
  /** The answer of the gate `precedence`; null: no policy is in force. */
  readonly preferred: GateAnswer | null;
  readonly at: LogTime;
}

declare const allGatesPassed: unique symbol;
export interface Promotable {
  readonly [allGatesPassed]: true;
  readonly question: Question;
  readonly promotion: Promotion;
  readonly patient: PatientIdentity;
}

export interface Verdict {
  readonly question: Question;
  readonly answers: readonly GateAnswer[];
  /** Null where any gate refused. */
  readonly promotable: Promotable | null;
}

/** An open episode is covered from its onset to the sample that is told; an ended one to its end. */
const eventTimes = ({ episode }: Candidate): readonly number[] => [
  episode.start,
  episode.qualifyingAt,
  ...(episode.end === null ? [] : [episode.end]),
];

/** What consents are asked about: what is written, as far as it can be; else an Observation with the episode's code. */
const disclosedOf = ({ loinc }: Candidate["episode"], promotion: Promotion | null): [Disclosed, ...Disclosed[]] =>
  promotion === null
    ? [
        disclosedBy({
          resourceType: "Observation",
          code: { coding: loinc === null ? [] : [{ system: systems.loinc, code: loinc }] },
        }),
      ]
    : disclosuresOf(promotion.resource, promotion.beside);

export const judge = (question: Question, chart: Chart, policy: GatePolicy): Verdict => {
  const { candidate, destination, stands } = question;
  const { mergedPatients = "leave" } = destination;
  const patient = chart.patient && identityAt(chart.patient, destination);
  const asThere = chart.patient && patientAt(chart.patient, destination);
  const { episode, association } = candidate;
  const { gate, promotion } = wellFormed({ ...question, episode, association, patient: asThere });
  const { clockUncertaintyMs } = policy;
  const answers = [
    approvedThreshold(candidate, policy),
    gate,
    validatedPatient(candidate, {
      patient: chart.patient,
      destination,
      clockUncertaintyMs,
      mergedPatients,
      stands,
    }),
    consentedAll(
      chart,
      disclosedOf(episode, promotion),
      { hop: destination, eventTimes: eventTimes(candidate), now: question.at },
      { zones: policy.zones },
    ),
    ...(question.preferred === null ? [] : [question.preferred]),
  ];
  const passed = promotion !== null && patient !== undefined && answers.every((a) => a.passed);
  return { question, answers, promotable: passed ? ({ question, promotion, patient } as Promotable) : null };
};

/** The same verdict with one gate's refusal put in: what passed no longer does. */
export const overrule = (verdict: Verdict, refusal: GateAnswer): Verdict => ({
  question: verdict.question,
  answers: verdict.answers.map((a) => (a.gate === refusal.gate ? refusal : a)),
  promotable: null,
});

export const decisionOf = ({ question, answers, promotable }: Verdict): Decision => {
  const { episode, patientKey } = question.candidate;
  return {
    kind: "decision",
    identity: episode.identity,
    revision: question.revision,
    patientKey,
    device: episode.device,
    metric: episode.metric,
    ruleId: episode.rule.id,
    ruleVersion: episode.rule.version,
    destination: question.destination.name,
    episodeStart: episode.start,
    promoted: promotable !== null,
    answers,
    at: question.at,
  };
};

export const intentOf = ({ question, promotion, patient }: Promotable): Intent => ({
  kind: "intent",
  ...writesAlone,
  identity: question.candidate.episode.identity,
  revision: question.revision,
  patientKey: question.candidate.patientKey,
  destination: question.destination.name,
  ...intended(promotion),
  patient,
  at: question.at,
});
