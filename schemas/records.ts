/**
 * What each topic carries: one declaration gives the Avro schema and the TypeScript type.
 * Names are the vocabulary of docs/design.md. Times are integer milliseconds; each says whose.
 */
import {
  array,
  body,
  type BodyField,
  boolean,
  bytes,
  deviceTime,
  double,
  eventTime,
  instant,
  int,
  logTime,
  long,
  nullable,
  oneOf,
  receivedTime,
  record,
  string,
  type TypeOf,
  withDefault,
} from "./avro.ts";
import { priority } from "./priority.ts";

/** How far a device's clock may be off where the roster says nothing else. */
export const usualClockUncertaintyMs = 2_000;

/** How long a device may measure nothing and its confirmed link still count, where the roster says nothing else (docs/clinical.md). */
export const usualLinkGapMs = 3_600_000;

// ---- broadcast: on every partition, forwarded by every stage ----

/** A second of log time has passed. */
export const tick = body("tick", {});
export type Tick = TypeOf<typeof tick>;

/** The first record of a raw partition that runs at speed k (tests, demos, recordings). */
export const origin = body("origin", { originMs: long, speed: double });

const approval = record("Approval", {
  by: string,
  at: instant,
  /** True where a demo ward approved its own example rules; never true in a hospital. */
  demo: boolean,
});

/** A threshold rule as data. Crossing is judged on one metric; `clear` is the limit that ends it (hysteresis). */
export const rule = record("Rule", {
  id: string,
  version: int,
  title: string,
  metric: string,
  ucum: string,
  /** `indeterminateZero` holds while the metric is a zero that no evidence explains (clinical.md 1). */
  when: oneOf("RuleWhen", "above", "below", "equals", "indeterminateZero"),
  limit: double,
  /** The value must come back past this to end; null: the limit itself. */
  clear: nullable(double),
  /** How long the crossing must last before an episode starts, and the return before it ends. */
  minimumMs: long,
  clearMs: long,
  priority,
  /** FHIR interpretation LL/HH instead of L/H: only where the approval says critical (clinical.md 21). */
  critical: boolean,
  ageBand: oneOf("AgeBand", "adult", "child", "neonate"),
  /** Units the rule is for; empty: all. */
  units: array(string),
  /** Promotions per rule and bed-day above which further episodes are folded into one (clinical.md 22). */
  ceilingPerDay: int,
  /** A limit without delay that ends at a missing sample: refused outside tests. */
  plain: boolean,
  /** Null: the rule shows on the board and is never promoted. */
  approval: nullable(approval),
});
export type Rule = TypeOf<typeof rule>;

/** The whole rule set in force from a log time on. */
export const rules = body("rules", { version: int, effectiveFrom: logTime, rules: array(rule) });
export type Rules = TypeOf<typeof rules>;

// ---- about a device: from the roster, in the device's own log ----

/** What the platform knows of a device; a device without it is unknown and its readings are quarantined. */
const deviceFields = {
  device: string,
  model: string,
  serial: nullable(string),
  unit: string,
  /** How far the clock may be off before a correction is applied; 2,000 unless told otherwise. */
  clockUncertaintyMs: long,
  /** Silent after this long without a usable measurement (clinical.md 5). */
  silentAfterMs: long,
  version: int,
};
/** May be left out, and is then null. */
const deviceParticulars = {
  firmware: withDefault(nullable(string), null),
  /** ISO date. */
  calibrationDue: withDefault(nullable(string), null),
  /** Without a usable measurement for longer, whom it measures must be confirmed again (clinical.md 9); 0: no gap is too long. */
  linkGapMs: withDefault(long, usualLinkGapMs),
};
export const device = body("device", { ...deviceFields, ...deviceParticulars }) as BodyField<
  { readonly kind: "device" } & { readonly [N in keyof typeof deviceFields]: TypeOf<(typeof deviceFields)[N]> } & {
    readonly [N in keyof typeof deviceParticulars]?: TypeOf<(typeof deviceParticulars)[N]> | undefined;
  }
>;
export type Device = TypeOf<typeof device>;

/** From the last usable measurement (null: none is known) to the first after it. */
export const interruption = record("Interruption", {
  what: oneOf("InterruptionKind", "powerCycle", "deviceGap"),
  from: nullable(eventTime),
  at: eventTime,
});
export type Interruption = TypeOf<typeof interruption>;

