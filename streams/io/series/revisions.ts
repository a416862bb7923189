/** Of a measurement that was revised, readers see the newest revision. */
import type { Vital } from "./series.ts";

export interface RevisedVital extends Vital {
  readonly revision: number;
}

/** Keeps the order of what is left. */
export const newestRevisions = (vitals: readonly RevisedVital[]): Vital[] => {
  const newest = new Map<string, number>();
  for (const { identity, revision } of vitals)
    newest.set(identity, Math.max(revision, newest.get(identity) ?? revision));
  return vitals
    .filter(({ identity, revision }) => newest.get(identity) === revision)
    .map(({ identity, device, subject, channel, metric, ucum, value, validity, eventTime }) => ({
      identity,
      device,
      subject,
      channel,
      metric,
      ucum,
      value,
      validity,
      eventTime,
    }));
};
