/**
 * Gate 2: all that would be written is valid: the resource and what goes with it (members, Provenance, AuditEvent) in shape, and code and
 * unit as the terminology has them.
 */
import type { DiagnosticReport, Observation } from "@medplum/fhirtypes";
import { auditProblems } from "../../schemas/fhir/audit-shape.ts";
import type { Hop } from "../../schemas/fhir/consent-question.ts";
import { type Disclosure, disclosureOf } from "../../schemas/fhir/disclosure.ts";
import { shapelessBecause } from "../../schemas/fhir/measurement.ts";
import { type ObservationOf, observationsOf } from "../../schemas/fhir/observation.ts";
import { observationProblems } from "../../schemas/fhir/observation-shape.ts";
import { provenanceProblems } from "../../schemas/fhir/provenance-shape.ts";
import { reportProblems } from "../../schemas/fhir/report-shape.ts";
import type { GateAnswer, Intent } from "../../schemas/records/clinical.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { isMetric, metricOf } from "../../schemas/terminology.ts";
import { answer, type Objection, objection } from "./answer.ts";

/** Kinds of resource and their compiled checks; a new kind of resource is one line here. */
const checks: Readonly<Record<string, (resource: unknown) => readonly string[]>> = {
  Observation: observationProblems,
  DiagnosticReport: reportProblems,
  Provenance: provenanceProblems,
  AuditEvent: auditProblems,
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
  const shapeless = metric.waveform
    ? `${episode.metric} is a waveform, of which there is no episode`
    : shapelessBecause(episode.metric);
  if (shapeless !== null) return [...wrong, objection("no-clinical-shape", shapeless)];
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

/** All that one promotion writes and keeps. */
export interface Promotion extends Disclosure {
  readonly resource: Observation | DiagnosticReport;
}

/** As an intent carries it. Keys stand in a fixed order. */
export const intended = ({
  resource,
  beside,
  audit,
}: Promotion): Pick<Intent, "resourceType" | "resourceId" | "resource" | "beside" | "audit"> => ({
  resourceType: resource.resourceType,
  resourceId: resource.id ?? "",
  resource: JSON.stringify(resource),
  beside: beside.map((one) => JSON.stringify(one)),
  audit: JSON.stringify(audit),
});

export interface WellFormedOf extends Omit<ObservationOf, "patient"> {
  readonly patient: ObservationOf["patient"] | undefined;
  /** The link by which it is this patient's. */
  readonly association: Pick<Association, "id" | "revision"> | null;
  readonly destination: Pick<Hop, "name" | "purpose">;
  /** True: the destination has it of this patient already. */
  readonly stands: boolean;
  /** Log time at which it is decided (ms). */
  readonly at: number;
}

const promotionOf = (of: WellFormedOf & ObservationOf): Promotion => {
  const { episode, destination, revision } = of;
  const written = observationsOf(of);
  const disclosure = disclosureOf({
    written,
    destination: destination.name,
    purpose: destination.purpose ?? null,
    revision,
    activity: of.stands ? "update" : "create",
    at: of.at,
    transform: of.transform,
    rule: episode.rule,
    inputs: [episode.qualifyingIdentity],
    association: of.association,
  });
  return { resource: written.resource, ...disclosure };
};

/**
 * Builds what is to be written and checks it; without a patient there is nothing to build. Reasons: `not-evaluated`, `metric-unknown`,
 * `unit-mismatch`, `code-mismatch`, `no-clinical-shape`, `code-missing`, `contradiction`, `shape`.
 */
export const wellFormed = (of: WellFormedOf): { readonly gate: GateAnswer; readonly promotion: Promotion | null } => {
  const found = [...codingObjections(of.episode), ...orderObjections(of.episode)];
  const { patient } = of;
  if (patient === undefined || !isMetric(of.episode.metric)) {
    const missing = patient === undefined ? [objection("not-evaluated", "no patient to build the resource for")] : [];
    return { gate: answer("wellFormed", [...found, ...missing], ""), promotion: null };
  }
  const promotion = promotionOf({ ...of, patient });
  const { resource, beside, audit } = promotion;
  const shape = [resource, ...beside, audit].flatMap(checkResource).map((problem) => objection("shape", problem));
  const gate = answer("wellFormed", [...found, ...shape], `a well-formed ${resource.resourceType}`);
  return { gate, promotion: gate.passed ? promotion : null };
};
