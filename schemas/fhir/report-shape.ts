/** The compiled shape check of our DiagnosticReport: a summary that refers to what it summarises and says in words what it found. */
import { z } from "zod";
import {
  coded,
  concept,
  id,
  identified,
  instant,
  metaOf,
  period,
  problemsOf,
  referenceTo,
  text,
} from "./shape-elements.ts";
import { systems } from "./systems.ts";

export const reportShape = z
  .strictObject({
    resourceType: z.literal("DiagnosticReport"),
    id,
    meta: metaOf(z.never()),
    identifier: z.tuple([identified(systems.report)]),
    status: z.enum(["preliminary", "final", "amended", "entered-in-error"]),
    category: z.array(concept).length(1),
    code: coded,
    subject: referenceTo("Patient"),
    encounter: referenceTo("Encounter").optional(),
    effectiveDateTime: instant.optional(),
    effectivePeriod: period.optional(),
    issued: instant,
    result: z.array(referenceTo("Observation")).min(1),
    conclusion: text,
  })
  .refine((r) => (r.effectiveDateTime === undefined) !== (r.effectivePeriod === undefined), {
    path: ["effectivePeriod"],
    message: "needs a time or a period, and not both",
  });

export const reportProblems = problemsOf("DiagnosticReport", reportShape);
