/** A dialysis treatment as it lies in state: when it runs, and its minutes, each replaced by its own later revision. */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime } from "../../streams/core/time.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { WindowAggregate } from "../../schemas/records/telemetry.ts";
import type { DialysisSession, ReportedValue, SessionStatistics } from "../../schemas/scores.ts";

/** What a session tells of. The machine measures it on a patient only while its treatment runs (schemas/devices/sim-dialysis.ts). */
const reported = ["dialysisBloodFlow", "dialysisArterialPressure", "dialysisVenousPressure", "ultrafiltrationRate"];
const volume = "ultrafiltrationVolume";
export const sessionMetrics: ReadonlySet<string> = new Set([...reported, volume]);

/** One machine's treatment of one subject. */
export interface Treatment {
  readonly device: string;
  /** Event time of the first and the last measurement. */
  readonly start: number;
  readonly end: number;
  /** Log time of the latest word, from which the gap is counted. */
  readonly heardAt: number;
  /** The device left the subject: nothing more can come but what is under way. */
  readonly leftAt: number | null;
}

/** A subject's treatments that are not over. */
export interface Open {
  readonly kind: "open";
  readonly treatments: readonly Treatment[];
}
export const openCell = "open";

/** A minute of one metric, as the window's latest revision has it. */
export interface Minute {
  readonly kind: "minute";
  readonly metric: string;
  readonly ucum: string;
  readonly start: number;
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly last: number;
  readonly lastAt: number;
  readonly source: string;
}

export const minutePrefix = (device: string): string => `minute/${device}/`;
/** Padded, so that cells come in the order of time. */
export const minuteCell = (w: WindowAggregate): string =>
  `${minutePrefix(w.device)}${w.metric}/${w.channel}/${String(w.start).padStart(15, "0")}`;

export const minuteOf = (w: WindowAggregate): Minute => ({
  kind: "minute",
  metric: w.metric,
  ucum: w.ucum,
  start: w.start,
  count: w.count,
  min: w.min,
  mean: w.mean,
  max: w.max,
  last: w.last,
  lastAt: w.lastAt,
  source: w.identity,
});

const statisticsOf = (metric: string, minutes: readonly Minute[]): SessionStatistics | null => {
  const its = minutes.filter((minute) => minute.metric === metric);
  const [first] = its;
  if (first === undefined) return null;
  const count = its.reduce((sum, minute) => sum + minute.count, 0);
  const sum = its.reduce((total, minute) => total + minute.mean * minute.count, 0);
  return {
    metric,
    ucum: first.ucum,
    min: Math.min(...its.map(({ min }) => min)),
    mean: Math.round((sum / count) * 1e6) / 1e6,
    max: Math.max(...its.map(({ max }) => max)),
    count,
  };
};

/** The machine counts what it removed; a count that fell began again from nothing (a restart within the treatment). */
const removedOf = (minutes: readonly Minute[]): ReportedValue | null => {
  const its = minutes.filter(({ metric }) => metric === volume).sort((a, b) => a.lastAt - b.lastAt);
  const latest = its.at(-1);
  if (latest === undefined) return null;
  const before = its.slice(0, -1).filter((minute, i) => (its[i + 1]?.last ?? 0) < minute.last);
  const value = before.reduce((sum, { last }) => sum + last, latest.last);
  return { name: volume, value, ucum: latest.ucum, at: eventTime(latest.lastAt), source: latest.source };
};

/** The session of a treatment that is over. `link`: the subject's link in which all of it lies; null: none. */
export const sessionOf = (
  treatment: Treatment,
  minutes: readonly Minute[],
  subject: string,
  patientKey: string,
  link: Association | null,
): DialysisSession => ({
  kind: "dialysisSession",
  identity: contentHash("dialysis-session", subject, treatment.device, treatment.start).slice(0, 32),
  revision: 0,
  subject,
  patientKey,
  association: link?.id ?? null,
  associationRevision: link?.revision ?? null,
  device: treatment.device,
  start: eventTime(treatment.start),
  end: eventTime(treatment.end),
  ultrafiltrationVolume: removedOf(minutes),
  statistics: reported.flatMap((metric) => statisticsOf(metric, minutes) ?? []),
  ktv: null,
});
