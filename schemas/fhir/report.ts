/** What every DiagnosticReport of ours shares: a summary that refers to Observations of its own and says in words what it found. */
import type { CodeableConcept, DiagnosticReport, Observation, Period } from "@medplum/fhirtypes";
import type { Patient } from "../records/roster.ts";
import { concept, resourceId, tagsOf } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { systems } from "./systems.ts";

export interface ReportOf<Facts> {
  readonly facts: Facts;
  readonly patient: Patient;
  readonly status: "preliminary" | "final" | "amended";
  /** E.g. "reports@1". */
  readonly transform: string;
  /** "id@version" of what an approval of such reports is for; none where nobody asked by a rule. */
  readonly rule?: string;
  /** Log time at which it was decided (ms). */
  readonly at: number;
}

interface Facts {
  readonly identity: string;
  readonly revision: number;
}

export interface WrittenReport {
  readonly resource: DiagnosticReport;
  /** What it refers to: to be there before it, or together with it. */
  readonly beside: readonly Observation[];
}

export type When = { readonly effectiveDateTime: string } | { readonly effectivePeriod: Period };

const metaOf = ({ facts, transform, rule }: ReportOf<Facts>) => ({
  tag: tagsOf({ revision: facts.revision, rule: rule ?? null, transform }),
});

const aboutOf = ({ patient }: ReportOf<Facts>) => ({
  subject: { reference: `Patient/${patient.fhirId}` },
  ...(patient.encounterFhirId !== null && { encounter: { reference: `Encounter/${patient.encounterFhirId}` } }),
});

/** The frame of an Observation that a report refers to; `part` tells it from the others of the same report. */
export const findingOf = (
  of: ReportOf<Facts>,
  part: string,
  code: CodeableConcept,
  category: "procedure" | "survey",
  when: When,
) => ({
  resourceType: "Observation" as const,
  id: resourceId("fi", "Observation", of.facts.identity, part, of.patient.fhirId),
  meta: metaOf(of),
  identifier: [{ system: systems.report, value: `${of.facts.identity}/${part}` }],
  status: of.status,
  category: [concept(systems.category, category)],
  code,
  ...aboutOf(of),
  ...when,
});

/** The report itself. The patient is part of its id, as of an Observation's. */
export const reportOf = (
  of: ReportOf<Facts>,
  code: CodeableConcept,
  when: When,
  findings: readonly Observation[],
  conclusion: string,
): WrittenReport => ({
  resource: {
    resourceType: "DiagnosticReport",
    id: resourceId("dr", "DiagnosticReport", of.facts.identity, of.patient.fhirId),
    meta: metaOf(of),
    identifier: [{ system: systems.report, value: of.facts.identity }],
    status: of.status,
    category: [concept(systems.diagnosticSection, "OTH")],
    code,
    ...aboutOf(of),
    ...when,
    issued: utcInstant(of.at),
    result: findings.map(({ id }) => ({ reference: `Observation/${id}` })),
    conclusion,
  },
  beside: findings,
});
