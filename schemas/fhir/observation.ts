/**
 * Builds what is written of a promoted episode (clinical.md 21): value and time are the qualifying sample's; least, greatest, mean, count
 * and duration of the episode are components, for a blood pressure panel those of a member Observation; no reference range, for a chart
 * would show an alarm limit as the normal range. Nothing depends on when or where it is built, so that every run writes the same bytes.
 */
import type { CodeableConcept, Coding, Observation, ObservationComponent } from "@medplum/fhirtypes";
import type { Rule } from "../records/broadcast.ts";
import type { Patient } from "../records/roster.ts";
import type { Episode } from "../records/telemetry.ts";
import { isMetric, type MetricName, metricOf } from "../terminology.ts";
import { codeOf, concept, deviceOf, quantity, resourceId, statisticsOf, tagsOf } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { panelOf } from "./panel.ts";
import { inAlarm, type Quality, qualityOf, testData } from "./quality.ts";
import { systems, vitalSignsProfile } from "./systems.ts";

export interface ObservationOf {
  readonly episode: Episode;
  readonly patient: Patient;
  /** Grows with every change of what is written under one identity; what an older write can't beat. */
  readonly revision: number;
  readonly status: "preliminary" | "final" | "amended";
  /** Name and version of what built it, e.g. "gates@1": by it every resource of a faulty version can be found (clinical.md 24). */
  readonly transform: string;
  /** What else must be said in words, e.g. that further episodes were folded into this one; null: nothing. */
  readonly note: string | null;
}

export interface WrittenObservation {
  readonly resource: Observation;
  /** What it refers to: to be there before it, or together with it. */
  readonly beside: readonly Observation[];
}

/**
 * The id under which a destination keeps it. The patient is part of it: a link that is corrected makes another resource
 * and never changes the subject of an existing one (clinical.md 10).
 */
export const observationId = (episode: Pick<Episode, "identity">, patient: Pick<Patient, "fhirId">): string =>
  resourceId("ep", "Observation", episode.identity, patient.fhirId);

const statisticsId = (episode: Episode, patient: Patient): string =>
  resourceId("st", "Observation", episode.identity, patient.fhirId);

/** H or L as the limit lies; HH or LL only where the approved rule says critical. */
const crossedOf = (rule: Rule): CodeableConcept | undefined => {
  const side = rule.when === "above" ? "H" : rule.when === "below" || rule.limit === 0 ? "L" : undefined;
  return side === undefined ? undefined : concept(systems.interpretation, rule.critical ? side + side : side);
};

/**
 * From the first crossing sample to the last; without an end while it goes on, as FHIR's Period has it. No published code says that, so ours
 * does, with its meaning in words. Not a quantity in seconds: the vitalsigns profile binds the units of components; nor the Observation's own
 * time, for that profile's vs-1 lets it be no period.
 */
const episodePeriod = ({ start, end }: Episode): ObservationComponent => ({
  code: concept(systems.component, "episode-period", "Duration of the episode: first to last crossing sample"),
  valuePeriod: { start: utcInstant(start), ...(end !== null && { end: utcInstant(end) }) },
});

/** A demo's data says that it is one. */
const securityOf = ({ rule }: Episode, { security }: Quality): Coding[] => [
  ...security,
  ...(rule.approval?.demo === true && !security.includes(testData) ? [testData] : []),
];

/** The qualifying value, or why there is none. */
const toldValueOf = (
  { qualifyingValue, ucum }: Episode,
  { absent }: Quality,
): Pick<Observation, "valueQuantity" | "dataAbsentReason"> =>
  absent === null ? { valueQuantity: quantity(qualifyingValue, ucum) } : { dataAbsentReason: absent };

/** What the Observation of an episode and that of its statistics begin with. */
const headOf = (of: ObservationOf, name: MetricName, id: string, identity: string, security: Coding[]) => {
  const { loinc, category } = metricOf(name);
  const { rule } = of.episode;
  return {
    resourceType: "Observation" as const,
    id,
    meta: {
      ...(category === "vital-signs" && loinc !== null && { profile: [vitalSignsProfile] }),
      ...(security.length > 0 && { security }),
      tag: tagsOf({ revision: of.revision, rule: `${rule.id}@${rule.version}`, transform: of.transform }),
    },
    identifier: [{ system: systems.episode, value: identity }],
    status: of.status,
    ...(category !== null && { category: [concept(systems.category, category)] }),
  };
};

const aboutOf = ({ patient }: ObservationOf) => ({
  subject: { reference: `Patient/${patient.fhirId}` },
  ...(patient.encounterFhirId !== null && { encounter: { reference: `Encounter/${patient.encounterFhirId}` } }),
});

/** The statistics of a pressure: as components of the panel they would read as pressures of the one measurement. */
const statisticsObservation = (of: ObservationOf, name: MetricName, security: Coding[]): Observation => {
  const { episode, patient } = of;
  return {
    ...headOf(of, name, statisticsId(episode, patient), `${episode.identity}/statistics`, security),
    code: codeOf(name),
    ...aboutOf(of),
    effectiveDateTime: utcInstant(episode.qualifyingAt),
    device: deviceOf(episode.device),
    component: [...statisticsOf(episode, episode.ucum), episodePeriod(episode)],
  };
};

/** Keys stand in a fixed order. Throws where the metric is not one of ours: `wellFormed` asks before. */
export const observationsOf = (of: ObservationOf): WrittenObservation => {
  const { episode, patient } = of;
  if (!isMetric(episode.metric)) throw new RangeError(`observation: no metric is called ${episode.metric}`);
  const panel = panelOf(episode);
  const quality = qualityOf(panel?.questionable === true ? "questionable" : episode.qualifyingValidity);
  const security = securityOf(episode, quality);
  const crossed = crossedOf(episode.rule);
  const interpretation = [
    ...(panel === undefined && crossed !== undefined ? [crossed] : []),
    ...quality.interpretation,
    ...(episode.phase === "end" ? [] : [inAlarm]),
  ];
  const statistics = panel === undefined ? undefined : statisticsObservation(of, episode.metric, security);
  const resource: Observation = {
    ...headOf(of, episode.metric, observationId(episode, patient), episode.identity, security),
    code: panel?.code ?? codeOf(episode.metric),
    ...aboutOf(of),
    effectiveDateTime: utcInstant(episode.qualifyingAt),
    ...(panel === undefined && toldValueOf(episode, quality)),
    ...(interpretation.length > 0 && { interpretation }),
    ...(of.note !== null && { note: [{ text: of.note }] }),
    device: deviceOf(episode.device),
    ...(statistics !== undefined && { hasMember: [{ reference: `Observation/${statistics.id}` }] }),
    component: panel?.components(crossed) ?? [...statisticsOf(episode, episode.ucum), episodePeriod(episode)],
  };
  return { resource, beside: statistics === undefined ? [] : [statistics] };
};

/** Without what stands beside it. */
export const observationOf = (of: ObservationOf): Observation => observationsOf(of).resource;
