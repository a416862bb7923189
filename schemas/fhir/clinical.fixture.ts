/** One ward afternoon for tests of the clinical plane: a rule, a bed, its monitor, its patient, and an episode that may be written. */
import { eventTime } from "../../streams/core/time.ts";
import type { Rule } from "../records/broadcast.ts";
import type { Candidate } from "../records/clinical.ts";
import type { Consent } from "../records/consent.ts";
import { type Association, type Patient, undisputed, knownAlike } from "../records/roster.ts";
import type { Episode } from "../records/telemetry.ts";
import { metricOf } from "../terminology.ts";

/** 2026-11-21T14:00:00Z */
export const two = 1_795_269_600_000;
export const minutes = (n: number): number => n * 60_000;

export const aRule = (change: Partial<Rule> = {}): Rule => ({
  id: "hr-high",
  version: 3,
  title: "Heart rate above 120",
  metric: "heartRate",
  ucum: "/min",
  when: "above",
  limit: 120,
  clear: 115,
  minimumMs: 10_000,
  clearMs: 10_000,
  priority: "medium",
  critical: false,
  ageBand: "adult",
  units: ["icu-1"],
  ceilingPerDay: 6,
  plain: false,
  approval: { by: "Dr. Ada Brandt", at: two - minutes(60 * 24), demo: false },
  ...change,
});

/** Begins at 14:05:00, qualifies at 14:05:10 with 128 /min. Open unless `ended`. */
export const anEpisode = (change: Partial<Episode> = {}): Episode => ({
  kind: "episode",
  identity: "5d1f8c3a90b27e64a1c05b7e2f9d3846",
  revision: 0,
  phase: "start",
  subject: "subject-7",
  association: "link-7",
  associationRevision: 1,
  device: "mon-07",
  channel: "ecg",
  metric: "heartRate",
  mdc: metricOf("heartRate").mdc,
  loinc: metricOf("heartRate").loinc,
  ucum: "/min",
  rule: aRule(),
  rulesVersion: 12,
  start: eventTime(two + minutes(5)),
  end: null,
  qualifyingValue: 128,
  qualifyingAt: eventTime(two + minutes(5) + 10_000),
  qualifyingIdentity: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  qualifyingValidity: "valid",
  clockUncertaintyMs: 2_000,
  companions: [],
  extreme: 131,
  min: 121,
  max: 131,
  mean: 126.36363636363636,
  count: 11,
  ended: null,
  late: false,
  ...change,
});

/** The same episode at its end at 14:09:30. */
export const ended = (episode: Episode, change: Partial<Episode> = {}): Episode => ({
  ...episode,
  revision: episode.revision + 1,
  phase: "end",
  end: eventTime(episode.start + 270_000),
  extreme: Math.max(episode.max, 139),
  max: Math.max(episode.max, 139),
  mean: 129.5,
  count: 260,
  ended: "cleared",
  ...change,
});

export const anAssociation = (change: Partial<Association> = {}): Association => ({
  kind: "association",
  ...undisputed,
  id: "link-7",
  revision: 1,
  device: "mon-07",
  subject: "subject-7",
  patientKey: "pk-7",
  bed: "icu-1-07",
  unit: "icu-1",
  ageBand: "adult",
  from: two - minutes(120),
  to: null,
  confirmedBy: "Nurse K. Okafor",
  confirmedAt: two - minutes(118),
  assertedBy: "Nurse K. Okafor",
  ...change,
});

export const aPatient = (change: Partial<Patient> = {}): Patient => ({
  kind: "patient",
  ...knownAlike,
  patientKey: "pk-7",
  version: 1,
  fhirId: "p-0007",
  identifierSystem: "urn:example:mrn",
  identifierValue: "0007",
  encounterFhirId: "e-0007",
  active: true,
  ...change,
});

export const aConsent = (change: Partial<Consent> = {}): Consent => ({
  kind: "consent",
  id: "consent-7",
  version: 1,
  patientKey: "pk-7",
  destination: "ehr",
  decision: "permit",
  from: two - minutes(60 * 24),
  to: null,
  recordedAt: two - minutes(60 * 24),
  ...change,
});

export const aCandidate = (
  change: Partial<Episode> = {},
  association: Association | null = anAssociation(),
): Candidate => ({
  kind: "candidate",
  episode: anEpisode(change),
  patientKey: association?.patientKey ?? "unassociated/mon-07",
  association,
  alongside: [],
  correction: null,
  cut: false,
});