/** Effective-dated link of a device to a bed and a patient. `subject` is opaque; names never appear here. */
export const association = body("association", {
  id: string,
  revision: int,
  device: string,
  subject: string,
  patientKey: string,
  bed: string,
  unit: string,
  ageBand: nullable(oneOf("PatientAgeBand", "adult", "child", "neonate")),
  from: instant,
  to: nullable(instant),
  /** The named person who confirmed it, and when; null: not validated, nothing is promoted. */
  confirmedBy: nullable(string),
  confirmedAt: nullable(instant),
  /** Who or what asserted the link (a person, an ADT feed). */
  assertedBy: string,
  /** It never held (a cancelled movement, a link found wrong): it covers no time at all. */
  voided: withDefault(boolean, false),
  /** Why it is unclear who is measured (two patients in a bed, a swap that nobody confirmed); nothing of such a link is promoted. Null: it is clear. */
  conflict: withDefault(nullable(string), null),
  /** What made this revision, in words for whoever traces it: "ADT^A02 4711 of adt", "nurse-4 by the API: wrong wristband". */
  cause: withDefault(string, ""),
  /** The patient key that a merge (A40) replaced in this revision by `patientKey`; null: none. */
  mergedFrom: withDefault(nullable(string), null),
  /** A person who confirmed it later vouches for the time from here on too (a correction dated back); null: from his confirmation on. */
  vouchedFrom: withDefault(nullable(instant), null),
  /** As `normalise` tells it: the first interruption that the confirmation does not cover; nothing after it is validated. Null: none. */
  interrupted: withDefault(nullable(interruption), null),
  /** How often `normalise` has told this revision anew. */
  telling: withDefault(int, 0),
});
export type Association = TypeOf<typeof association>;

/** Of a link that is clear, was never voided, that no merge made, nobody dated back and nothing interrupted. */
export const undisputed = {
  voided: false,
  conflict: null,
  cause: "",
  mergedFrom: null,
  vouchedFrom: null,
  interrupted: null,
  telling: 0,
} as const;

// ---- telemetry.raw, telemetry.raw.waveforms ----

/** A message as received, byte for byte. */
export const reading = body("reading", {
  device: string,
  /** The last segment of the MQTT topic: numerics, waveforms, status. */
  stream: string,
  mqttTopic: string,
  payload: bytes,
  receivedTime,
  /** MQTT session and its DUP flag, for clinical.md 11. */
  session: string,
  dup: boolean,
  /** The broker's retained copy, delivered for our subscribing: old news, and the only one that says nothing of its device now. */
  retained: withDefault(boolean, false),
  /** Set when the payload exceeded 1 MiB: then `payload` is its first 64 KiB. */
  truncated: nullable(record("Truncated", { size: long, sha256: string })),
});
export type Reading = TypeOf<typeof reading>;

// ---- telemetry.vitals, telemetry.waveforms ----

/**
 * valid · questionable (QUES, keeps its value) · invalid (INV, value dropped) · empty (sent as null) ·
 * sensorOff (a zero with evidence) · indeterminate (a zero without) · test, demo (never cross a threshold).
 */
export const validity = oneOf(
  "Validity",
  "valid",
  "questionable",
  "invalid",
  "empty",
  "sensorOff",
  "indeterminate",
  "test",
  "demo",
);
export type Validity = TypeOf<typeof validity>;

/** A pressure that came of the same measurement (reading, channel and time) as another: what a blood pressure panel is made of. */
export const companion = record("Companion", { metric: string, value: nullable(double), validity });
export type Companion = TypeOf<typeof companion>;

/** One value with metric, unit, times and quality. */
export const measurement = body("measurement", {
  /** 128 bits in hex: the reading's identity, channel, metric, ordinal (clinical.md 11); no received time. */
  identity: string,
  subject: nullable(string),
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  /** Containment in the device, e.g. "ecg", "spo2", "nibp". */
  channel: string,
  /** Our short name; terminology.ts has its codes. */
  metric: string,
  mdc: nullable(int),
  loinc: nullable(string),
  ucum: string,
  value: nullable(double),
  validity,
  /** Why the validity is what it is, in words. */
  evidence: nullable(string),
  /** Null where the payload carries no time. */
  deviceTime: nullable(deviceTime),
  receivedTime,
  eventTime,
  /** How far event time may be off: the device's, as the roster has it. */
  clockUncertaintyMs: withDefault(long, usualClockUncertaintyMs),
  /** Expected time to the next one; null: irregular. */
  periodMs: nullable(long),
  ordinal: int,
  revision: int,
  /** Of a blood pressure: the other pressures of the same measurement. */
  companions: withDefault(array(companion), []),
});
export type Measurement = TypeOf<typeof measurement>;

