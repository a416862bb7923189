/** Compares what an EHR holds with Observations written down by hand from the recording: nothing missing, nothing more, each the same. */
import type { Observation } from "@medplum/fhirtypes";

/** What is written down of each. Codes as `system|code`. */
export interface ExpectedObservation {
  readonly device: string;
  /** `id@version` */
  readonly rule: string;
  readonly subject: string;
  readonly code: readonly string[];
  readonly value: number;
  readonly unit: string;
  readonly effective: string;
  readonly interpretation: string;
  readonly status: string;
}

const ucum = "http://unitsofmeasure.org";

/** The same of a resource. A unit counts only with its UCUM code, and only if both say the same. */
const essentials = (observation: Observation): ExpectedObservation => {
  const { valueQuantity } = observation;
  const { unit = "", code, system } = valueQuantity ?? {};
  return {
    device: observation.device?.identifier?.value ?? "",
    rule: observation.meta?.tag?.find((tag) => tag.system === "urn:afferent:rule")?.code ?? "",
    subject: observation.subject?.reference ?? "",
    code: (observation.code?.coding ?? []).map((coding) => `${coding.system}|${coding.code}`),
    value: valueQuantity?.value ?? Number.NaN,
    unit: system === ucum && unit === code ? unit : `${unit} (${system}|${code})`,
    effective: observation.effectiveDateTime ?? "",
    interpretation: observation.interpretation?.[0]?.coding?.[0]?.code ?? "",
    status: observation.status ?? "",
  };
};

const sorted = (of: readonly ExpectedObservation[]): string[] =>
  of
    .map(({ device, rule, subject, code, value, unit, effective, interpretation, status }) =>
      JSON.stringify({ device, rule, subject, code, value, unit, effective, interpretation, status }),
    )
    .sort();

/** A line for each that is missing (-) or not expected (+); none where the two are the same. */
export const differences = (expected: readonly ExpectedObservation[], found: readonly Observation[]): string[] => {
  const [wanted, had] = [sorted(expected), sorted(found.map(essentials))];
  const left = [...had];
  const missing = wanted.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...missing.map((one) => `- ${one}`), ...left.map((one) => `+ ${one}`)];
};
