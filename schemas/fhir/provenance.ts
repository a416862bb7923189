/**
 * Where what is written comes from: the transform and its version, the rule's version and who approved it, and the identity of the raw
 * input. One for each write, its revision in the id; an earlier one stays as the history it is. Times are the intent's, never a clock's.
 */
import type { Provenance, ProvenanceAgent, ProvenanceEntity } from "@medplum/fhirtypes";
import type { Rule } from "../records/broadcast.ts";
import { concept, resourceId, tagsOf } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { systems } from "./systems.ts";

/** What happened: told for the first time, told anew, or taken back. */
export type Activity = "create" | "update" | "retract";

export interface ProvenanceOf {
  /** "Type/id" of all that it speaks of, the main one first. */
  readonly targets: readonly [string, ...string[]];
  readonly revision: number;
  readonly activity: Activity;
  /** Log time at which it was decided (ms). */
  readonly at: number;
  /** E.g. "gates@1". */
  readonly transform: string;
  /** Null: no rule asked for it (a session's report). */
  readonly rule: Pick<Rule, "id" | "version" | "approval"> | null;
  /** Identities of the measurements that it was made of. */
  readonly inputs: readonly string[];
  /** The link by which it is this patient's, and its revision; null: not known. */
  readonly association: { readonly id: string; readonly revision: number } | null;
}

const operations = { create: "CREATE", update: "UPDATE", retract: "NULLIFY" } as const;

const transformAgent = (transform: string): ProvenanceAgent => ({
  type: concept(systems.provenanceAgent, "assembler"),
  who: {
    type: "Device",
    identifier: { system: systems.transform, value: transform },
    display: `Afferent ${transform}`,
  },
});

/** The named clinician without whom nothing would have been written (clinical.md 15); none: nobody did, and gate 1 refuses it. */
const approversOf = ({ id, version, approval }: NonNullable<ProvenanceOf["rule"]>): ProvenanceAgent[] =>
  approval === null || approval.by.trim() === ""
    ? []
    : [
        {
          type: concept(
            systems.provenanceAgent,
            "verifier",
            `Approved rule ${id} version ${version} on ${utcInstant(approval.at)}`,
          ),
          who: {
            type: "Practitioner",
            identifier: { system: systems.approver, value: approval.by },
            display: approval.by,
          },
        },
      ];

const entity = (role: ProvenanceEntity["role"], system: string, value: string): ProvenanceEntity => ({
  role,
  what: { identifier: { system, value } },
});

export const provenanceOf = (of: ProvenanceOf): Provenance => {
  const { targets, revision, activity, at, transform, rule, inputs, association } = of;
  const named = rule === null ? null : `${rule.id}@${rule.version}`;
  const approvers = rule === null ? [] : approversOf(rule);
  return {
    resourceType: "Provenance",
    id: resourceId("pr", "Provenance", targets[0], revision, activity),
    meta: { tag: tagsOf({ revision, rule: named, transform }) },
    target: targets.map((reference) => ({ reference })),
    occurredDateTime: utcInstant(at),
    recorded: utcInstant(at),
    // what nobody approved is no policy
    ...(approvers.length > 0 && { policy: [`${systems.rule}:${named}`] }),
    activity: concept(systems.dataOperation, operations[activity]),
    agent: [transformAgent(transform), ...approvers],
    entity: [
      ...inputs.map((identity) => entity("derivation", systems.measurement, identity)),
      ...(association === null
        ? []
        : [entity("source", systems.association, `${association.id}@${association.revision}`)]),
    ],
  };
};
