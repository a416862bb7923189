/** The clinical plane: what is offered to it, what people observed, what the gates decided, what is written where, and what people have to do. */
import {
  array,
  body,
  boolean,
  double,
  eventTime,
  instant,
  int,
  logTime,
  long,
  nullable,
  oneOf,
  record,
  string,
  type TypeOf,
  withDefault,
} from "../avro.ts";
import { association, patientIdentity } from "./roster.ts";
import { episode } from "./telemetry.ts";

/** Why an episode is offered otherwise than it was measured, or than it was offered before. */
const correction = record("Correction", {
  /** `link`: the association turned out otherwise; `merge`: the patient's record was merged with another (A40). */
  why: oneOf("CorrectionWhy", "link", "merge"),
  /** What made it, in words: the association's own. */
  cause: string,
  /** Under the old patient whose it is now, under the right one whose it was held to be. Null: nobody else's. */
  otherPatientKey: nullable(string),
});
export type Correction = TypeOf<typeof correction>;

/** An episode offered to the clinical plane, with the association that was in force. */
export const candidate = body("candidate", {
  episode,
  patientKey: string,
  /** This patient's link in force at the episode's start, as the device's own log had it; null: none. */
  association: nullable(association),
  /** Further links of the device that were in force within the episode, this patient's or another's. */
  alongside: withDefault(array(association), []),
  /** Null: it is offered as it was measured. */
  correction: withDefault(nullable(correction), null),
  /** The patient's link ended inside the episode: this is what was known when it qualified. */
  cut: withDefault(boolean, false),
});
export type Candidate = TypeOf<typeof candidate>;

/** What a reviewed correction (clinical.md 24) put into the outbox past the gates, so that they count on from its revision. */
export const corrected = body("corrected", {
  identity: string,
  revision: int,
  patientKey: string,
  destination: string,
  action: oneOf("CorrectedAction", "amend", "retract"),
  by: string,
  reason: string,
});
export type Corrected = TypeOf<typeof corrected>;

/** Something that a person must do or judge in the clinical plane (clinical.md 10). */
export const task = body("task", {
  identity: string,
  revision: int,
  patientKey: string,
  audience: oneOf("TaskAudience", "careTeam", "privacy", "records", "integration"),
  /** A stable code: `association-corrected`, `possible-breach`, `values-irreconcilable`, `time-ambiguous`, `consent-review`, `not-retractable`. */
  reason: string,
  detail: string,
  /** Identities of the events that it is about. */
  about: array(string),
  destination: nullable(string),
  /** How long wrong data could be seen there; null: does not apply. */
  visibleMs: nullable(long),
  at: logTime,
});
export type Task = TypeOf<typeof task>;

/**
 * A minute's value of one of a patient's devices, under a link that a person had confirmed: what precedence and scores look at.
 * Only metrics that one of them names cross to this plane.
 */
export const windowValue = body("windowValue", {
  patientKey: string,
  association: string,
  associationRevision: int,
  device: string,
  channel: string,
  metric: string,
  ucum: string,
  /** Of the minute, and which revision of it. */
  start: eventTime,
  revision: int,
  mean: double,
  last: double,
  lastAt: eventTime,
  /** `questionable` where at least half of its samples were. */
  validity: oneOf("WindowValidity", "valid", "questionable"),
  /** The class of source that the precedence policy sees in it, e.g. "arterialLine". */
  source: string,
});
export type WindowValue = TypeOf<typeof windowValue>;

/** What a person or the EHR says of a patient, for no device measures it. Each stands until its freshness is over or another comes. */
export const observed = body("observed", {
  patientKey: string,
  what: oneOf(
    "ObservedWhat",
    "oxygen",
    "consciousness",
    "spo2Scale",
    "pregnant",
    "ureaBefore",
    "ureaAfter",
    "weightAfter",
  ),
  /**
   * oxygen: air, oxygen · consciousness: A, C, V, P, U · spo2Scale: 1, 2 (an order) · pregnant: yes, no · of a dialysis session: the
   * blood's urea before and after, and the weight after, as decimals of `ucum`.
   */
  value: string,
  ucum: withDefault(nullable(string), null),
  /** The named person, or the record it was read from. */
  by: string,
  at: instant,
});
export type Observed = TypeOf<typeof observed>;

/** From which source a chart takes a quantity from now on, and why (clinical.md 14: never what alarms). */
export const sourceChosen = body("sourceChosen", {
  patientKey: string,
  quantity: string,
  /** As metric/device/channel. */
  source: string,
  previous: nullable(string),
  /** `first-known`, `preferred-steady`, `previous-stale`, `previous-gone`. */
  reason: string,
  detail: string,
  policyVersion: int,
  at: logTime,
});

export const gateAnswer = record("GateAnswer", {
  gate: oneOf("Gate", "approvedThreshold", "wellFormed", "validatedPatient", "consented", "precedence"),
  passed: boolean,
  /** "passed" or a stable code such as `rule-unapproved`, `association-unconfirmed`, `consent-denied`. */
  reason: string,
  detail: string,
});
export type GateAnswer = TypeOf<typeof gateAnswer>;

/** What the gates said of one candidate, all of it. */
export const decision = body("decision", {
  identity: string,
  revision: int,
  patientKey: string,
  device: string,
  metric: string,
  ruleId: string,
  ruleVersion: int,
  destination: string,
  episodeStart: eventTime,
  promoted: boolean,
  answers: array(gateAnswer),
  at: logTime,
});
export type Decision = TypeOf<typeof decision>;

/** What is to be written where. Only the gates make one. */
export const intent = body("intent", {
  identity: string,
  revision: int,
  patientKey: string,
  destination: string,
  resourceType: string,
  resourceId: string,
  /** The FHIR resource as JSON, keys in a fixed order. */
  resource: string,
  at: logTime,
  /** `retract`: `resource` is entered in error and replaces what was written; needs no consent, for it discloses nothing (clinical.md 10). */
  action: withDefault(oneOf("IntentAction", "write", "retract"), "write"),
  /** Further resources of the same disclosure, each with an id of its own, as JSON: Provenance; what a report refers to. */
  beside: withDefault(array(string), []),
  /** The AuditEvent of this disclosure as JSON; null: none was made (earlier versions). */
  audit: withDefault(nullable(string), null),
  /** The patient as this destination knows him; null: as the resource's subject says. */
  patient: withDefault(nullable(patientIdentity), null),
  /** The named person who asked for it once more after it was parked; null: the gates. */
  resentBy: withDefault(nullable(string), null),
});
export type Intent = TypeOf<typeof intent>;

/** Of an intent that writes one resource and nothing beside it. */
export const writesAlone = { action: "write", beside: [], audit: null, patient: null, resentBy: null } as const;

/** What a destination answered. */
export const delivery = body("delivery", {
  identity: string,
  revision: int,
  patientKey: string,
  destination: string,
  resourceType: string,
  resourceId: string,
  /** `refused`: for good, it is parked until a named person has it sent again or drops it (`dropped`). */
  outcome: oneOf("DeliveryOutcome", "written", "alreadyThere", "withheld", "refused", "dropped"),
  /** HTTP status, or why it was withheld. */
  detail: string,
  versionId: nullable(string),
  /** The named person who dropped it; null: the destination's own answer. */
  by: withDefault(nullable(string), null),
  /** The intent's AuditEvent where something was disclosed (`written`; `alreadyThere` where a try that left no delivery did it), for the audit repository; null: nothing was. */
  audit: withDefault(nullable(string), null),
});
export type Delivery = TypeOf<typeof delivery>;
