/**
 * When the pressures of one measurement make the panel 85354-9: systolic and diastolic both known, and usable. Else a pressure stays
 * alone (clinical.md 21): its profile wants both, and none is invented.
 */
import type { CodeableConcept, ObservationComponent } from "@medplum/fhirtypes";
import type { Companion, Episode } from "../records/telemetry.ts";
import { isMetric, type Pressure, pressureOf } from "../terminology.ts";
import { codeOf, quantity } from "./elements.ts";
import { systems } from "./systems.ts";

export interface Panel {
  readonly code: CodeableConcept;
  /** Systolic, diastolic and, where it was measured, the mean; `crossed` stands with the one that crossed. */
  readonly components: (crossed: CodeableConcept | undefined) => ObservationComponent[];
  /** True where any of its values is questionable. */
  readonly questionable: boolean;
}

const isUsable = (known: Companion | undefined): known is Companion & { readonly value: number } =>
  known !== undefined && known.value !== null && (known.validity === "valid" || known.validity === "questionable");

const codeOfPanel = ({ mdc }: Pressure): CodeableConcept => ({
  coding: [
    { system: systems.loinc, code: "85354-9" },
    { system: systems.mdc, code: String(mdc) },
  ],
  text: "Blood pressure",
});

/** Undefined: the episode is of no blood pressure, or its partner is not known. */
export const panelOf = (episode: Episode): Panel | undefined => {
  const pressure = pressureOf(episode.metric);
  if (pressure === undefined) return undefined;
  const known = new Map<string, Companion>(episode.companions.map((c) => [c.metric, c]));
  const { metric, qualifyingValue: value, qualifyingValidity } = episode;
  known.set(metric, { metric, value, validity: qualifyingValidity });
  const told = [pressure.systolic, pressure.diastolic, pressure.mean].flatMap((metric) => {
    const one = known.get(metric);
    return isMetric(metric) && isUsable(one) ? [{ ...one, metric }] : [];
  });
  const tells = (metric: string): boolean => told.some((one) => one.metric === metric);
  if (!tells(pressure.systolic) || !tells(pressure.diastolic)) return undefined;
  return {
    code: codeOfPanel(pressure),
    components: (crossed) =>
      told.map(({ metric, value }) => ({
        code: codeOf(metric),
        valueQuantity: quantity(value, episode.ucum),
        ...(metric === episode.metric && crossed !== undefined && { interpretation: [crossed] }),
      })),
    questionable: told.some(({ validity }) => validity === "questionable"),
  };
};
