/** Everything that the gates could let through, by HAPI's validator: base R4 and the profiles that are claimed or that a code calls for. */
import type { Observation } from "@medplum/fhirtypes";
import { beforeAll, describe, expect, it } from "vitest";
import { errorsOf, type Issue, validateFhir } from "../deploy/validator.ts";
import { anEpisode, aPatient, aRule, ended } from "../schemas/fhir/clinical.fixture.ts";
import { observationOf, type ObservationOf } from "../schemas/fhir/observation.ts";
import { vitalSignsProfile } from "../schemas/fhir/systems.ts";
import { isMetric, type Metric, type MetricName, metricOf, metrics } from "../schemas/terminology.ts";

/** The profiles of R4 that are for one vital sign each, by the code that they ask for. */
const profileOfCode: Readonly<Record<string, string>> = {
  "8867-4": "http://hl7.org/fhir/StructureDefinition/heartrate",
  "9279-1": "http://hl7.org/fhir/StructureDefinition/resprate",
  "2708-6": "http://hl7.org/fhir/StructureDefinition/oxygensat",
  "8310-5": "http://hl7.org/fhir/StructureDefinition/bodytemp",
};

const isWritten = ({ waveform, loinc, mdc }: Metric): boolean => !waveform && (loinc !== null || mdc !== null);
const written = Object.keys(metrics)
  .filter(isMetric)
  .filter((name) => isWritten(metricOf(name)));

const observation = (metric: MetricName, change: Partial<ObservationOf> = {}): Observation => {
  const { mdc, loinc, ucum } = metricOf(metric);
  const codes = { metric, mdc, loinc, ucum };
  const episode = { ...(change.episode ?? anEpisode()), ...codes };
  return observationOf({
    patient: aPatient(),
    revision: 0,
    status: "preliminary",
    transform: "gates@1",
    note: null,
    ...change,
    episode,
  });
};

/** As an episode of each metric is written: while open; at its end, questionable, critical, by a demo's rule and with a note. */
const forms = (metric: MetricName): readonly Observation[] => {
  const rule = aRule({ critical: true, when: "below", approval: { by: "Demo ward", at: 0, demo: true } });
  const end = ended(anEpisode({ rule, qualifyingValidity: "questionable" }));
  return [
    observation(metric),
    observation(metric, {
      episode: end,
      revision: 1,
      status: "amended",
      note: "1 further episode folded into this one",
    }),
  ];
};

const withImpliedProfile = (resource: Observation): Observation => {
  const implied = resource.code.coding?.flatMap(({ code }) => profileOfCode[code ?? ""] ?? []) ?? [];
  return { ...resource, meta: { ...resource.meta, profile: [...(resource.meta?.profile ?? []), ...implied] } };
};

const good = written.flatMap((metric) =>
  forms(metric).map((resource) => ({ metric, resource: withImpliedProfile(resource) })),
);

const heartRate = withImpliedProfile(observation("heartRate"));
const change = (over: object): object => ({ ...heartRate, ...over });
const without = (element: keyof Observation): object =>
  Object.fromEntries(Object.entries(heartRate).filter(([name]) => name !== element));
const quantity = (code: string): object => ({ value: 128, unit: code, system: "http://unitsofmeasure.org", code });
const count = { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-statistics", code: "count" }] };

/** What is wrong, the resource, and a word that the validator's complaint must hold. */
const broken: readonly (readonly [string, object, RegExp])[] = [
  ["no effective time", without("effectiveDateTime"), /effective/],
  ["no category", without("category"), /category/],
  ["no code", without("code"), /code/],
  ["no status", without("status"), /status/],
  ["a status that FHIR has not", change({ status: "done" }), /status|done/],
  ["an element that FHIR has not", change({ bed: "icu-1-07" }), /bed/],
  ["a wrong unit", change({ valueQuantity: quantity("mm[Hg]") }), /\/min|mm\[Hg\]/],
  ["a unit that is none", change({ valueQuantity: quantity("bpm") }), /bpm|\/min/],
  ["an absence beside a value", change({ dataAbsentReason: { text: "error" } }), /obs-6/],
  [
    "a count with a unit, which the profile forbids",
    change({ component: [{ code: count, valueQuantity: quantity("1") }] }),
    /Vital Signs Units/,
  ],
  ["a component with nothing in it", change({ component: [{ code: count }] }), /vs-3/],
  ["a local time without a zone", change({ effectiveDateTime: "2026-11-21T14:05:10" }), /zone|effective/i],
];

let issues: readonly (readonly Issue[])[];
beforeAll(async () => {
  issues = await validateFhir([...good.map(({ resource }) => resource), ...broken.map(([, resource]) => resource)]);
});
const errorsAt = (index: number): string[] =>
  errorsOf(issues[index] ?? [{ severity: "error", location: null, message: "was not validated" }]).map(
    ({ location, message }) => `${location}: ${message}`,
  );

describe("HAPI's validator", () => {
  it.each(good.map(({ metric, resource }, index) => [metric, resource.status, index] as const))(
    "accepts an Observation of %s, %s",
    (_metric, _status, index) => {
      expect(errorsAt(index)).toEqual([]);
    },
  );

  it.each(broken.map(([what, , complaint], n) => [what, complaint, good.length + n] as const))(
    "refuses one with %s",
    (_what, complaint, index) => {
      expect(errorsAt(index).join("\n")).toMatch(complaint);
    },
  );
});

describe("the vitalsigns profile", () => {
  it("is claimed for vital signs with a LOINC code and for nothing else", () => {
    const claiming = written.filter((metric) => observation(metric).meta?.profile?.includes(vitalSignsProfile));
    const vital = written.filter(
      (metric) => metricOf(metric).category === "vital-signs" && metricOf(metric).loinc !== null,
    );
    expect(claiming).toEqual(vital);
    expect(claiming).toContain("heartRate");
    expect(claiming).not.toContain("glucoseInterstitial");
  });
});
