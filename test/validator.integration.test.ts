import { describe, expect, it } from "vitest";
import { errorsOf, validateFhir } from "../deploy/validator.ts";

const heartRate = {
  resourceType: "Observation",
  id: "hr",
  meta: { profile: ["http://hl7.org/fhir/StructureDefinition/heartrate"] },
  status: "preliminary",
  category: [
    { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] },
  ],
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  subject: { reference: "Patient/p" },
  effectiveDateTime: "2026-01-01T00:00:00Z",
  valueQuantity: { value: 132, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
};

const { subject: _, ...withoutSubject } = heartRate;

const cases = [
  { what: "a heart rate as its profile wants it", resource: heartRate, error: undefined },
  {
    what: "a heart rate in mmHg",
    resource: { ...heartRate, valueQuantity: { ...heartRate.valueQuantity, code: "mm[Hg]" } },
    error: /\/min/,
  },
  { what: "a status that FHIR does not know", resource: { ...heartRate, status: "done" }, error: /done/ },
  { what: "an element that FHIR does not know", resource: { ...heartRate, bed: "7" }, error: /bed/ },
  { what: "a vital sign of nobody", resource: withoutSubject, error: /subject/ },
  { what: "no effective time", resource: { ...heartRate, effectiveDateTime: undefined }, error: /effective|vs-1/ },
];

describe("the offline FHIR validator", () => {
  it("passes the valid and names what is wrong with the others, all from one start", async () => {
    const found = await validateFhir(cases.map(({ resource }) => resource));
    for (const [at, { what, error }] of cases.entries()) {
      const errors = errorsOf(found[at] ?? []).map(({ message, location }) => `${location}: ${message}`);
      if (error === undefined) expect(errors, what).toEqual([]);
      else expect(errors.join("\n"), what).toMatch(error);
    }
  });

  it("holds a resource to a profile that it does not claim itself", async () => {
    const plain = { ...heartRate, meta: {}, category: [] };
    const profiles = ["http://hl7.org/fhir/StructureDefinition/heartrate"];
    const [held] = await validateFhir([plain], { profiles });
    expect(JSON.stringify(errorsOf(held ?? []))).toMatch(/category/);
  });
});
