/** A measurement for tests: a valid value of a known metric, once a second, with everything that may be said of it open to change. */
import { contentHash } from "../core/hash.ts";
import { deviceTime, eventTime, receivedTime } from "../core/time.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { metricOf, type MetricName } from "../../schemas/terminology.ts";

export const measured = (
  metric: MetricName,
  atMs: number,
  value: number | null,
  more: Partial<Measurement> = {},
): Measurement => {
  const { mdc, loinc, ucum } = metricOf(metric);
  return {
    kind: "measurement",
    identity: contentHash(metric, atMs, value, more.device ?? "mon-1").slice(0, 32),
    subject: null,
    association: null,
    associationRevision: null,
    device: "mon-1",
    channel: "main",
    metric,
    mdc,
    loinc,
    ucum,
    value,
    validity: "valid",
    evidence: null,
    deviceTime: deviceTime(atMs),
    receivedTime: receivedTime(atMs),
    eventTime: eventTime(atMs),
    periodMs: 1_000,
    clockUncertaintyMs: 2_000,
    companions: [],
    ordinal: 0,
    revision: 0,
    ...more,
  };
};
