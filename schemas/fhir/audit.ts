/**
 * The AuditEvent of one disclosure, after IHE's Basic Audit Log Patterns (PatientCreate, PatientUpdate): who sent what about whom to where.
 * It is made with the intent and speaks of its success: a destination that did not take it leaves it unkept, with the delivery saying why.
 * A PUT that replaces is an update; the first one creates. Of names it holds the destination's and none of the patient's. It claims no
 * profile: a repository that validates and has not IHE's package refuses what claims it (HAPI does).
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity } from "@medplum/fhirtypes";
import { concept, resourceId, tagsOf, type Tagged } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { testData } from "./quality.ts";
import { systems } from "./systems.ts";

export interface AuditOf extends Tagged {
  /** "Type/id" of what is disclosed, and of what goes with it. */
  readonly resource: string;
  readonly beside: readonly string[];
  /** "Patient/id" at the destination. */
  readonly patient: string;
  /** As the configuration and the consents name it. */
  readonly destination: string;
  readonly interaction: "create" | "update";
  /** Log time at which it was decided (ms). */
  readonly at: number;
  /** v3-ActReason of the destination's legal basis, e.g. "TREAT"; null: it names none. */
  readonly purpose: string | null;
  /** A demo's data. */
  readonly demo: boolean;
}

const platform = { identifier: { system: systems.application, value: "afferent" } };

/** Names stand as network addresses (type 1, machine name): the transforms know no others. */
const agent = (role: "110153" | "110152", who: AuditEventAgent["who"], address: string): AuditEventAgent => ({
  type: concept(systems.dicom, role, role === "110153" ? "Source Role ID" : "Destination Role ID"),
  ...(who !== undefined && { who }),
  requestor: role === "110153",
  network: { address, type: "1" },
});

const patientEntity = (reference: string): AuditEventEntity => ({
  what: { reference },
  type: { system: systems.auditEntity, code: "1", display: "Person" },
  role: { system: systems.auditRole, code: "1", display: "Patient" },
});

const dataEntity = (resource: string, beside: readonly string[]): AuditEventEntity => ({
  what: { reference: resource },
  type: { system: systems.auditEntity, code: "2", display: "System Object" },
  role: { system: systems.auditRole, code: "4", display: "Domain Resource" },
  ...(beside.length > 0 && { detail: beside.map((valueString) => ({ type: "beside", valueString })) }),
});

export const auditOf = (of: AuditOf): AuditEvent => {
  const { resource, beside, patient, destination, interaction, revision, at, purpose } = of;
  return {
    resourceType: "AuditEvent",
    id: resourceId("au", "AuditEvent", resource, revision, destination, interaction),
    meta: { ...(of.demo && { security: [testData] }), tag: tagsOf(of) },
    type: { system: systems.auditType, code: "rest", display: "RESTful Operation" },
    subtype: [{ system: systems.interaction, code: interaction, display: interaction }],
    action: interaction === "create" ? "C" : "U",
    recorded: utcInstant(at),
    outcome: "0",
    ...(purpose !== null && { purposeOfEvent: [concept(systems.actReason, purpose)] }),
    agent: [
      agent("110153", platform, "afferent"),
      agent("110152", { identifier: { system: systems.destination, value: destination } }, destination),
    ],
    source: {
      observer: platform,
      type: [{ system: systems.auditSource, code: "4", display: "Application Server" }],
    },
    entity: [patientEntity(patient), dataEntity(resource, beside)],
  };
};
