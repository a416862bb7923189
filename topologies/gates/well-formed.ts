/** Gate 2: what would be written is a valid resource: its shape, and its code and unit as the terminology has them. */
import type { Observation } from "@medplum/fhirtypes";
import { type ObservationOf, observationOf } from "../../schemas/fhir/observation.ts";
import { observationProblems } from "../../schemas/fhir/observation-shape.ts";
import type { Episode, GateAnswer } from "../../schemas/records.ts";
import { isMetric, metricOf } from "../../schemas/terminology.ts";
import { answer, type Objection, objection } from "./answer.ts";

/** Kinds of resource and their compiled checks; a new kind of resource is one line here. */
const checks: Readonly<Record<string, (resource: unknown) => readonly string[]>> = {
  Observation: observationProblems,
};

const codingObjections = (episode: Episode): readonly Objection[] => {
  if (!isMetric(episode.metric)) return [objection("metric-unknown", `no metric is called ${episode.metric}`)];
  const metric = metricOf(episode.metric);
  const wrong = [
    episode.ucum === metric.ucum
      ? []
      : [objection("unit-mismatch", `${episode.metric} is in ${metric.ucum}, not ${episode.ucum}`)],
    episode.loinc === metric.loinc && episode.mdc === metric.mdc
      ? []
      : [objection("code-mismatch", `${episode.metric} is LOINC ${metric.loinc}, MDC ${metric.mdc}`)],
  ].flat();
  if (metric.loinc === null && metric.mdc === null)
    return [...wrong, objection("code-missing", `${episode.metric} has neither a LOINC nor an MDC code`)];
  return wrong;
};

/** A mean is a quotient and may miss its bounds by what it was rounded to. */
const notAbove = (a: number, b: number): boolean => a - b <= 1e-6 * Math.max(1, Math.abs(b));

const orderObjections = (episode: Episode): readonly Objection[] =>
  episode.start <= episode.qualifyingAt &&
  (episode.end === null || episode.end >= episode.qualifyingAt) &&
  notAbove(episode.min, episode.mean) &&
  notAbove(episode.mean, episode.max) &&
  episode.min <= episode.qualifyingValue &&
  episode.qualifyingValue <= episode.max
    ? []
    : [objection("contradiction", "times or statistics of the episode contradict each other")];

export const checkResource = (resource: { readonly resourceType: string }): readonly string[] =>
  checks[resource.resourceType]?.(resource) ?? [`no check for ${resource.resourceType}`];

/**
 * Builds the resource and checks it; without a patient there is nothing to build. Reasons: `not-evaluated`, `metric-unknown`,
 * `unit-mismatch`, `code-mismatch`, `code-missing`, `contradiction`, `shape`.
 */
export const wellFormed = (
  of: Omit<ObservationOf, "patient"> & { readonly patient: ObservationOf["patient"] | undefined },
): { readonly gate: GateAnswer; readonly resource: Observation | null } => {
  const found = [...codingObjections(of.episode), ...orderObjections(of.episode)];
  const { patient } = of;
  if (patient === undefined || !isMetric(of.episode.metric)) {
    const missing = patient === undefined ? [objection("not-evaluated", "no patient to build the resource for")] : [];
    return { gate: answer("wellFormed", [...found, ...missing], ""), resource: null };
  }
  const resource = observationOf({ ...of, patient });
  const shape = checkResource(resource).map((problem) => objection("shape", problem));
  const gate = answer("wellFormed", [...found, ...shape], `a well-formed ${resource.resourceType}`);
  return { gate, resource: gate.passed ? resource : null };
};
