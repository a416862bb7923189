/** How FHIR's codes and units stand in PCD-01: MDC first with its reference id, LOINC as the alternative (type CWE), UCUM or MDC units. */
import type { CodeableConcept, Coding } from "@medplum/fhirtypes";
import { systems } from "../fhir/systems.ts";
import { metrics } from "../terminology.ts";
import { components } from "./encoding.ts";

/** HL7 table 0396. */
const systemNames: Readonly<Record<string, string>> = {
  [systems.mdc]: "MDC",
  [systems.loinc]: "LN",
  [systems.snomed]: "SCT",
};
const localSystem = "99AFFERENT";

/** Reference ids by code; the two panels' are from the shared table of MDC terms. */
const mdcNames: ReadonlyMap<string, string> = new Map([
  ["150020", "MDC_PRESS_BLD_NONINV"],
  ["150036", "MDC_PRESS_BLD_ART_ABP"],
  ...Object.values(metrics).flatMap(({ mdc, mdcRefId }): [string, string][] =>
    mdc === null || mdcRefId === null ? [] : [[String(mdc), mdcRefId]],
  ),
]);

const triplet = ({ system = "", code = "" }: Coding, text: string): readonly [string, string, string] => [
  code,
  system === systems.mdc ? (mdcNames.get(code) ?? "") : text,
  systemNames[system] ?? localSystem,
];

/** The device's own code, and the one that a chart knows it by as the alternative. */
export const codedElement = ({ coding = [], text = "" }: CodeableConcept): string => {
  const mdc = coding.find(({ system }) => system === systems.mdc);
  const loinc = coding.find(({ system }) => system === systems.loinc);
  const [first, second] = [mdc, loinc].filter((one) => one !== undefined);
  if (first === undefined) return components(...triplet(coding[0] ?? {}, text));
  return components(...triplet(first, text), ...(second === undefined ? [] : triplet(second, text)));
};

/** UCUM by MDC (IHE Rosetta; the shared table of units); per minute is another unit for a heart than for lungs. */
const mdcUnits: Readonly<Record<string, readonly [string, string]>> = {
  "mm[Hg]": ["266016", "MDC_DIM_MMHG"],
  "%": ["262688", "MDC_DIM_PERCENT"],
  Cel: ["268192", "MDC_DIM_DEGC"],
  "mL/h": ["265266", "MDC_DIM_MILLI_L_PER_HR"],
};
const beats = ["264864", "MDC_DIM_BEAT_PER_MIN"] as const;
const breaths = ["264928", "MDC_DIM_RESP_PER_MIN"] as const;

const rateOf = ({ coding = [] }: CodeableConcept): readonly [string, string] | undefined => {
  const code = Number(coding.find(({ system }) => system === systems.mdc)?.code);
  if (code === metrics.heartRate.mdc || code === metrics.pulseRate.mdc) return beats;
  return code === metrics.respiratoryRate.mdc ? breaths : undefined;
};

/** OBX-6. A unit that MDC has no verified code for stays UCUM, which PCD-01 takes as well. */
export const unitOf = (ucum: string, of: CodeableConcept, units: "ucum" | "mdc"): string => {
  const known = units === "ucum" ? undefined : ucum === "/min" ? rateOf(of) : mdcUnits[ucum];
  return known === undefined ? components(ucum, ucum, "UCUM") : components(...known, "MDC");
};
