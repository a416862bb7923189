/**
 * A plausible ward as entries of the board's topics, so that the page can be looked at without the rest of the platform running.
 * It is a drawing, not the simulator: seeded sines and a few scripted troubles, ten minutes of them before "now".
 */
import type { BoardBody } from "../../streams/roles/board/model.ts";
import { eventTime, logTime, receivedTime } from "../../streams/core/time.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Decision, GateAnswer } from "../../schemas/records/clinical.ts";
import { undisputed } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { metricOf, type MetricName } from "../../schemas/terminology.ts";

export interface DrawnEntry {
  readonly topic: "vitals" | "waveforms" | "episodes" | "decisions" | "deliveries" | "quarantine";
  readonly key: string;
  readonly at: number;
  readonly body: BoardBody;
}

export const bedCount = 24;
const unit = "ICU-2";
const bedName = (n: number): string => `bed-${String(n).padStart(2, "0")}`;
export const monitor = (n: number): string => `mon-${String(n).padStart(2, "0")}`;

interface Patient {
  readonly heartRate: number;
  readonly spo2: number;
  readonly respiratoryRate: number;
  readonly systolic: number;
  readonly diastolic: number;
  readonly temperature: number;
  readonly arterial: boolean;
}

const noise = (seed: number): number => {
  const x = Math.sin(seed * 127.1) * 43758.5453;
  return x - Math.floor(x);
};

const patientAt = (n: number): Patient => ({
  heartRate: 62 + Math.round(noise(n) * 36),
  spo2: 94 + Math.round(noise(n + 50) * 5),
  respiratoryRate: 12 + Math.round(noise(n + 90) * 9),
  systolic: 108 + Math.round(noise(n + 130) * 34),
  diastolic: 58 + Math.round(noise(n + 170) * 20),
  temperature: 36.3 + noise(n + 210) * 1.1,
  arterial: n % 3 === 0,
});

const wander = (n: number, channel: number, seconds: number, size: number): number =>
  size *
  (Math.sin(seconds / (41 + 7 * noise(n + channel)) + n) +
    0.6 * Math.sin(seconds / (13 + 5 * noise(n * 3 + channel)) + channel) +
    0.35 * (noise(seconds * 0.37 + n * 13 + channel) - 0.5));

const measurement = (n: number, device: string, metric: MetricName, at: number, value: number | null): DrawnEntry => ({
  topic: "vitals",
  key: `subject-${n}`,
  at,
  body: {
    kind: "measurement",
    identity: `m-${device}-${metric}-${at}`,
    subject: `subject-${n}`,
    association: `a-${n}`,
    associationRevision: 1,
    device,
    channel: metric,
    metric,
    mdc: metricOf(metric).mdc,
    loinc: metricOf(metric).loinc,
    ucum: metricOf(metric).ucum,
    value,
    validity: value === null ? "sensorOff" : "valid",
    evidence: null,
    deviceTime: null,
    receivedTime: receivedTime(at),
    eventTime: eventTime(at),
    periodMs: metric.startsWith("nibp") ? 900_000 : 1000,
    clockUncertaintyMs: 2_000,
    companions: [],
    ordinal: 0,
    revision: 0,
  },
});

/** Bed 5 desaturates, bed 11 goes septic, bed 17's probe falls off, bed 7 falls silent, bed 20 sends rubbish. */
export const silentFor = 42_000;
export const rubbishFor = 190_000;

/** One second of every bed's numerics; `age`: seconds before "now" (negative once it runs). */
export const second = (at: number, age: number): DrawnEntry[] =>
  Array.from({ length: bedCount }, (_, i) => i + 1).flatMap((n) => numerics(n, at, age));

