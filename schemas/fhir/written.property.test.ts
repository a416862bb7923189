/** Whatever an episode says: what is written of it is in shape, says the same after JSON, and each part knows the others. */
import type { Observation } from "@medplum/fhirtypes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Companion, Episode } from "../records/telemetry.ts";
import { auditProblems } from "./audit-shape.ts";
import { aPatient, aRule, minutes, two } from "./clinical.fixture.ts";
import { disclosureOf } from "./disclosure.ts";
import { episodeOf, numerics, phases, validities } from "./every-kind.fixture.ts";
import { observationProblems } from "./observation-shape.ts";
import { observationsOf } from "./observation.ts";
import { provenanceProblems } from "./provenance-shape.ts";
import { retractionOf } from "./retraction.ts";

const published = numerics.filter((metric) => !metric.startsWith("dialysis") && !metric.startsWith("ultra"));
const values = fc.double({ min: -1000, max: 40_000, noNaN: true }).map((value) => value + 0);

const companions: fc.Arbitrary<Companion[]> = fc.array(
  fc.record({
    metric: fc.constantFrom(...published),
    value: fc.option(values),
    validity: fc.constantFrom(...validities),
  }),
  { maxLength: 4 },
);

const episodes: fc.Arbitrary<Episode> = fc
  .record({
    metric: fc.constantFrom(...published),
    phase: fc.constantFrom(...phases),
    value: values,
    validity: fc.constantFrom(...validities),
    companions,
    critical: fc.boolean(),
    demo: fc.boolean(),
    when: fc.constantFrom("above", "below", "equals", "indeterminateZero"),
  })
  .map(({ metric, phase, value, validity, critical, demo, when, ...of }) => {
    const approval = { by: "Dr. Ada Brandt", at: two, demo };
    return episodeOf(metric, phase, {
      ...of,
      rule: aRule({ metric, critical, when, approval }),
      qualifyingValue: value,
      qualifyingValidity: validity,
    });
  });

const told = (episode: Episode, fhirId: string) => {
  const patient = aPatient({ fhirId });
  const { revision, rule, qualifyingIdentity } = episode;
  const written = observationsOf({
    episode,
    patient,
    revision,
    status: "preliminary",
    transform: "gates@2",
    note: null,
  });
  const about = { revision, at: two + minutes(6), transform: "gates@2", rule, inputs: [qualifyingIdentity] };
  const of = { ...about, destination: "ehr", purpose: null, association: null };
  return { written, of, ...disclosureOf({ ...of, written, activity: "create" }) };
};

/** What a retraction leaves as it was. */
const essentials = ({ id, subject, code, valueQuantity, component }: Observation) => ({
  id,
  subject,
  code,
  valueQuantity,
  component,
});

describe("what is written of any episode", () => {
  it("is in shape, and tells a value or why there is none, never both", () => {
    fc.assert(
      fc.property(episodes, (episode) => {
        const { written, beside, audit } = told(episode, "p-1");
        const observations = [written.resource, ...written.beside];
        expect(observations.flatMap(observationProblems)).toEqual([]);
        expect(provenanceProblems(beside.at(-1))).toEqual([]);
        expect(auditProblems(audit)).toEqual([]);
        const { valueQuantity, dataAbsentReason, hasMember } = written.resource;
        expect([valueQuantity, dataAbsentReason, hasMember].filter((one) => one !== undefined)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  it("says the same after JSON, has ids of its own, and each reference in it is to be found in it", () => {
    fc.assert(
      fc.property(episodes, (episode) => {
        const { written, beside } = told(episode, "p-1");
        const all = [written.resource, ...beside];
        expect(JSON.parse(JSON.stringify(all))).toEqual(all);
        const known = new Set(all.map(({ resourceType, id }) => `${resourceType}/${id}`));
        expect(known.size).toBe(all.length);
        const references = JSON.stringify(all).matchAll(/"reference":"((?:Observation|Provenance)\/[^"]+)"/g);
        for (const [, reference] of references) expect(known).toContain(reference);
      }),
      { numRuns: 300 },
    );
  });

  it("shares no id with another patient's, though the episode be the same (clinical.md 10)", () => {
    fc.assert(
      fc.property(episodes, (episode) => {
        const ids = (fhirId: string) => {
          const { written, beside, audit } = told(episode, fhirId);
          return [written.resource, ...beside, audit].map(({ id }) => id);
        };
        expect(new Set([...ids("p-1"), ...ids("p-2")]).size).toBe(2 * ids("p-1").length);
      }),
      { numRuns: 100 },
    );
  });

  it("is taken back whole: the same ids and subjects, all in error, values kept", () => {
    fc.assert(
      fc.property(episodes, (episode) => {
        const { written, beside, of } = told(episode, "p-1");
        const before = [written.resource, ...written.beside];
        const intent = {
          resource: JSON.stringify(written.resource),
          beside: beside.map((one) => JSON.stringify(one)),
          destination: "ehr",
        };
        const taken = retractionOf(intent, { ...of, revision: of.revision + 1, reason: "Entered in error: a test" });
        const after = [taken.resource, ...taken.beside].filter((one) => one.resourceType === "Observation");
        expect(after.flatMap(observationProblems)).toEqual([]);
        expect(after.map(({ status }) => status)).toEqual(before.map(() => "entered-in-error"));
        expect(after.map(essentials)).toEqual(before.map(essentials));
      }),
      { numRuns: 200 },
    );
  });
});
