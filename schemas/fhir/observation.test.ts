import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isMetric, type MetricName, metricOf, metrics } from "../terminology.ts";
import { anEpisode, aPatient, aRule, ended } from "./clinical.fixture.ts";
import { observationId, observationOf, type ObservationOf } from "./observation.ts";
import { observationProblems } from "./observation-shape.ts";

const golden = (name: string): string => readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8");

const of = (change: Partial<ObservationOf> = {}): ObservationOf => ({
  episode: anEpisode(),
  patient: aPatient(),
  revision: 0,
  status: "preliminary",
  transform: "gates@1",
  note: null,
  ...change,
});

const vitalCodes = (metric: string): string[] => {
  const episode = anEpisode({ metric });
  return (observationOf(of({ episode })).code.coding ?? []).map((c) => c.code ?? "");
};

describe("the Observation of an episode", () => {
  it.each([
    ["heart-rate-open", of()],
    ["heart-rate-ended", of({ episode: ended(anEpisode()), revision: 1, status: "final" })],
    [
      "spo2-questionable-critical",
      of({
        episode: anEpisode({
          metric: "spo2",
          mdc: 150456,
          loinc: "59408-5",
          ucum: "%",
          device: "mon-07",
          channel: "spo2",
          rule: aRule({ id: "spo2-low", when: "below", limit: 88, critical: true, metric: "spo2", ucum: "%" }),
          qualifyingValue: 86,
          qualifyingValidity: "questionable",
          extreme: 84,
          min: 84,
          max: 87,
          mean: 85.5,
        }),
        patient: aPatient({ encounterFhirId: null }),
      }),
    ],
  ])("is written as %s.json says, which was written by hand", (name, what) => {
    expect(JSON.parse(JSON.stringify(observationOf(what)))).toEqual(JSON.parse(golden(name)));
  });

  it("keeps its keys in one order, so that the same episode gives the same bytes", () => {
    expect(Object.keys(observationOf(of()))).toEqual(Object.keys(JSON.parse(golden("heart-rate-open")) as object));
    expect(JSON.stringify(observationOf(of()))).toBe(JSON.stringify(observationOf(of())));
  });

  it("reports the qualifying sample and never the episode's extreme", () => {
    const written = observationOf(of({ episode: ended(anEpisode()) }));
    expect(written.valueQuantity?.value).toBe(128);
    expect(written.effectiveDateTime).toBe("2026-11-21T14:05:10.000Z");
  });

  it.each([
    ["above", 120, false, "H"],
    ["above", 120, true, "HH"],
    ["below", 50, false, "L"],
    ["below", 40, true, "LL"],
    ["equals", 0, false, "L"],
  ] as const)("a rule %s %d, critical %s, is interpreted %s", (when, limit, critical, code) => {
    const written = observationOf(of({ episode: anEpisode({ rule: aRule({ when, limit, critical }) }) }));
    expect(written.interpretation?.[0]?.coding?.[0]?.code).toBe(code);
  });

  it("keeps a pulse a pulse, a lone pressure no panel, and SpO2 findable by both of its codes", () => {
    expect(vitalCodes("pulseRate")).toEqual(["8889-8", "8867-4", "149530"]);
    expect(vitalCodes("nibpMean")).toEqual(["8478-0", "150023"]);
    expect(vitalCodes("artMean")).toEqual(["76214-6", "8478-0", "150039"]);
    expect(vitalCodes("spo2")).toEqual(["59408-5", "2708-6", "150456"]);
  });

  it("says that a demo's approval makes test data, and nothing of the kind otherwise", () => {
    const rule = aRule({ approval: { by: "Demo ward", at: 0, demo: true } });
    expect(observationOf(of({ episode: anEpisode({ rule }) })).meta?.security).toEqual([
      { system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "HTEST" },
    ]);
    expect(observationOf(of()).meta?.security).toBeUndefined();
  });

  it("gets another id for another patient: the subject of what exists is never changed (clinical.md 10)", () => {
    const episode = anEpisode();
    expect(observationId(episode, aPatient())).toBe(observationId(ended(episode), aPatient({ version: 2 })));
    expect(observationId(episode, aPatient())).not.toBe(observationId(episode, aPatient({ fhirId: "p-0008" })));
  });

  it("has no place for a serial, a bed or a name", () => {
    expect(JSON.stringify(observationOf(of()))).not.toMatch(/serial|bed|icu-1-07|Okafor|Brandt|referenceRange/);
  });
});

describe("the compiled shape", () => {
  const numerics = Object.keys(metrics)
    .filter(isMetric)
    .filter((name) => !metricOf(name).waveform);
  const isCoded = (name: MetricName): boolean => metricOf(name).loinc !== null || metricOf(name).mdc !== null;
  const problemsOf = (metric: MetricName): readonly string[] => {
    const { mdc, loinc, ucum } = metricOf(metric);
    return observationProblems(observationOf(of({ episode: anEpisode({ metric, mdc, loinc, ucum }) })));
  };

  it.each(numerics.filter(isCoded))("takes an Observation of %s", (metric) => {
    expect(problemsOf(metric)).toEqual([]);
  });

  it.each(numerics.filter((name) => !isCoded(name)))("refuses one of %s, which has no published code", (metric) => {
    expect(problemsOf(metric)).toEqual(["code: needs a LOINC or MDC coding"]);
  });

  const broken = (change: object): unknown => ({ ...observationOf(of()), ...change });
  it.each([
    ["an unknown element", broken({ performedBy: "x" }), "performedBy"],
    ["no code", broken({ code: undefined }), "code"],
    ["a subject that is no patient", broken({ subject: { reference: "Practitioner/1" } }), "subject.reference"],
    ["a status out of the blue", broken({ status: "done" }), "status"],
    ["a local time", broken({ effectiveDateTime: "2026-11-21T14:05:10" }), "effectiveDateTime"],
    [
      "a value that is no number",
      broken({ valueQuantity: { value: Number.NaN, unit: "/min" } }),
      "valueQuantity.value",
    ],
    [
      "a unit that is not its code",
      broken({ valueQuantity: { value: 1, unit: "bpm", system: "http://unitsofmeasure.org", code: "/min" } }),
      "unit and UCUM code differ",
    ],
    ["the profile without its category", broken({ category: undefined }), "category"],
    ["no revision tag", broken({ meta: { tag: [] } }), "meta.tag"],
  ])("refuses %s and says where", (_, resource, place) => {
    expect(observationProblems(resource).join("\n")).toContain(place);
  });
});
