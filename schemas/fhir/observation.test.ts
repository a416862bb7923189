import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isMetric, type MetricName, metricOf, metrics } from "../terminology.ts";
import type { Episode } from "../records/telemetry.ts";
import { anEpisode, aPatient, aRule, ended } from "./clinical.fixture.ts";
import { observationId, observationOf, type ObservationOf, observationsOf } from "./observation.ts";
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

/** 14:05:10, a cuff gives 84/46, mean 58, and the rule is about its systolic. */
const aPressure = (change: Partial<Episode> = {}): Episode => {
  const metric = change.metric ?? "nibpSystolic";
  const { mdc, loinc } = metricOf(metric as MetricName);
  return anEpisode({
    metric,
    mdc,
    loinc,
    channel: "nibp",
    ucum: "mm[Hg]",
    rule: aRule({ id: "nibp-low", when: "below", limit: 90, metric, ucum: "mm[Hg]" }),
    qualifyingValue: 84,
    extreme: 80,
    min: 80,
    max: 88,
    mean: 84,
    count: 3,
    companions: [
      { metric: "nibpDiastolic", value: 46, validity: "valid" },
      { metric: "nibpMean", value: 58, validity: "valid" },
    ],
    ...change,
  });
};

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

  it("says that the metric is in alarm while the episode is open, and no more when it has ended", () => {
    const codes = (episode: Episode) =>
      observationOf(of({ episode })).interpretation?.map((i) => i.coding?.[0]?.code ?? "");
    expect(codes(anEpisode())).toEqual(["H", "in-alarm"]);
    expect(codes(ended(anEpisode()))).toEqual(["H"]);
  });

  it("never tells a zero that nothing explains as a value: it says that there is none", () => {
    const episode = anEpisode({ qualifyingValue: 0, qualifyingValidity: "indeterminate" });
    const written = observationOf(of({ episode }));
    expect(written.valueQuantity).toBeUndefined();
    expect(written.dataAbsentReason?.coding?.[0]?.code).toBe("unknown");
    expect(observationProblems(written)).toEqual([]);
  });

  it("has no place for a serial, a bed or a name", () => {
    expect(JSON.stringify(observationOf(of()))).not.toMatch(/serial|bed|icu-1-07|Okafor|Brandt|referenceRange/);
  });
});

describe("a blood pressure", () => {
  const written = (episode: Episode) => observationsOf(of({ episode }));

  it("whose partner is known is the panel, its statistics a member of their own, as the golden files say", () => {
    const statistics = { extreme: 80, min: 80, max: 88, mean: 83.5, count: 12 };
    const { resource, beside } = written(ended(aPressure(), statistics));
    expect(JSON.parse(JSON.stringify(resource))).toEqual(JSON.parse(golden("pressure-panel")));
    expect(JSON.parse(JSON.stringify(beside))).toEqual([JSON.parse(golden("pressure-statistics"))]);
  });

  it("keeps the id of its episode, alone or in a panel, so that one replaces the other", () => {
    const alone = written(aPressure({ companions: [] }));
    expect(written(aPressure()).resource.id).toBe(alone.resource.id);
    expect(alone.beside).toEqual([]);
    expect(alone.resource.code.coding?.map((c) => c.code)).toEqual(["8480-6", "150021"]);
    expect(alone.resource.valueQuantity?.value).toBe(84);
  });

  it.each([
    ["its partner is not known", [{ metric: "nibpMean", value: 58, validity: "valid" }]],
    ["its partner is invalid", [{ metric: "nibpDiastolic", value: null, validity: "invalid" }]],
    ["its partner is a zero that nothing explains", [{ metric: "nibpDiastolic", value: 0, validity: "indeterminate" }]],
    ["its partner is another vessel's", [{ metric: "artDiastolic", value: 46, validity: "valid" }]],
  ] as const)("stays alone where %s: none is invented", (_, companions) => {
    const { resource, beside } = written(aPressure({ companions }));
    expect(resource.valueQuantity?.value).toBe(84);
    expect(resource.code.coding?.[0]?.code).toBe("8480-6");
    expect(beside).toEqual([]);
  });

  it("of which the mean crossed says so at the mean", () => {
    const companions = [
      { metric: "artSystolic", value: 80, validity: "valid" },
      { metric: "artDiastolic", value: 40, validity: "valid" },
    ] as const;
    const { resource } = written(aPressure({ metric: "artMean", channel: "art", qualifyingValue: 55, companions }));
    expect(resource.code.coding?.map((c) => c.code)).toEqual(["85354-9", "150036"]);
    const crossed = resource.component?.filter((c) => c.interpretation !== undefined);
    expect(crossed?.map((c) => c.code.coding?.[0]?.code)).toEqual(["76214-6"]);
    expect(resource.component?.map((c) => c.valueQuantity?.value)).toEqual([80, 40, 55]);
  });

  it("is of uncertain reliability where any of its values is", () => {
    const companions = [{ metric: "nibpDiastolic", value: 46, validity: "questionable" }] as const;
    const { resource, beside } = written(aPressure({ companions }));
    for (const one of [resource, ...beside]) expect(one.meta?.security?.map((c) => c.code)).toEqual(["UNCERTREL"]);
  });

  it.each([
    ["without its diastolic", { component: observationOf(of({ episode: aPressure() })).component?.slice(0, 1) }],
    [
      "with a value of its own",
      { valueQuantity: { value: 84, unit: "mm[Hg]", system: "http://unitsofmeasure.org", code: "mm[Hg]" } },
    ],
    ["without its statistics", { hasMember: undefined }],
  ])("is refused as a panel %s", (_, change) => {
    const panel = written(aPressure()).resource;
    expect(observationProblems(panel)).toEqual([]);
    expect(observationProblems({ ...panel, ...change }).join("\n")).toContain("a blood pressure panel has");
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
    [
      "an absence beside a value",
      broken({ dataAbsentReason: { coding: [{ system: "urn:x", code: "error" }] } }),
      "obs-6",
    ],
    ["neither value nor absence", broken({ valueQuantity: undefined, component: undefined }), "tells nothing"],
    ["no time", broken({ effectiveDateTime: undefined }), "needs a time or a period"],
    [
      "a period that runs backwards",
      broken({
        effectiveDateTime: undefined,
        effectivePeriod: { start: "2026-11-21T14:05:10.000Z", end: "2026-11-21T14:05:09.000Z" },
      }),
      "ends before it starts",
    ],
    ["a serial", broken({ device: { type: "Device", identifier: { system: "urn:serial", value: "SN-1" } } }), "device"],
    ["no revision tag", broken({ meta: { tag: [] } }), "meta.tag"],
  ])("refuses %s and says where", (_, resource, place) => {
    expect(observationProblems(resource).join("\n")).toContain(place);
  });
});