/** Consecutive samples with a start and a rate. value = (sample - baseline) / gain in `ucum`. */
export const waveformChunk = body("waveformChunk", {
  identity: string,
  subject: nullable(string),
  device: string,
  channel: string,
  metric: string,
  mdc: nullable(int),
  ucum: string,
  rateHz: double,
  gain: double,
  baseline: double,
  samples: array(int),
  deviceTime: nullable(deviceTime),
  receivedTime,
  eventTime,
});
export type WaveformChunk = TypeOf<typeof waveformChunk>;

/** Emitted by normalise when a device's standing changes; the board's bed states come from here. */
export const deviceState = body("deviceState", {
  device: string,
  subject: nullable(string),
  bed: nullable(string),
  unit: nullable(string),
  state: oneOf("DeviceStanding", "streaming", "silent", "quarantining", "standby"),
  clock: oneOf("ClockStanding", "sound", "off", "unknown"),
  /** Estimated device clock offset: received minus device time; null while unknown. */
  clockOffsetMs: nullable(long),
  /** Since when it stands so, and what to know, in words. */
  since: logTime,
  detail: nullable(string),
});
export type DeviceState = TypeOf<typeof deviceState>;

/** A device left its subject: windows and episodes end. */
export const subjectEnded = body("subjectEnded", { subject: string, device: string, at: eventTime });
export type SubjectEnded = TypeOf<typeof subjectEnded>;

// ---- telemetry.windows ----

/** Aggregate of one metric over event time [start, start + lengthMs). */
export const windowAggregate = body("windowAggregate", {
  identity: string,
  /** 0 when first closed; a late measurement makes the next. */
  revision: int,
  subject: string,
  device: string,
  channel: string,
  metric: string,
  ucum: string,
  shape: oneOf("WindowShape", "tumbling", "rolling"),
  lengthMs: long,
  start: eventTime,
  count: int,
  min: double,
  mean: double,
  max: double,
  last: double,
  lastAt: eventTime,
  /** Share of the expected samples that were there, 0 to 1. */
  coverage: double,
  /** How many of `count` were questionable (QUES). */
  questionable: withDefault(int, 0),
});
export type WindowAggregate = TypeOf<typeof windowAggregate>;

// ---- telemetry.episodes ----

export const episodePhase = oneOf("EpisodePhase", "start", "update", "end");
/** A stretch during which a rule holds. Emitted at its start and its end, with the same identity. */
export const episode = body("episode", {
  /** Hash of rule id, device, channel, metric and the first crossing sample's claimed time. */
  identity: string,
  revision: int,
  phase: episodePhase,
  subject: string,
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  channel: string,
  metric: string,
  mdc: nullable(int),
  loinc: nullable(string),
  ucum: string,
  rule,
  rulesVersion: int,
  /** First and (so far) last crossing sample. */
  start: eventTime,
  end: nullable(eventTime),
  /** The sample with which the minimum duration was reached: what an Observation reports. */
  qualifyingValue: double,
  qualifyingAt: eventTime,
  qualifyingIdentity: string,
  qualifyingValidity: validity,
  /** Of the qualifying sample: how near an association's edge its time is ambiguous (clinical.md 8). */
  clockUncertaintyMs: withDefault(long, usualClockUncertaintyMs),
  /** Of the qualifying sample, where it is a blood pressure: the other pressures of the same measurement. */
  companions: withDefault(array(companion), []),
  extreme: double,
  min: double,
  max: double,
  mean: double,
  /** Crossing samples. */
  count: int,
  /** Why it ended: "cleared", "subject ended", "missing sample", "rule changed"; null while open. */
  ended: nullable(string),
  /** Of readings that were stored and came after later ones of their series had been judged: it was over then, and pages nobody as current. */
  late: withDefault(boolean, false),
});
export type Episode = TypeOf<typeof episode>;

