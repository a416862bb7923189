/** What stands beside a resource is disclosed with it: consents are asked about each Observation, in episodes as in reports. */
import { describe, expect, it } from "vitest";
import { aCandidate, anEpisode, aRule } from "../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, aFhirConsent, concept } from "../schemas/fhir/consent.fixture.ts";
import { systems } from "../schemas/fhir/systems.ts";
import { metricOf } from "../schemas/terminology.ts";
import { answerOf, policyOf, ward } from "./gates.fixture.ts";

/** Of a cuff: the panel of both pressures, with the statistics of the one that crossed beside it. */
const { mdc, loinc } = metricOf("nibpSystolic");
const of = { metric: "nibpSystolic", ucum: "mm[Hg]" } as const;
const cuff = anEpisode({
  ...of,
  ...{ mdc, loinc, rule: aRule(of) },
  companions: [{ metric: "nibpDiastolic", value: 61, validity: "valid" }],
});

/** What becomes of it where all is agreed to but what carries this code. */
const told = (system: string, code: string) => {
  const provision = { provision: [{ type: "deny", code: [concept(system, code)] }] };
  const consents = [aFhirConsent(aConsentJson({ provision }))];
  const { hears, decisions, intents } = ward({ policy: policyOf({ purpose: "TREAT" }), consents });
  hears(aCandidate(cuff));
  return { consented: answerOf(decisions()[0], "consented")?.reason, intent: intents()[0] };
};

describe("the statistics of a pressure, which stand beside its panel", () => {
  it("are asked about: where they are denied nothing is written, and where something else is, both are", () => {
    // of the panel alone it could not be told
    expect(told(systems.component, "episode-period")).toMatchObject({ consented: "consent-denied", intent: undefined });
    const { consented, intent } = told(systems.loinc, "8867-4");
    expect(consented).toBe("passed");
    expect(intent?.beside.map((one) => JSON.parse(one).resourceType)).toEqual(["Observation", "Provenance"]);
  });
});
