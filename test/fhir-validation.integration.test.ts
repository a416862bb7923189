/**
 * Every shape that we write, by HAPI's validator: base R4, the profiles that are claimed or that a code calls for; and each kind of
 * measurement that Avro carries, as what it means in FHIR.
 */
import type { DiagnosticReport, Resource } from "@medplum/fhirtypes";
import { beforeAll, describe, expect, it } from "vitest";
import { errorsOf, type Issue, validateFhir } from "../deploy/validator.ts";
import { anEpisode, aPatient, aRule, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import { disclosureOf } from "../schemas/fhir/disclosure.ts";
import { episodeOf, everyMeasurement, numerics, phases } from "../schemas/fhir/every-kind.fixture.ts";
import { observationsOf, type WrittenObservation } from "../schemas/fhir/observation.ts";
import { dialysisReportOf } from "../schemas/fhir/report-dialysis.ts";
import { news2ReportOf } from "../schemas/fhir/report-news2.ts";
import { aNews2, aSession, daugirdasKtv, reporting } from "../schemas/fhir/report.fixture.ts";
import { retractionOf } from "../schemas/fhir/retraction.ts";
import { vitalSignsProfile } from "../schemas/fhir/systems.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { type Metric, type MetricName, metricOf } from "../schemas/terminology.ts";

/** The profiles of R4 that are for one vital sign each, by the code that they ask for. */
const profileOfCode: Readonly<Record<string, string>> = {
  "8867-4": "http://hl7.org/fhir/StructureDefinition/heartrate",
  "9279-1": "http://hl7.org/fhir/StructureDefinition/resprate",
  "2708-6": "http://hl7.org/fhir/StructureDefinition/oxygensat",
  "8310-5": "http://hl7.org/fhir/StructureDefinition/bodytemp",
  "85354-9": "http://hl7.org/fhir/StructureDefinition/bp",
};

const isWritten = ({ loinc, mdc }: Metric): boolean => loinc !== null || mdc !== null;
const written = numerics.filter((name) => isWritten(metricOf(name)) && !name.startsWith("infus"));

const observed = (episode: Episode, revision: number, note: string | null): WrittenObservation =>
  observationsOf({
    episode,
    patient: aPatient(),
    revision,
    status: revision === 0 ? "preliminary" : "amended",
    transform: "gates@2",
    note,
  });

/** As an episode of each metric is written in each phase, a pressure alone and in its panel; questionable, critical, of a demo, with a note. */
const forms = (metric: MetricName): readonly WrittenObservation[] => {
  const { ucum } = metricOf(metric);
  const rule = aRule({ metric, ucum, critical: true, when: "below", approval: { by: "Demo", at: 0, demo: true } });
  return [
    ...phases.map((phase, revision) => observed(episodeOf(metric, phase), revision, null)),
    observed(episodeOf(metric, "end", { rule, qualifyingValidity: "questionable", companions: [] }), 3, "folded: 1"),
  ];
};

const about = {
  destination: "ehr",
  purpose: "TREAT",
  revision: 0,
  at: two + minutes(6),
  transform: "gates@2",
  rule: aRule(),
  inputs: [anEpisode().qualifyingIdentity],
  association: { id: "link-7", revision: 1 },
} as const;

const pressure = observed(episodeOf("nibpSystolic", "end"), 1, null);
const told = disclosureOf({ ...about, written: pressure, activity: "create" });
const taken = retractionOf(
  {
    resource: JSON.stringify(pressure.resource),
    beside: told.beside.map((b) => JSON.stringify(b)),
    destination: "ehr",
  },
  { ...about, revision: 2, reason: "Entered in error: the link was another's" },
);
const reports = [
  dialysisReportOf(reporting(aSession())),
  dialysisReportOf(reporting(aSession({ ktv: daugirdasKtv }))),
  dialysisReportOf(reporting(aSession({ ktv: null }))),
  news2ReportOf(reporting(aNews2())),
].flatMap((result) => (result.ok ? [result.value.resource, ...result.value.beside] : []));

const withImpliedProfile = <T extends Resource>(resource: T): T => {
  if (resource.resourceType !== "Observation") return resource;
  const implied = resource.code.coding?.flatMap(({ code }) => profileOfCode[code ?? ""] ?? []) ?? [];
  return { ...resource, meta: { ...resource.meta, profile: [...(resource.meta?.profile ?? []), ...implied] } };
};

interface Named {
  readonly what: string;
  readonly resource: Resource;
}
const named = (what: string, resources: readonly Resource[]): Named[] =>
  resources.map((resource) => ({ what: `${what} (${resource.resourceType} ${resource.id})`, resource }));

const good: readonly Named[] = [
  ...written.flatMap((metric) =>
    forms(metric).flatMap(({ resource, beside }) => named(`${metric}, ${resource.status}`, [resource, ...beside])),
  ),
  ...everyMeasurement.flatMap(({ what, result }) => (result.ok ? named(`measurement: ${what}`, [result.value]) : [])),
  ...named("told with it", [...told.beside, told.audit]),
  ...named("retracted", [taken.resource, ...taken.beside, taken.audit]),
  ...named("report", reports),
].map(({ what, resource }) => ({ what, resource: withImpliedProfile(resource) }));

const heartRate = withImpliedProfile(observed(episodeOf("heartRate", "start"), 0, null).resource);
const panel = withImpliedProfile(pressure.resource);
const provenance = told.beside.find(({ resourceType }) => resourceType === "Provenance") ?? {};
const { audit } = told;
const report = reports.find((one): one is DiagnosticReport => one.resourceType === "DiagnosticReport") ?? {};

const changed =
  (resource: object) =>
  (over: object): object =>
    Object.fromEntries(Object.entries({ ...resource, ...over }).filter(([, value]) => value !== undefined));
const change = changed(heartRate);
const quantity = (code: string): object => ({ value: 128, unit: code, system: "http://unitsofmeasure.org", code });
const count = { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-statistics", code: "count" }] };

/** What is wrong, the resource, and a word that the validator's complaint must hold. */
const broken: readonly (readonly [string, object, RegExp])[] = [
  ["an Observation with no effective time", change({ effectiveDateTime: undefined }), /effective/],
  ["an Observation with no category", change({ category: undefined }), /category/],
  ["an Observation with no code", change({ code: undefined }), /code/],
  ["an Observation with no status", change({ status: undefined }), /status/],
  ["an Observation with a status that FHIR has not", change({ status: "done" }), /status|done/],
  ["an Observation with an element that FHIR has not", change({ bed: "icu-1-07" }), /bed/],
  ["an Observation with a wrong unit", change({ valueQuantity: quantity("mm[Hg]") }), /\/min|mm\[Hg\]/],
  ["an Observation with a unit that is none", change({ valueQuantity: quantity("bpm") }), /bpm|\/min/],
  ["an Observation with an absence beside a value", change({ dataAbsentReason: { text: "error" } }), /obs-6/],
  [
    "an Observation with a count with a unit, which the profile forbids",
    change({ component: [{ code: count, valueQuantity: quantity("1") }] }),
    /Vital Signs Units/,
  ],
  ["an Observation with a component with nothing in it", change({ component: [{ code: count }] }), /vs-3/],
  ["an Observation with a local time", change({ effectiveDateTime: "2026-11-21T14:05:10" }), /zone|effective/i],
  [
    "a panel without its diastolic",
    changed(panel)({ component: panel.component?.slice(0, 1) }),
    /component|Diastolic/i,
  ],
  [
    "a panel in another unit",
    changed(panel)({ component: panel.component?.map((c) => ({ ...c, valueQuantity: quantity("kPa") })) }),
    /kPa|mm\[Hg\]/,
  ],
  ["a panel with a member in words", changed(panel)({ hasMember: ["its statistics"] }), /hasMember/],
  ["a Provenance of nothing", changed(provenance)({ target: undefined }), /target/],
  ["a Provenance by nobody", changed(provenance)({ agent: undefined }), /agent/],
  ["a Provenance without a time of recording", changed(provenance)({ recorded: undefined }), /recorded/],
  [
    "a Provenance with a role that FHIR has not",
    changed(provenance)({ entity: [{ role: "origin", what: { display: "x" } }] }),
    /role|origin/,
  ],
  ["an AuditEvent without a source", changed(audit)({ source: undefined }), /source/],
  ["an AuditEvent by nobody", changed(audit)({ agent: undefined }), /agent/],
  ["an AuditEvent with an action that FHIR has not", changed(audit)({ action: "X" }), /action|X/],
  ["an AuditEvent without a type", changed(audit)({ type: undefined }), /type/],
  ["a DiagnosticReport without a code", changed(report)({ code: undefined }), /code/],
  ["a DiagnosticReport with a status that FHIR has not", changed(report)({ status: "done" }), /status|done/],
  ["a DiagnosticReport issued on some day", changed(report)({ issued: "2026-11-21" }), /issued|instant/],
  ["a DiagnosticReport with an element that FHIR has not", changed(report)({ bed: "icu-1-07" }), /bed/],
];

let issues: readonly (readonly Issue[])[];
beforeAll(async () => {
  issues = await validateFhir([...good.map(({ resource }) => resource), ...broken.map(([, resource]) => resource)]);
}, 300_000);
const errorsAt = (index: number): string[] =>
  errorsOf(issues[index] ?? [{ severity: "error", location: null, message: "was not validated" }]).map(
    ({ location, message }) => `${location}: ${message}`,
  );

describe("HAPI's validator", () => {
  it("finds no error in anything that we write", () => {
    const found = good.flatMap(({ what }, index) => errorsAt(index).map((error) => `${what}: ${error}`));
    expect(found).toEqual([]);
    expect(good.length).toBeGreaterThan(150);
  });

  it.each(broken.map(([what, , complaint], n) => [what, complaint, good.length + n] as const))(
    "refuses %s",
    (_what, complaint, index) => {
      expect(errorsAt(index).join("\n")).toMatch(complaint);
    },
  );
});

describe("the vitalsigns profile", () => {
  it("is claimed for vital signs with a LOINC code and for nothing else", () => {
    const claims = (metric: MetricName): boolean =>
      observed(episodeOf(metric, "start"), 0, null).resource.meta?.profile?.includes(vitalSignsProfile) === true;
    const claiming = written.filter(claims);
    const vital = written.filter(
      (metric) => metricOf(metric).category === "vital-signs" && metricOf(metric).loinc !== null,
    );
    expect(claiming).toEqual(vital);
    expect(claiming).toContain("heartRate");
    expect(claiming).not.toContain("glucoseInterstitial");
  });
});
