/**
 * The compiled shape check of our AuditEvent: what IHE's patterns PatientCreate and PatientUpdate want, whose definitions no validator of
 * base R4 knows: client and server with their network, the patient and the data as entities, success, and the interaction that was done.
 */
import { z } from "zod";
import { coded, coding, id, identified, instant, metaOf, problemsOf, referenceTo, text } from "./shape-elements.ts";
import { systems } from "./systems.ts";

const is = (system: string, code: string) =>
  coding.refine((c) => c.system === system && c.code === code, `is not ${system}|${code}`);

const agentOf = (role: string, who: string, requestor: boolean) =>
  z.strictObject({
    type: coded.refine((t) => t.coding?.[0]?.system === systems.dicom && t.coding[0].code === role, `is not ${role}`),
    who: z.strictObject({ identifier: identified(who) }),
    requestor: z.literal(requestor),
    network: z.strictObject({ address: text, type: z.literal("1") }),
  });

const entityOf = (type: string, role: string, ...types: readonly string[]) =>
  z.strictObject({
    what: referenceTo(...types),
    type: is(systems.auditEntity, type),
    role: is(systems.auditRole, role),
    detail: z
      .array(z.strictObject({ type: text, valueString: text }))
      .min(1)
      .optional(),
  });

const interactions = { C: "create", U: "update" } as const;

export const auditShape = z
  .strictObject({
    resourceType: z.literal("AuditEvent"),
    id,
    meta: metaOf(z.never()),
    type: is(systems.auditType, "rest"),
    subtype: z.tuple([coding.refine((c) => c.system === systems.interaction, "is no interaction")]),
    action: z.enum(["C", "U"]),
    recorded: instant,
    outcome: z.literal("0"),
    purposeOfEvent: z.array(coded).length(1).optional(),
    agent: z.tuple([agentOf("110153", systems.application, true), agentOf("110152", systems.destination, false)]),
    source: z.strictObject({
      observer: z.strictObject({ identifier: identified(systems.application) }),
      type: z.tuple([is(systems.auditSource, "4")]),
    }),
    entity: z.tuple([entityOf("1", "1", "Patient"), entityOf("2", "4", "Observation", "DiagnosticReport")]),
  })
  .refine(({ action, subtype }) => subtype[0].code === interactions[action], {
    path: ["subtype"],
    message: "action and interaction differ",
  });

export const auditProblems = problemsOf("AuditEvent", auditShape);
