/** What goes with a written resource in one intent: what it refers to, its Provenance, and the AuditEvent of telling it. */
import type { AuditEvent, DiagnosticReport, Observation, Provenance } from "@medplum/fhirtypes";
import { auditOf } from "./audit.ts";
import { type ProvenanceOf, provenanceOf } from "./provenance.ts";

export interface Written {
  readonly resource: Observation | DiagnosticReport;
  /** What it refers to. */
  readonly beside: readonly Observation[];
}

export interface DisclosureOf extends Omit<ProvenanceOf, "targets"> {
  readonly written: Written;
  readonly destination: string;
  /** v3-ActReason of the destination's legal basis; null: it names none. */
  readonly purpose: string | null;
}

export interface Disclosure {
  /** In the order in which it may be written one by one: what the resource refers to before it, its Provenance (the last) after it. */
  readonly beside: readonly (Observation | Provenance)[];
  /** Stays with us. */
  readonly audit: AuditEvent;
}

const referenceTo = ({ resourceType, id = "" }: { readonly resourceType: string; readonly id?: string }): string =>
  `${resourceType}/${id}`;

export const disclosureOf = (of: DisclosureOf): Disclosure => {
  const { written, destination, revision, rule, transform, activity, at, purpose } = of;
  const main = referenceTo(written.resource);
  const provenance = provenanceOf({ ...of, targets: [main, ...written.beside.map(referenceTo)] });
  const beside = [...written.beside, provenance];
  const audit = auditOf({
    resource: main,
    beside: beside.map(referenceTo),
    patient: written.resource.subject?.reference ?? "",
    destination,
    interaction: activity === "create" ? "create" : "update",
    revision,
    rule: rule === null ? null : `${rule.id}@${rule.version}`,
    transform,
    at,
    purpose,
    demo: rule?.approval?.demo === true,
  });
  return { beside, audit };
};
