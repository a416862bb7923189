/**
 * What each kind of measurement means in FHIR, whatever its quality: FHIR is the meaning, Avro the carrier. Only an episode is promoted
 * (observation.ts); by this a single measurement or a stretch of a waveform can be told where somebody asks for it.
 */
import type { Observation } from "@medplum/fhirtypes";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { Patient } from "../records/roster.ts";
import type { Measurement, WaveformChunk } from "../records/telemetry.ts";
import { isMetric, type MetricName, metricOf } from "../terminology.ts";
import { codeOf, concept, deviceOf, quantity, resourceId } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { qualityOf } from "./quality.ts";
import { systems, vitalSignsProfile } from "./systems.ts";

/**
 * Why nothing is written of a metric (clinical.md 24): what a pump gives is an infusion event (rate change, dose complete), no Observation
 * of a value, and a MedicationAdministration needs the medication, which no pump of ours tells. Null: an Observation is its shape.
 */
export const shapelessBecause = (name: MetricName): string | null =>
  name === "infusionRate" || name === "infusedVolume"
    ? `${name} belongs to an infusion event, which is no Observation, and the medication is not known`
    : null;

type Source = Pick<Measurement, "identity" | "device" | "metric">;

const headOf = ({ identity, metric }: Source & { readonly metric: MetricName }, patient: Patient) => {
  const { category, loinc } = metricOf(metric);
  return {
    resourceType: "Observation" as const,
    id: resourceId("ms", "Observation", identity, patient.fhirId),
    profile: category === "vital-signs" && loinc !== null ? [vitalSignsProfile] : undefined,
    identifier: [{ system: systems.measurement, value: identity }],
    ...(category !== null && { category: [concept(systems.category, category)] }),
  };
};

/** Refuses `metric-unknown`, `no-clinical-shape`. */
const nameOf = ({ metric }: Source): Result<MetricName> => {
  if (!isMetric(metric)) return refuse("metric-unknown", `no metric is called ${metric}`);
  const why = shapelessBecause(metric);
  return why === null ? ok(metric) : refuse("no-clinical-shape", why);
};

/** One value with its quality; a value that is none is told as absent. Refuses `metric-unknown`, `no-clinical-shape`. */
export const measurementObservation = (m: Measurement, patient: Patient): Result<Observation> => {
  const name = nameOf(m);
  if (!name.ok) return name;
  const { profile, ...head } = headOf({ ...m, metric: name.value }, patient);
  const { security, interpretation, absent } = qualityOf(m.validity);
  const reason = absent ?? (m.value === null ? concept(systems.absent, "unknown") : null);
  const meta = { ...(profile !== undefined && { profile }), ...(security.length > 0 && { security: [...security] }) };
  return ok({
    ...head,
    ...(Object.keys(meta).length > 0 && { meta }),
    // Nobody has reviewed it (OBX-11 R).
    status: "preliminary",
    code: codeOf(name.value),
    subject: { reference: `Patient/${patient.fhirId}` },
    effectiveDateTime: utcInstant(m.eventTime),
    ...(reason === null ? { valueQuantity: quantity(m.value ?? 0, m.ucum) } : { dataAbsentReason: reason }),
    ...(interpretation.length > 0 && { interpretation: [...interpretation] }),
    device: deviceOf(m.device),
  });
};

/** Samples as they were carried, with the origin and factor that make values of them. Refuses `metric-unknown`. */
export const waveformObservation = (chunk: WaveformChunk, patient: Patient): Result<Observation> => {
  const name = nameOf(chunk);
  if (!name.ok) return name;
  const { profile: _, ...head } = headOf({ ...chunk, metric: name.value }, patient);
  const { samples, rateHz, gain, baseline, ucum, eventTime } = chunk;
  return ok({
    ...head,
    status: "preliminary",
    code: codeOf(name.value),
    subject: { reference: `Patient/${patient.fhirId}` },
    effectivePeriod: {
      start: utcInstant(eventTime),
      end: utcInstant(eventTime + Math.round((samples.length * 1000) / rateHz)),
    },
    device: deviceOf(chunk.device),
    valueSampledData: {
      // value = (sample - baseline) / gain = origin + sample x factor
      origin: quantity(-baseline / gain + 0, ucum),
      period: 1000 / rateHz,
      factor: 1 / gain,
      dimensions: 1,
      data: samples.join(" "),
    },
  });
};