const numerics = (n: number, at: number, age: number): DrawnEntry[] => {
  if (n === 7 && age * 1000 < silentFor) return [];
  if (n === 20 && age * 1000 < rubbishFor) return [];
  if (n === 24) return [];
  const p = patientAt(n);
  const s = Math.round(at / 1000);
  const fall = n === 5 ? 13 * Math.min(1, Math.max(0, (380 - age) / 220)) : 0;
  const sepsis = n === 11 ? Math.min(1, Math.max(0, (600 - age) / 420)) : 0;
  const device = monitor(n);
  const heartRate = Math.round(p.heartRate + wander(n, 1, s, 2.4) + 46 * sepsis + fall * 0.9);
  const at17 = n === 17 && age < 75;
  const give = (metric: MetricName, value: number | null): DrawnEntry => measurement(n, device, metric, at, value);
  const entries = [
    give("heartRate", heartRate),
    give("pulseRate", at17 ? null : heartRate + Math.round(wander(n, 8, s, 0.8))),
    give("spo2", at17 ? null : Math.min(100, Math.round(p.spo2 + wander(n, 2, s, 0.7) - fall - 3 * sepsis))),
    give("respiratoryRate", Math.round(p.respiratoryRate + wander(n, 3, s, 1.1) + 14 * sepsis + fall * 0.3)),
  ];
  if (s % 5 === 0)
    entries.push(give("temperature", Math.round((p.temperature + 1.9 * sepsis + wander(n, 4, s, 0.03)) * 10) / 10));
  const drop = 34 * sepsis;
  const pressures: [string, number][] = [
    ["Systolic", p.systolic - drop],
    ["Diastolic", p.diastolic - drop * 0.5],
    ["Mean", (p.systolic + 2 * p.diastolic) / 3 - drop * 0.66],
  ];
  const line = p.arterial ? "art" : (s + n * 37) % 900 === 0 || age === 600 ? "nibp" : null;
  if (line !== null)
    for (const [name, value] of pressures)
      entries.push(give(`${line}${name}` as MetricName, Math.round(value + wander(n, 5, s, 2.2))));
  return entries;
};

const beatAt = (phase: number): number => {
  const bump = (centre: number, width: number, height: number): number =>
    height * Math.exp(-((phase - centre) ** 2) / (2 * width ** 2));
  return (
    bump(0.18, 0.024, 0.12) +
    bump(0.285, 0.008, -0.12) +
    bump(0.3, 0.009, 1.15) +
    bump(0.32, 0.009, -0.24) +
    bump(0.52, 0.042, 0.26)
  );
};
const pulseAt = (phase: number): number =>
  Math.exp(-((phase - 0.28) ** 2) / 0.012) + 0.42 * Math.exp(-((phase - 0.55) ** 2) / 0.012);

/** One second of ECG and pleth (and pressure where there is a line) of every bed that streams. */
export const waves = (at: number, age: number): DrawnEntry[] =>
  Array.from({ length: bedCount }, (_, i) => i + 1)
    .filter((n) => n !== 24 && !(n === 7 && age * 1000 < silentFor) && n !== 20)
    .flatMap((n) => {
      const p = patientAt(n);
      const rate = (p.heartRate + (n === 11 ? 46 : n === 5 ? 11 : 0)) / 60;
      const draw = (metric: MetricName, rateHz: number, of: (phase: number) => number): DrawnEntry => ({
        topic: "waveforms",
        key: `subject-${n}`,
        at,
        body: {
          kind: "waveformChunk",
          identity: `w-${n}-${metric}-${at}`,
          subject: `subject-${n}`,
          device: monitor(n),
          channel: metric,
          metric,
          mdc: metricOf(metric).mdc,
          ucum: metricOf(metric).ucum,
          rateHz,
          gain: 1000,
          baseline: 0,
          samples: Array.from({ length: rateHz }, (_, i) => {
            const t = at / 1000 + i / rateHz;
            return Math.round(1000 * (of((t * rate) % 1) + 0.03 * Math.sin(t * 1.7)));
          }),
          deviceTime: null,
          receivedTime: receivedTime(at),
          eventTime: eventTime(at),
        },
      });
      return [
        draw("ecgII", 250, beatAt),
        ...(n === 17 ? [] : [draw("pleth", 125, pulseAt)]),
        ...(p.arterial ? [draw("artWave", 125, (x) => p.diastolic + (p.systolic - p.diastolic) * pulseAt(x))] : []),
      ];
    });

const rule = (
  id: string,
  title: string,
  metric: MetricName,
  when: Rule["when"],
  limit: number,
  priority: Rule["priority"],
  approved = true,
): Rule => ({
  id,
  version: 1,
  title,
  metric,
  ucum: metricOf(metric).ucum,
  when,
  limit,
  clear: null,
  minimumMs: 10_000,
  clearMs: 10_000,
  priority,
  critical: priority === "high",
  ageBand: "adult",
  units: [],
  ceilingPerDay: 6,
  plain: false,
  approval: approved ? { by: "Demo ward", at: 0, demo: true } : null,
});