// ---- clinical.events and after ----

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

/** A patient as one destination knows him: an identifier with its assigning authority, and his FHIR id there. */
export const patientIdentity = record("PatientIdentity", {
  destination: string,
  /** Null: this destination keeps no FHIR resources. */
  fhirId: nullable(string),
  /** The assigning authority as a FHIR identifier system; `namespace` is the same for HL7v2 (PID-3.4). */
  system: string,
  namespace: string,
  value: string,
  /** HL7 table 0203: MR, PI, SS. */
  type: string,
});
export type PatientIdentity = TypeOf<typeof patientIdentity>;

/** What the gates know of a patient. The identifier appears only in this plane. */
export const patient = body("patient", {
  patientKey: string,
  version: int,
  /** FHIR id of the Patient at the destination, e.g. "p-0007". */
  fhirId: string,
  identifierSystem: string,
  identifierValue: string,
  encounterFhirId: nullable(string),
  active: boolean,
  familyName: withDefault(nullable(string), null),
  givenName: withDefault(nullable(string), null),
  /** ISO date. */
  birthDate: withDefault(nullable(string), null),
  /** Empty: every destination knows him as above. Else a destination that is not among them is refused (`identity-unknown`). */
  identities: withDefault(array(patientIdentity), []),
  /** The key of the patient that survived a merge (A40); null: none. */
  mergedInto: withDefault(nullable(string), null),
});
export type Patient = TypeOf<typeof patient>;

/** Of a patient whom every destination knows by the same identifier and of whom no more is known. */
export const knownAlike = {
  familyName: null,
  givenName: null,
  birthDate: null,
  identities: [],
  mergedInto: null,
} as const;

/** The first, simple form: permit or deny, for one destination, within a period. */
export const consent = body("consent", {
  id: string,
  version: int,
  patientKey: string,
  destination: string,
  decision: oneOf("ConsentDecision", "permit", "deny"),
  from: instant,
  to: nullable(instant),
  recordedAt: instant,
});
export type Consent = TypeOf<typeof consent>;

/** A FHIR R4 Consent as its source gave it, read by the gates and again before each write (clinical.md 19). */
export const fhirConsent = body("fhirConsent", {
  /** The source's own: "<source>/<Consent.id>". */
  id: string,
  /** Grows with each change at the source. */
  version: int,
  patientKey: string,
  source: string,
  /** When we had it. */
  readAt: instant,
  /** The Consent as JSON; null: the source has it no more, or what it gave could not be read (`problem`): then it permits nothing. */
  resource: nullable(string),
  /** Null: none. One that begins with `consent-stale` stands beside a resource that the source has not confirmed for too long. */
  problem: nullable(string),
});
export type FhirConsent = TypeOf<typeof fhirConsent>;

/** That a source of consents was heard: under the key `source/<name>`, once in each partition, from time to time. The gates pass it by. */
export const consentSource = body("consentSource", {
  source: string,
  /** The record's key; no patient's has a slash. */
  patientKey: string,
  /** When it was last read to the end. */
  heardAt: instant,
});
export type ConsentSource = TypeOf<typeof consentSource>;

/** What a writer withheld at the last moment for want of a consent that may yet become known: the gates keep it, and offer it again. */
export const withheld = body("withheld", {
  identity: string,
  revision: int,
  patientKey: string,
  destination: string,
  /** As the writer's answer had it, e.g. `consent-stale`. */
  reason: string,
});
export type Withheld = TypeOf<typeof withheld>;

/** Break glass: a named person's audited, expiring act, apart from consent (clinical.md 19). */
export const accessOverride = body("accessOverride", {
  id: string,
  version: int,
  patientKey: string,
  destination: string,
  by: string,
  reason: string,
  from: instant,
  /** Always ends. */
  to: instant,
});
export type AccessOverride = TypeOf<typeof accessOverride>;

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

// ---- quarantine, both planes ----

/** Refused input, whole, with its reason and where it stood. */
export const quarantined = body("quarantined", {
  reason: string,
  detail: string,
  device: nullable(string),
  stage: string,
  topic: string,
  partition: int,
  offset: long,
  key: string,
  value: bytes,
});
export type Quarantined = TypeOf<typeof quarantined>;
