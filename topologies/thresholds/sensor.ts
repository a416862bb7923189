/**
 * Whether a series can be judged at all (clinical.md 4, 5). It is called unusable once it has had no usable sample for its limit, by what its
 * samples say of it since, or silent where none came though its device is heard; a single odd sample says nothing. Limits are of log time.
 */
import type { EventTime } from "../../streams/core/time.ts";
import type { SensorState } from "../../schemas/records/alert.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { isJudged } from "./crossing.ts";

/** What is wrong with a series, while something is. */
export interface Sensor {
  readonly state: Exclude<SensorState["state"], "usable">;
  /** Event time of the first sample that was not usable. */
  readonly since: number;
  readonly evidence: string | null;
  /** Log time of the last usable sample, or of the first sample where none ever was. */
  readonly usableAt: number;
  /** Said downstream. */
  readonly told?: true;
}

export interface Heard {
  /** Log time of its last sample. */
  readonly heardAt: number;
  /** Null: irregular, and never silent. */
  readonly limitMs: number | null;
  readonly sensor?: Sensor;
}
/** As a series has it; without when version 1 wrote it. */
export type MaybeHeard = Partial<Heard>;

const shortestLimitMs = 10_000;
const periodsMissed = 2.5;
/** What a vendor itself calls a loss of signal (Dexcom: 20 min). */
const ownLimitsMs: Readonly<Record<string, number>> = { glucoseInterstitial: 20 * 60_000 };

/** How long a series may be without a usable sample: 10 s at 1 Hz, else two and a half periods; null where it is irregular. */
export const silenceLimitMs = ({ metric, periodMs }: Pick<Measurement, "metric" | "periodMs">): number | null =>
  periodMs === null ? null : Math.max(shortestLimitMs, periodsMissed * periodMs, ownLimitsMs[metric] ?? 0);

/** The series' sensor after a sample at log time `now`; undefined where all is well. */
export const sensorAfter = (before: MaybeHeard | undefined, m: Measurement, now: number): Sensor | undefined => {
  if (isJudged(m)) return undefined;
  const known = before?.sensor;
  const state = m.validity === "sensorOff" ? "sensorOff" : "invalid";
  const { evidence } = m;
  if (known === undefined) return { state, since: m.eventTime, evidence, usableAt: before?.heardAt ?? now };
  const same = known.state === state;
  if (same && known.evidence === evidence) return known;
  return { ...known, state, evidence, since: known.state === "silent" ? m.eventTime : known.since };
};

/**
 * The sensor of a series after a sample at log time `now` that is not later than what was judged, where nothing else has come for its limit:
 * a straggler after a gap says nothing, but no series goes unjudged in silence for longer than its limit once more. Undefined: as before.
 */
export const stuckAfter = (
  { heardAt, limitMs, sensor }: MaybeHeard,
  since: number,
  now: number,
): Sensor | undefined => {
  if (heardAt === undefined || limitMs === undefined || limitMs === null || sensor?.told) return undefined;
  if (now - heardAt < limitMs) return undefined;
  if (sensor === undefined) return { state: "invalid", since, evidence: stuckEvidence, usableAt: now };
  return isLasting(sensor, limitMs, now) ? { ...sensor, told: true } : undefined;
};
const stuckEvidence = "its time does not advance";

/** Whether it has been so for long enough to be said. */
export const isLasting = (sensor: Sensor, limitMs: number | null, now: number): boolean =>
  now - sensor.usableAt >= (limitMs ?? shortestLimitMs);

/** When it will have to be looked at if nothing more comes: for want of a usable sample, or of any; null: not at all. */
export const lookAt = ({ heardAt, limitMs, sensor }: MaybeHeard): number | null => {
  if (heardAt === undefined || sensor?.state === "silent") return null;
  const unusable = sensor !== undefined && !sensor.told ? sensor.usableAt + (limitMs ?? shortestLimitMs) : null;
  const silent = limitMs === undefined || limitMs === null ? null : heardAt + limitMs;
  return unusable === null || silent === null ? (unusable ?? silent) : Math.min(unusable, silent);
};

/** The device was heard in another series well after this one. */
export const isHeardElsewhere = ({ heardAt = 0, limitMs }: MaybeHeard, lastHeardAt: number): boolean =>
  lastHeardAt - heardAt > (limitMs ?? 0) / 2;

/** The sensor of a series of which nothing came any more; `since`: its last sample. */
export const silenced = ({ heardAt = 0, sensor }: MaybeHeard, since: EventTime): Sensor => ({
  state: "silent",
  since: sensor?.since ?? since,
  evidence: sensor?.evidence ?? null,
  usableAt: sensor?.usableAt ?? heardAt,
});