const rules = {
  desaturation: rule("spo2-desaturation", "Desaturation", "spo2", "below", 85, "high"),
  spo2Low: rule("spo2-low", "SpO2 low", "spo2", "below", 90, "medium"),
  heartHigh: rule("hr-high", "Heart rate high", "heartRate", "above", 120, "medium"),
  respHigh: rule("resp-high", "Respiratory rate high", "respiratoryRate", "above", 30, "medium"),
  fever: rule("temperature-high", "Fever", "temperature", "above", 38.5, "low"),
  meanLow: rule("nibp-mean-low", "Mean pressure low (cuff)", "nibpMean", "below", 65, "medium", false),
};

/** Who the devices belong to, the rules, and the states that have not changed for a while. */
export const background = (at: number): DrawnEntry[] => [
  {
    topic: "vitals",
    key: "",
    at,
    body: { kind: "rules", version: 1, effectiveFrom: logTime(at), rules: Object.values(rules) },
  },
  ...Array.from({ length: bedCount }, (_, i) => i + 1).flatMap((n) => associate(n, at)),
];

const associate = (n: number, at: number): DrawnEntry[] => {
  const devices = [
    monitor(n),
    ...(n % 5 === 0 ? [`pump-${String(n).padStart(2, "0")}`] : []),
    ...(n === 9 || n === 15 ? [`dial-0${n === 9 ? 1 : 2}`] : []),
  ];
  return devices.flatMap((device, i): DrawnEntry[] => [
    {
      topic: "episodes",
      key: `subject-${n}`,
      at,
      body: {
        kind: "association",
        ...undisputed,
        id: i === 0 ? `a-${n}` : `a-${n}-${i}`,
        revision: 1,
        device,
        subject: `subject-${n}`,
        patientKey: `patient-${n}`,
        bed: bedName(n),
        unit,
        ageBand: "adult",
        from: at - 86_400_000,
        to: n === 24 ? at + 60_000 : null,
        confirmedBy: n === 13 ? null : "R. Nurse",
        confirmedAt: n === 13 ? null : at - 86_000_000,
        assertedBy: "bedside",
      },
    },
    state(n, device, "streaming", "sound", at, null, n === 14 ? 0 : 40),
  ]);
};

export const state = (
  n: number,
  device: string,
  standing: "streaming" | "silent" | "quarantining",
  clock: "sound" | "off",
  at: number,
  detail: string | null,
  clockOffsetMs: number,
): DrawnEntry => ({
  topic: "vitals",
  key: `subject-${n}`,
  at,
  body: {
    kind: "deviceState",
    device,
    subject: `subject-${n}`,
    bed: bedName(n),
    unit,
    state: standing,
    clock,
    clockOffsetMs,
    since: logTime(at),
    detail,
  },
});

const episode = (n: number, of: Rule, startAt: number, endAt: number | null, extreme: number): Episode => ({
  kind: "episode",
  identity: `e-${n}-${of.id}-${startAt}`,
  revision: endAt === null ? 0 : 1,
  phase: endAt === null ? "start" : "end",
  subject: `subject-${n}`,
  association: `a-${n}`,
  associationRevision: 1,
  device: monitor(n),
  channel: of.metric,
  metric: of.metric,
  mdc: null,
  loinc: null,
  ucum: of.ucum,
  rule: of,
  rulesVersion: 1,
  start: eventTime(startAt),
  end: endAt === null ? null : eventTime(endAt),
  qualifyingValue: of.limit,
  qualifyingAt: eventTime(startAt + 10_000),
  qualifyingIdentity: "m",
  qualifyingValidity: "valid",
  clockUncertaintyMs: 2_000,
  companions: [],
  extreme,
  min: extreme,
  max: extreme,
  mean: extreme,
  count: 20,
  ended: endAt === null ? null : "cleared",
  late: false,
});

