/**
 * Builds the one Observation of a promoted episode (clinical.md 21): value and time are the qualifying sample's; least,
 * greatest, mean, count and duration of the episode are components; no reference range, for a chart would show an alarm
 * limit as the normal range. Nothing in it depends on when or where it is built, so that every run writes the same bytes.
 */
import type { CodeableConcept, Coding, Observation, ObservationComponent, Quantity } from "@medplum/fhirtypes";
import { contentHash } from "../../streams/core/hash.ts";
import type { Episode, Patient, Rule } from "../records.ts";
import { isMetric, type Metric, metricOf } from "../terminology.ts";
import { utcInstant } from "./instant.ts";
import { systems, vitalSignsProfile } from "./systems.ts";

/**
 * LOINC codes that stand beside a metric's own. 2708-6 is what the oxygensat profile asks for; 8867-4 what the heartrate
 * profile asks for, while 8889-8 and the MDC code keep a pulse a pulse (facts: a pulse deficit would be lost); generic
 * pressures stand beside invasive ones. A lone pressure is never the panel 85354-9, whose profile wants two of them.
 */
const companions: Readonly<Record<string, readonly string[]>> = {
  "59408-5": ["2708-6"],
  "8889-8": ["8867-4"],
  "76215-3": ["8480-6"],
  "76213-8": ["8462-4"],
  "76214-6": ["8478-0"],
};

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

/**
 * The id under which a destination keeps it. The patient is part of it: a link that is corrected makes another resource
 * and never changes the subject of an existing one (clinical.md 10).
 */
export const observationId = (episode: Pick<Episode, "identity">, patient: Pick<Patient, "fhirId">): string =>
  `ep-${contentHash("Observation", episode.identity, patient.fhirId).slice(0, 40)}`;

const quantity = (value: number, ucum: string): Quantity => ({ value, unit: ucum, system: systems.ucum, code: ucum });

/** LOINC first, then MDC; a metric without LOINC carries its MDC code alone. */
const codeOf = (metric: Metric): CodeableConcept => {
  const loincs = metric.loinc === null ? [] : [metric.loinc, ...(companions[metric.loinc] ?? [])];
  const coding: Coding[] = loincs.map((code) => ({ system: systems.loinc, code }));
  if (metric.mdc !== null) coding.push({ system: systems.mdc, code: String(metric.mdc) });
  return { ...(coding.length > 0 && { coding }), text: metric.display };
};

/** H or L as the limit lies; HH or LL only where the approved rule says critical. */
const interpretationOf = (rule: Rule): CodeableConcept[] | undefined => {
  const side = rule.when === "above" ? "H" : rule.when === "below" || rule.limit === 0 ? "L" : undefined;
  if (side === undefined) return undefined;
  return [{ coding: [{ system: systems.interpretation, code: rule.critical ? side + side : side }] }];
};

const statistic = (code: string, value: Quantity): ObservationComponent => ({
  code: { coding: [{ system: systems.statistics, code }] },
  valueQuantity: value,
});

/** A mean is a quotient: three decimals are more than any device resolves. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** How many crossing samples: an integer, for the vitalsigns profile lets no unit of a count stand in a component. */
const sampleCount = (episode: Episode): ObservationComponent => ({
  code: { coding: [{ system: systems.statistics, code: "count" }] },
  valueInteger: episode.count,
});

/**
 * From the first crossing sample to the last; without an end while it goes on, as FHIR's Period has it. No published code says
 * that, so ours does, with its meaning in words. Not a quantity in seconds: the vitalsigns profile binds the units of components.
 */
const episodePeriod = (episode: Episode): ObservationComponent => ({
  code: {
    coding: [{ system: systems.component, code: "episode-period" }],
    text: "Duration of the episode: first to last crossing sample",
  },
  valuePeriod: {
    start: utcInstant(episode.start),
    ...(episode.end !== null && { end: utcInstant(episode.end) }),
  },
});

/** Keys stand in a fixed order. Throws where the metric is not one of ours: `wellFormed` asks before. */
export const observationOf = (of: ObservationOf): Observation => {
  const { episode, patient } = of;
  if (!isMetric(episode.metric)) throw new RangeError(`observation: no metric is called ${episode.metric}`);
  const metric = metricOf(episode.metric);
  const interpretation = interpretationOf(episode.rule);
  const security = securityOf(episode);
  return {
    resourceType: "Observation",
    id: observationId(episode, patient),
    meta: {
      ...(metric.category === "vital-signs" && metric.loinc !== null && { profile: [vitalSignsProfile] }),
      ...(security.length > 0 && { security }),
      tag: [
        { system: systems.revision, code: String(of.revision) },
        { system: systems.rule, code: `${episode.rule.id}@${episode.rule.version}` },
        { system: systems.transform, code: of.transform },
      ],
    },
    identifier: [{ system: systems.episode, value: episode.identity }],
    status: of.status,
    ...(metric.category !== null && {
      category: [{ coding: [{ system: systems.category, code: metric.category }] }],
    }),
    code: codeOf(metric),
    subject: { reference: `Patient/${patient.fhirId}` },
    ...(patient.encounterFhirId !== null && { encounter: { reference: `Encounter/${patient.encounterFhirId}` } }),
    effectiveDateTime: utcInstant(episode.qualifyingAt),
    valueQuantity: quantity(episode.qualifyingValue, episode.ucum),
    ...(interpretation !== undefined && { interpretation }),
    ...(of.note !== null && { note: [{ text: of.note }] }),
    device: { type: "Device", identifier: { system: systems.device, value: episode.device } },
    component: [
      statistic("minimum", quantity(episode.min, episode.ucum)),
      statistic("maximum", quantity(episode.max, episode.ucum)),
      statistic("average", quantity(rounded(episode.mean), episode.ucum)),
      sampleCount(episode),
      episodePeriod(episode),
    ],
  };
};

/** A questionable value keeps its value and says so (no dataAbsentReason beside a value: FHIR obs-6); a demo's data says that it is one. */
const securityOf = (episode: Episode): Coding[] => [
  ...(episode.qualifyingValidity === "questionable" ? [{ system: systems.integrity, code: "UNCERTREL" }] : []),
  ...(episode.rule.approval?.demo === true ? [{ system: systems.actReason, code: "HTEST" }] : []),
];
