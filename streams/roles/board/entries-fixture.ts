/** Bodies for the stories of the board's tests: one bed's monitor unless told otherwise. */
import type { Rule } from "../../../schemas/records/broadcast.ts";
import type { Decision, Delivery, GateAnswer } from "../../../schemas/records/clinical.ts";
import { type Association, undisputed } from "../../../schemas/records/roster.ts";
import type { DeviceState, Episode, Measurement } from "../../../schemas/records/telemetry.ts";
import { eventTime, logTime, receivedTime } from "../../core/time.ts";

/** Noon of some day, the beginning of every story. */
export const noon = Date.UTC(2026, 10, 21, 12);

export const association = (of: Partial<Association> = {}): Association => ({
  kind: "association",
  ...undisputed,
  id: "a-7",
  revision: 1,
  device: "mon-07",
  subject: "s-7",
  patientKey: "pk-7",
  bed: "bed-07",
  unit: "ICU",
  ageBand: "adult",
  from: noon - 3_600_000,
  to: null,
  confirmedBy: "A. Nurse",
  confirmedAt: noon - 3_500_000,
  assertedBy: "bedside",
  ...of,
});

export const deviceState = (of: Partial<DeviceState> = {}): DeviceState => ({
  kind: "deviceState",
  device: "mon-07",
  subject: "s-7",
  bed: "bed-07",
  unit: "ICU",
  state: "streaming",
  clock: "sound",
  clockOffsetMs: 40,
  since: logTime(noon),
  detail: null,
  ...of,
});

export const measurement = (at: number, value: number | null, of: Partial<Measurement> = {}): Measurement => ({
  kind: "measurement",
  identity: `m-${at}`,
  subject: "s-7",
  association: "a-7",
  associationRevision: 1,
  device: "mon-07",
  channel: "ecg",
  metric: "heartRate",
  mdc: 147842,
  loinc: "8867-4",
  ucum: "/min",
  value,
  validity: value === null ? "invalid" : "valid",
  evidence: null,
  deviceTime: null,
  receivedTime: receivedTime(at),
  eventTime: eventTime(at),
  periodMs: 1000,
  clockUncertaintyMs: 2_000,
  companions: [],
  ordinal: 0,
  revision: 0,
  ...of,
});

export const rule = (of: Partial<Rule> = {}): Rule => ({
  id: "hr-high",
  version: 1,
  title: "Heart rate high",
  metric: "heartRate",
  ucum: "/min",
  when: "above",
  limit: 120,
  clear: 115,
  minimumMs: 30_000,
  clearMs: 30_000,
  priority: "medium",
  critical: false,
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain: false,
  approval: { by: "Dr. B", at: noon, demo: false },
  ...of,
});

export const episode = (of: Partial<Episode> = {}): Episode => ({
  kind: "episode",
  identity: "e-1",
  revision: 0,
  phase: "start",
  subject: "s-7",
  association: "a-7",
  associationRevision: 1,
  device: "mon-07",
  channel: "ecg",
  metric: "heartRate",
  mdc: 147842,
  loinc: "8867-4",
  ucum: "/min",
  rule: rule(),
  rulesVersion: 1,
  start: eventTime(noon),
  end: null,
  qualifyingValue: 124,
  qualifyingAt: eventTime(noon + 30_000),
  qualifyingIdentity: "m-1",
  qualifyingValidity: "valid",
  clockUncertaintyMs: 2_000,
  companions: [],
  extreme: 131,
  min: 121,
  max: 131,
  mean: 125,
  count: 30,
  ended: null,
  late: false,
  ...of,
});

const gates = ["approvedThreshold", "wellFormed", "validatedPatient", "consented"] as const;

/** Four answers; those named in `failing` fail with the reason given. */
export const answers = (failing: Partial<Record<GateAnswer["gate"], string>> = {}): GateAnswer[] =>
  gates.map((gate) => {
    const reason = failing[gate];
    return { gate, passed: reason === undefined, reason: reason ?? "passed", detail: `about ${gate}` };
  });

export const decision = (of: Partial<Decision> = {}): Decision => ({
  kind: "decision",
  identity: "e-1",
  revision: 0,
  patientKey: "pk-7",
  device: "mon-07",
  metric: "heartRate",
  ruleId: "hr-high",
  ruleVersion: 1,
  destination: "ehr",
  episodeStart: eventTime(noon),
  promoted: true,
  answers: answers(),
  at: logTime(noon + 31_000),
  ...of,
});

export const delivery = (of: Partial<Delivery> = {}): Delivery => ({
  kind: "delivery",
  audit: null,
  by: null,
  identity: "e-1",
  revision: 0,
  patientKey: "pk-7",
  destination: "ehr",
  resourceType: "Observation",
  resourceId: "obs-e-1",
  outcome: "written",
  detail: "HTTP 201",
  versionId: "1",
  ...of,
});
