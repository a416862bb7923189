/** The parts that all our resources share, each written in one way. Keys stand in a fixed order: the same fact gives the same bytes. */
import type { CodeableConcept, Coding, ObservationComponent, Quantity, Reference, Device } from "@medplum/fhirtypes";
import { contentHash } from "../../streams/core/hash.ts";
import { type MetricName, metricOf } from "../terminology.ts";
import { systems } from "./systems.ts";

/**
 * LOINC codes that stand beside a metric's own. 2708-6 is what the oxygensat profile asks for; 8867-4 what the heartrate
 * profile asks for, while 8889-8 and the MDC code keep a pulse a pulse (facts: a pulse deficit would be lost); generic
 * pressures stand beside invasive ones. A lone pressure is never the panel 85354-9, whose profile wants two of them.
 */
const alsoCoded: Readonly<Record<string, readonly string[]>> = {
  "59408-5": ["2708-6"],
  "8889-8": ["8867-4"],
  "76215-3": ["8480-6"],
  "76213-8": ["8462-4"],
  "76214-6": ["8478-0"],
};

/** An id of a destination's, 43 characters: the same facts give the same id. */
export const resourceId = (prefix: string, ...facts: readonly (string | number)[]): string =>
  `${prefix}-${contentHash(...facts).slice(0, 40)}`;

export const quantity = (value: number, ucum: string): Quantity => ({
  value,
  unit: ucum,
  system: systems.ucum,
  code: ucum,
});

export const concept = (system: string, code: string, text?: string): CodeableConcept => ({
  coding: [{ system, code }],
  ...(text !== undefined && { text }),
});

/** LOINC first, then MDC; a metric without LOINC carries its MDC code alone, and one with neither our own name for it. */
export const codeOf = (name: MetricName): CodeableConcept => {
  const { loinc, mdc, display } = metricOf(name);
  const loincs = loinc === null ? [] : [loinc, ...(alsoCoded[loinc] ?? [])];
  const coding: Coding[] = loincs.map((code) => ({ system: systems.loinc, code }));
  if (mdc !== null) coding.push({ system: systems.mdc, code: String(mdc) });
  if (coding.length === 0) coding.push({ system: systems.metric, code: name });
  return { coding, text: display };
};

/** By our own opaque id: a serial never leaves (clinical.md 18). */
export const deviceOf = (device: string): Reference<Device> => ({
  type: "Device",
  identifier: { system: systems.device, value: device },
});

export interface Tagged {
  readonly revision: number;
  /** "id@version"; null: no rule asked for it. */
  readonly rule: string | null;
  readonly transform: string;
}

/** By these every resource of a faulty transform or rule can be found, and an older write is known as one (clinical.md 24). */
export const tagsOf = ({ revision, rule, transform }: Tagged): Coding[] => [
  { system: systems.revision, code: String(revision) },
  ...(rule === null ? [] : [{ system: systems.rule, code: rule }]),
  { system: systems.transform, code: transform },
];

/** A mean is a quotient: three decimals are more than any device resolves. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly count: number;
}

/** Least, greatest, mean and count. The count is an integer, for the vitalsigns profile lets no unit of a count stand in a component. */
export const statisticsOf = ({ min, max, mean, count }: Statistics, ucum: string): ObservationComponent[] => [
  { code: concept(systems.statistics, "minimum"), valueQuantity: quantity(min, ucum) },
  { code: concept(systems.statistics, "maximum"), valueQuantity: quantity(max, ucum) },
  { code: concept(systems.statistics, "average"), valueQuantity: quantity(rounded(mean), ucum) },
  { code: concept(systems.statistics, "count"), valueInteger: count },
];
