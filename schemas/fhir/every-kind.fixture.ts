/** One of each kind of measurement that the Avro schemas can carry, as FHIR: each metric, each validity, each phase of an episode. */
import type { Observation } from "@medplum/fhirtypes";
import type { Result } from "../../streams/core/failure.ts";
import { eventTime, receivedTime } from "../../streams/core/time.ts";
import {
  type Episode,
  episodePhase,
  type Measurement,
  type Validity,
  validity,
  type WaveformChunk,
} from "../records/telemetry.ts";
import { isMetric, type MetricName, metricOf, metrics, pressureOf } from "../terminology.ts";
import { anEpisode, aPatient, aRule, ended, two } from "./clinical.fixture.ts";
import { measurementObservation, waveformObservation } from "./measurement.ts";

const symbolsOf = (field: { readonly avro: unknown }): readonly string[] =>
  (field.avro as { readonly symbols: readonly string[] }).symbols;

export const validities = symbolsOf(validity) as readonly Validity[];
export const phases = symbolsOf(episodePhase) as readonly Episode["phase"][];

const names = Object.keys(metrics).filter(isMetric);
export const numerics = names.filter((name) => !metricOf(name).waveform);
export const waves = names.filter((name) => metricOf(name).waveform);

/** The middle of what is plausible, to a whole number. */
const plausibleValue = (name: MetricName): number => {
  const [least, most] = metricOf(name).plausible;
  return Math.round((least + most) / 2);
};

/** A value is there unless its validity takes it away. */
const keepsValue = (of: Validity): boolean => !["invalid", "empty", "sensorOff"].includes(of);

export const aMeasurement = (metric: MetricName, of: Validity): Measurement => ({
  kind: "measurement",
  identity: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  subject: "subject-7",
  association: "link-7",
  associationRevision: 1,
  device: "mon-07",
  channel: "any",
  metric,
  mdc: metricOf(metric).mdc,
  loinc: metricOf(metric).loinc,
  ucum: metricOf(metric).ucum,
  value: keepsValue(of) ? (of === "indeterminate" ? 0 : plausibleValue(metric)) : null,
  validity: of,
  evidence: null,
  deviceTime: null,
  receivedTime: receivedTime(two),
  eventTime: eventTime(two),
  periodMs: null,
  clockUncertaintyMs: 2_000,
  companions: [],
  ordinal: 0,
  revision: 0,
});

export const aChunk = (metric: MetricName): WaveformChunk => ({
  kind: "waveformChunk",
  identity: "11112222333344445555666677778888",
  subject: "subject-7",
  device: "mon-07",
  channel: "any",
  metric,
  mdc: metricOf(metric).mdc,
  ucum: metricOf(metric).ucum,
  rateHz: 125,
  gain: 200,
  baseline: 1024,
  samples: [1024, 1224, 824],
  deviceTime: null,
  receivedTime: receivedTime(two),
  eventTime: eventTime(two),
});

export interface Kind {
  readonly what: string;
  readonly metric: MetricName;
  readonly result: Result<Observation>;
}

/** Every metric with every validity, and every waveform. */
export const everyMeasurement: readonly Kind[] = [
  ...numerics.flatMap((metric) =>
    validities.map((of) => ({
      what: `${metric}, ${of}`,
      metric,
      result: measurementObservation(aMeasurement(metric, of), aPatient()),
    })),
  ),
  ...waves.map((metric) => ({ what: metric, metric, result: waveformObservation(aChunk(metric), aPatient()) })),
];

/** An episode of a metric in a phase, its pressure with its partners. */
export const episodeOf = (metric: MetricName, phase: Episode["phase"], change: Partial<Episode> = {}): Episode => {
  const { mdc, loinc, ucum } = metricOf(metric);
  const value = plausibleValue(metric);
  const pressure = pressureOf(metric);
  const partners = pressure === undefined ? [] : [pressure.systolic, pressure.diastolic, pressure.mean];
  const open = anEpisode({
    metric,
    mdc,
    loinc,
    ucum,
    rule: aRule({ metric, ucum, limit: value - 1 }),
    qualifyingValue: value,
    extreme: value,
    min: value,
    max: value,
    mean: value,
    companions: partners
      .filter((partner) => partner !== metric)
      .map((partner) => ({ metric: partner, value: plausibleValue(partner), validity: "valid" })),
    ...change,
  });
  return phase === "end" ? ended(open, { phase, extreme: value, max: value, mean: value }) : { ...open, phase };
};
