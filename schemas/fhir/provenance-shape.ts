/** The compiled shape check of our Provenance: what it must say, strictly. */
import { z } from "zod";
import { coded, id, identified, instant, metaOf, problemsOf, referenceTo, text } from "./shape-elements.ts";
import { systems } from "./systems.ts";

const agent = z.strictObject({
  type: coded,
  who: z.strictObject({
    type: z.enum(["Device", "Practitioner"]),
    identifier: z.union([identified(systems.transform), identified(systems.approver)]),
    display: text,
  }),
});

export const provenanceShape = z
  .strictObject({
    resourceType: z.literal("Provenance"),
    id,
    meta: metaOf(z.never()),
    target: z.array(referenceTo("Observation", "DiagnosticReport")).min(1),
    occurredDateTime: instant,
    recorded: instant,
    policy: z
      .array(z.string().startsWith(`${systems.rule}:`))
      .length(1)
      .optional(),
    activity: coded,
    agent: z.array(agent).min(1),
    entity: z.array(
      z.strictObject({
        role: z.enum(["derivation", "source"]),
        what: z.strictObject({
          identifier: z.union([identified(systems.measurement), identified(systems.association)]),
        }),
      }),
    ),
  })
  .refine((p) => p.agent.some(({ who }) => who.identifier.system === systems.transform), {
    path: ["agent"],
    message: "does not name the transform",
  })
  .refine((p) => p.policy === undefined || p.agent.some(({ who }) => who.identifier.system === systems.approver), {
    path: ["agent"],
    message: "names a rule and not who approved it",
  })
  .refine((p) => p.entity.some(({ role }) => role === "derivation"), {
    path: ["entity"],
    message: "does not name the raw input",
  });

export const provenanceProblems = problemsOf("Provenance", provenanceShape);
