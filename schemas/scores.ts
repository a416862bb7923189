/**
 * What is computed over a session or from several vital signs: facts that `topologies` finds and schemas/fhir/report.ts writes as a
 * DiagnosticReport (clinical.md 23). Each number keeps its time and where it came from; what is missing is named, never guessed.
 */
import { array, body, double, eventTime, int, nullable, oneOf, record, string, type TypeOf } from "./avro.ts";

/** One number that a computation used or found. */
export const reportedValue = record("ReportedValue", {
  /** Our own word for it, e.g. "ureaBefore", "weightAfter", "treatmentHours". */
  name: string,
  value: double,
  ucum: string,
  at: eventTime,
  /** A device's measurement identity, or who stated it: "laboratory", "nurse-4". */
  source: string,
});
export type ReportedValue = TypeOf<typeof reportedValue>;

/** Over the samples of a session. */
export const sessionStatistics = record("SessionStatistics", {
  /** As terminology.ts names it. */
  metric: string,
  ucum: string,
  min: double,
  mean: double,
  max: double,
  count: int,
});
export type SessionStatistics = TypeOf<typeof sessionStatistics>;

/**
 * Kt/V, unit 1, with how it was found (clinical.md 23). `onlineClearance`: the machine's own, of ionic dialysance, never spKt/V;
 * `daugirdas2`: spKt/V by Daugirdas' second formula, of blood urea and weight before and after; `ureaKinetics`: by a formal urea kinetic model.
 */
export const ktv = record("KtV", {
  value: double,
  method: oneOf("KtVMethod", "onlineClearance", "daugirdas2", "ureaKinetics"),
  /** Where V comes from, e.g. "Watson, entered at the machine"; null: the method needs none (Daugirdas). */
  sourceOfV: nullable(string),
  inputs: array(reportedValue),
});
export type KtV = TypeOf<typeof ktv>;

/** One treatment of one patient at one machine, once it is over; a later revision corrects it. */
export const dialysisSession = body("dialysisSession", {
  /** Over device and start: the same after a replay. */
  identity: string,
  revision: int,
  subject: string,
  patientKey: string,
  /** The confirmed link that it lies in; null: none, and nothing is promoted. */
  association: nullable(string),
  associationRevision: nullable(int),
  device: string,
  /** First and last measurement of the running treatment. */
  start: eventTime,
  end: eventTime,
  /** Removed in all; null: the machine told none. */
  ultrafiltrationVolume: nullable(reportedValue),
  /** Blood flow and the extracorporeal pressures, as far as they were told. */
  statistics: array(sessionStatistics),
  /** Null: nothing that it could honestly be computed from. */
  ktv: nullable(ktv),
});
export type DialysisSession = TypeOf<typeof dialysisSession>;

/** The seven parts of NEWS2 (Royal College of Physicians, 2017), in the order of the College's chart. */
export const news2PartNames = [
  "respiratoryRate",
  "spo2",
  "oxygen",
  "systolicPressure",
  "pulse",
  "consciousness",
  "temperature",
] as const;
export const news2Part = record("News2Part", {
  part: oneOf("News2PartName", ...news2PartNames),
  /** The measured number; null for oxygen and consciousness, which a person or the EHR says in `said`. */
  value: nullable(double),
  ucum: nullable(string),
  /** "air", "oxygen"; "alert", "confusion", "voice", "pain", "unresponsive". */
  said: nullable(string),
  /** 0 to 3. */
  score: int,
  at: eventTime,
  /** As in {@link reportedValue}. */
  source: string,
});
export type News2Part = TypeOf<typeof news2Part>;

/** A score, or what is known of one: `total` only with all seven parts inside their freshness, else "partial, at least `atLeast`, missing ...". */
export const news2 = body("news2", {
  identity: string,
  revision: int,
  subject: string,
  patientKey: string,
  association: nullable(string),
  associationRevision: nullable(int),
  /** When it became so: the newest part's time. */
  at: eventTime,
  /** By recorded order; null: none is recorded, and the SpO2 part is missing. */
  spo2Scale: nullable(oneOf("Spo2Scale", "scale1", "scale2")),
  parts: array(news2Part),
  /** 0 to 20; null: partial. */
  total: nullable(int),
  /** Sum of the parts that are known. */
  atLeast: int,
  /** Names of the parts that are missing or no longer fresh. */
  missing: array(string),
  /** Why it may not be called NEWS2 although parts are there, e.g. "age unknown"; empty: nothing. */
  objections: array(string),
  /** The total of the score before it; null: none. */
  previous: nullable(int),
});
export type News2 = TypeOf<typeof news2>;