const gates = ["approvedThreshold", "wellFormed", "validatedPatient", "consented"] as const;
const details = {
  approvedThreshold: "approved by the demo ward (demo), version 1",
  wellFormed: "Observation, shape bp-r4 1",
  validatedPatient: "association a-1 revision 1, confirmed",
  consented: "consent c-1 version 1 permits ehr",
} as const;

const answers = (failing: Partial<Record<(typeof gates)[number], readonly [string, string]>>): GateAnswer[] =>
  gates.map((gate) => ({
    gate,
    passed: failing[gate] === undefined,
    reason: failing[gate]?.[0] ?? "passed",
    detail: failing[gate]?.[1] ?? details[gate],
  }));

const story = (
  n: number,
  of: Rule,
  now: number,
  from: number,
  to: number | null,
  extreme: number,
  failing: Parameters<typeof answers>[0] = {},
): DrawnEntry[] => {
  const startAt = now - from * 1000;
  const e = episode(n, of, startAt, to === null ? null : now - to * 1000, extreme);
  const promoted = Object.keys(failing).length === 0;
  const decision: Decision = {
    kind: "decision",
    identity: e.identity,
    revision: e.revision,
    patientKey: `patient-${n}`,
    device: e.device,
    metric: of.metric,
    ruleId: of.id,
    ruleVersion: 1,
    destination: "ehr",
    episodeStart: e.start,
    promoted,
    answers: answers(failing),
    at: logTime((e.end ?? startAt) + 11_000),
  };
  const key = `subject-${n}`;
  return [
    { topic: "episodes", key, at: startAt + 10_000, body: e },
    { topic: "decisions", key, at: decision.at, body: decision },
    ...(promoted
      ? [
          {
            topic: "deliveries" as const,
            key,
            at: decision.at + 200,
            body: {
              kind: "delivery" as const,
              audit: null,
              by: null,
              identity: e.identity,
              revision: e.revision,
              patientKey: `patient-${n}`,
              destination: "ehr",
              resourceType: "Observation",
              resourceId: e.identity,
              outcome: "written" as const,
              detail: e.revision === 0 ? "HTTP 201" : "HTTP 200",
              versionId: String(e.revision + 1),
            },
          },
        ]
      : []),
  ];
};

/** What has gone wrong on this ward by "now". */
export const troubles = (now: number): DrawnEntry[] => [
  state(7, monitor(7), "silent", "sound", now - silentFor + 10_000, "nothing for 10 s", 40),
  state(20, monitor(20), "quarantining", "sound", now - rubbishFor, "not JSON at byte 0", 40),
  state(14, monitor(14), "streaming", "off", now - 480_000, "device clock 187 s behind", 187_000),
  ...story(5, rules.spo2Low, now, 260, null, 82),
  ...story(5, rules.desaturation, now, 170, null, 82),
  ...story(11, rules.heartHigh, now, 220, null, 131),
  ...story(11, rules.respHigh, now, 120, null, 33),
  ...story(13, rules.heartHigh, now, 520, 440, 124, {
    validatedPatient: ["association-unconfirmed", "nobody confirmed association a-13"],
  }),
  ...story(2, rules.spo2Low, now, 560, 500, 88, { consented: ["consent-denied", "consent c-2 version 1 denies ehr"] }),
  ...story(18, rules.meanLow, now, 500, 330, 61, {
    approvedThreshold: ["rule-unapproved", "nobody approved nibp-mean-low version 1"],
    consented: ["consent-unknown", "no consent is known for ehr"],
  }),
  ...story(3, rules.fever, now, 590, 120, 38.7),
  ...story(16, rules.spo2Low, now, 410, 370, 87),
  ...["not-json", "not-json", "unknown-metric", "wrong-type", "too-large", "unknown-device"].flatMap(
    (reason, i): DrawnEntry[] => Array.from({ length: 41 - 7 * i }, (_, k) => rubbish(reason, now - k * 4000)),
  ),
];

export const rubbish = (reason: string, at: number): DrawnEntry => ({
  topic: "quarantine",
  key: monitor(20),
  at,
  body: {
    kind: "quarantined",
    reason,
    detail: "",
    device: monitor(20),
    stage: "normalise",
    topic: "telemetry.raw",
    partition: 0,
    offset: 0,
    key: monitor(20),
    value: new Uint8Array(),
  },
});
