/** Gate 2 over every metric and every phase of an episode: what is written, or why not, by name; each refusal beside its permitted twin. */
import { describe, expect, it } from "vitest";
import { anAssociation, aPatient, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import { episodeOf, numerics, phases, waves } from "../../schemas/fhir/every-kind.fixture.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { checkResource, intended, wellFormed, type WellFormedOf } from "./well-formed.ts";

const asked = (episode: Episode, change: Partial<WellFormedOf> = {}) =>
  wellFormed({
    episode,
    patient: aPatient(),
    revision: episode.revision,
    status: "preliminary",
    transform: "gates@2",
    note: null,
    association: anAssociation(),
    destination: { name: "ehr", purpose: "TREAT" },
    stands: false,
    at: two + minutes(6),
    ...change,
  });

const refusals: Readonly<Record<string, string>> = {
  infusionRate: "no-clinical-shape",
  infusedVolume: "no-clinical-shape",
  dialysisArterialPressure: "code-missing",
  dialysisVenousPressure: "code-missing",
  dialysisBloodFlow: "code-missing",
  ultrafiltrationRate: "code-missing",
  ultrafiltrationVolume: "code-missing",
  ...Object.fromEntries(waves.map((wave) => [wave, "no-clinical-shape"])),
};
const every = [...numerics, ...waves].flatMap((metric) => phases.map((phase) => [metric, phase] as const));

describe("an episode of any metric in any phase", () => {
  it.each(every)("%s, %s: is in shape with all that goes with it, or refused by name", (metric, phase) => {
    const { gate, promotion } = asked(episodeOf(metric, phase));
    expect(gate.reason).toBe(refusals[metric] ?? "passed");
    expect(promotion === null).toBe(metric in refusals);
    if (promotion === null) return;
    const { resource, beside, audit } = promotion;
    expect([resource, ...beside, audit].flatMap(checkResource)).toEqual([]);
    expect(beside.at(-1)?.resourceType).toBe("Provenance");
  });

  it("gives the same bytes for the same question, and an update where the destination has it already", () => {
    const bytes = (change: Partial<WellFormedOf> = {}): string => {
      const { promotion } = asked(episodeOf("artMean", "start"), change);
      return promotion === null ? "" : JSON.stringify(intended(promotion));
    };
    expect(bytes()).toBe(bytes());
    expect(bytes()).toContain("CREATE");
    expect(bytes({ stands: true })).not.toContain("CREATE");
    expect(bytes({ stands: true })).toContain("UPDATE");
  });
});

describe("what no shape may hide", () => {
  it.each([
    ["metric-unknown", { metric: "bilirubin" }],
    ["unit-mismatch", { ucum: "1/s" }],
    ["code-mismatch", { loinc: "8889-8" }],
    ["contradiction", { min: 300 }],
  ])("%s is refused, where its twin passes", (reason, change) => {
    const episode = episodeOf("heartRate", "start");
    expect(asked({ ...episode, ...change }).gate).toMatchObject({ passed: false, reason });
    expect(asked(episode).gate.passed).toBe(true);
  });

  it("a resource of a kind that nobody checks is refused", () => {
    expect(checkResource({ resourceType: "Flag" })).toEqual(["no check for Flag"]);
  });

  it("a patient whose id at the destination is none is refused for each resource that names him", () => {
    const { gate } = asked(episodeOf("heartRate", "start"), { patient: aPatient({ fhirId: "p 7" }) });
    expect(gate.reason).toBe("shape");
    expect(gate.detail).toContain("subject.reference");
    expect(gate.detail).toContain("entity");
  });
});
