/** What stands beside a resource is disclosed with it: consents are asked about each Observation, in episodes as in reports. */
import { describe, expect, it } from "vitest";
import { aCandidate, anEpisode, aPatient, aRule, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, aFhirConsent, concept } from "../schemas/fhir/consent.fixture.ts";
import { systems } from "../schemas/fhir/systems.ts";
import { metricOf } from "../schemas/terminology.ts";
import { drive } from "../streams/sim/drive.ts";
import { gates } from "./gates.ts";

const policy = {
  destinations: [{ name: "ehr", finalAtEnd: true, purpose: "TREAT" }],
  acceptDemoApprovals: false,
  clockUncertaintyMs: 2_000,
};
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
  const driver = drive(gates(policy));
  const provision = { provision: [{ type: "deny", code: [concept(system, code)] }] };
  driver.send("pk-7", two, aPatient());
  driver.send("pk-7", two, aFhirConsent(aConsentJson({ provision })));
  driver.send("pk-7", two + minutes(6), aCandidate(cuff));
  const [decision] = driver.outputs("decisions").flatMap(({ body }) => (body.kind === "decision" ? [body] : []));
  const [intent] = driver.outputs("outbox").flatMap(({ body }) => (body.kind === "intent" ? [body] : []));
  return { consented: decision?.answers.find(({ gate }) => gate === "consented")?.reason, intent };
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
