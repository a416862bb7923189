import { describe, expect, it } from "vitest";
import { aPatient, two } from "../../../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, actor, aFhirConsent } from "../../../schemas/fhir/consent.fixture.ts";
import type { FhirConsent } from "../../../schemas/records/consent.ts";
import type { Patient } from "../../../schemas/records/roster.ts";
import type { FoundResource } from "../fhir/search.ts";
import { filed, type Filing, gone, type Known, markedStale } from "./filing.ts";

const filing: Filing = { source: "ehr", baseUrl: "https://ehr.example/fhir", readAt: two };
const known = (patients: readonly Patient[] = [aPatient()], consents: readonly FhirConsent[] = []): Known => ({
  patients,
  consents: new Map([...Map.groupBy(consents, ({ id }) => id)]),
});
const found = (change: Record<string, unknown> = {}): FoundResource => aConsentJson(change) as never;
const identity = { destination: "ehr", fhirId: "q-1", system: "urn:s", namespace: "S", value: "1", type: "MR" };

describe("a Consent that a source gave", () => {
  it("is kept under its patient, with references to the source as it writes them itself", () => {
    const provision = { provision: [{ type: "permit", actor: [actor("https://ehr.example/fhir/Organization/ghh")] }] };
    const { records, dropped } = filed(found({ provision }), known(), filing);
    expect(dropped).toBeNull();
    expect(records).toMatchObject([{ id: "ehr/c-1", version: 1, patientKey: "pk-7", problem: null, readAt: two }]);
    expect(records[0]?.resource).toContain('"reference":"Organization/ghh"');
  });

  it("is not said again while it says the same", () => {
    const [first] = filed(found(), known(), filing).records;
    const before = first === undefined ? [] : [first];
    expect(filed(found(), known(undefined, before), filing).records).toEqual([]);
    expect(filed(found({ status: "inactive" }), known(undefined, before), filing).records).toMatchObject([
      { version: 2 },
    ]);
  });

  it.each([
    ["another's patient", { patient: { reference: "Patient/p-1" } }, "not-our-patient"],
    [
      "a patient of this id elsewhere",
      { patient: { reference: "https://x.example/Patient/p-0007" } },
      "not-our-patient",
    ],
    ["no patient", { patient: null }, "no-patient"],
    ["a patient by name alone", { patient: { display: "Doe" } }, "no-patient"],
    ["no Consent", { resourceType: "OperationOutcome" }, "not-a-consent"],
  ])("is nobody's here where it names %s", (_, change, dropped) => {
    expect(filed(found(change), known(), filing)).toEqual({ records: [], dropped });
  });

  it("is a known patient's by his number, or by the id that this source has of him", () => {
    const byNumber = { patient: { identifier: { system: "urn:example:mrn", value: "0007" } } };
    expect(filed(found(byNumber), known(), filing).records).toHaveLength(1);
    const two_ids = known([aPatient({ identities: [identity] })]);
    expect(filed(found(), two_ids, filing).dropped).toBe("not-our-patient");
    expect(filed(found({ patient: { reference: "Patient/q-1" } }), two_ids, filing).records).toHaveLength(1);
  });

  it("is nobody's where two patients have the number, and the survivor's where they are merged", () => {
    const other = aPatient({ patientKey: "pk-8", fhirId: "p-0007" });
    expect(filed(found(), known([aPatient(), other]), filing).dropped).toBe("ambiguous-patient");
    const merged = aPatient({ patientKey: "pk-8", fhirId: "p-0007", mergedInto: "pk-7" });
    expect(filed(found(), known([aPatient(), merged]), filing).records).toMatchObject([{ patientKey: "pk-7" }]);
  });

  it("survives merges that go in a circle", () => {
    const a = aPatient({ mergedInto: "pk-8" });
    const b = aPatient({ patientKey: "pk-8", fhirId: "p-0008", mergedInto: "pk-7" });
    expect(filed(found(), known([a, b]), filing).records).toMatchObject([{ patientKey: "pk-8" }]);
  });

  it("takes itself from whom it named before", () => {
    const before = aFhirConsent(aConsentJson(), { patientKey: "pk-6", version: 4 });
    const { records } = filed(found(), known(undefined, [before]), filing);
    expect(records).toMatchObject([
      { patientKey: "pk-6", version: 5, resource: null, problem: "it names another patient now" },
      { patientKey: "pk-7", version: 5, problem: null },
    ]);
  });

  it("permits nothing once it names nobody known, once it is gone, and is kept but marked while its source is silent", () => {
    const before = known(undefined, [aFhirConsent(aConsentJson())]);
    expect(filed(found({ patient: null }), before, filing).records).toMatchObject([{ version: 2, resource: null }]);
    expect(gone("ehr/c-1", before, filing)).toMatchObject([{ version: 2, resource: null, problem: null }]);
    const marked = markedStale(before, "consent-stale: x", filing);
    expect(marked).toMatchObject([
      { version: 2, resource: aFhirConsent(aConsentJson()).resource, problem: "consent-stale: x" },
    ]);
    expect(markedStale(known(undefined, marked), "consent-stale: y", filing)).toEqual([]);
  });
});
