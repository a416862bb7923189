/**
 * The compiled shape check of the gate `wellFormed`: what an Observation of ours must look like, strictly. It is narrower
 * than FHIR R4 (nothing optional that we never write); full profiles are proven with HAPI's validator in the tests.
 */
import { z } from "zod";
import { systems, vitalSignsProfile } from "./systems.ts";

const text = z.string().trim().min(1);
const code = z.string().regex(/^\S+( \S+)*$/);
const coding = z.strictObject({ system: z.string().regex(/^(https?:\/\/|urn:)\S+$/), code });
const concept = z
  .strictObject({ coding: z.array(coding).min(1).optional(), text: text.optional() })
  .refine((c) => c.coding !== undefined || c.text !== undefined, "needs a coding or a text");
const quantity = z
  .strictObject({ value: z.number(), unit: text, system: z.literal(systems.ucum), code })
  .refine((q) => q.unit === q.code, "unit and UCUM code differ");
const referenceTo = (type: string) =>
  z.strictObject({ reference: z.string().regex(new RegExp(`^${type}/[A-Za-z0-9\\-.]{1,64}$`)) });

const instant = z.iso.datetime({ precision: 3 });
const component = z
  .strictObject({
    code: concept,
    valueQuantity: quantity.optional(),
    valueInteger: z.int().min(1).optional(),
    valuePeriod: z.strictObject({ start: instant, end: instant.optional() }).optional(),
  })
  .refine((c) => Object.keys(c).length === 2, "needs exactly one value");

const meta = z.strictObject({
  profile: z.array(z.literal(vitalSignsProfile)).length(1).optional(),
  security: z.array(coding).min(1).optional(),
  tag: z
    .array(coding)
    .refine(
      (tags) => [systems.revision, systems.rule, systems.transform].every((s) => tags.some((t) => t.system === s)),
      "needs the tags of revision, rule and transform",
    ),
});

export const observationShape = z
  .strictObject({
    resourceType: z.literal("Observation"),
    id: z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/),
    meta,
    identifier: z.array(z.strictObject({ system: z.literal(systems.episode), value: text })).length(1),
    status: z.enum(["preliminary", "final", "amended"]),
    category: z.array(concept).length(1).optional(),
    code: concept.refine((c) => c.coding !== undefined, "needs a LOINC or MDC coding"),
    subject: referenceTo("Patient"),
    encounter: referenceTo("Encounter").optional(),
    effectiveDateTime: instant,
    valueQuantity: quantity,
    interpretation: z.array(concept).length(1).optional(),
    note: z.array(z.strictObject({ text })).length(1).optional(),
    device: z.strictObject({
      type: z.literal("Device"),
      identifier: z.strictObject({ system: z.literal(systems.device), value: text }),
    }),
    component: z.array(component).min(1),
  })
  .refine((o) => o.meta.profile === undefined || o.category?.[0]?.coding?.[0]?.code === "vital-signs", {
    path: ["category"],
    message: "claims the vital signs profile without the category",
  });

/** What is wrong with it, each with its place; empty where nothing is. */
export const observationProblems = (resource: unknown): readonly string[] => {
  const result = observationShape.safeParse(resource);
  return result.success ? [] : result.error.issues.map((i) => `${i.path.join(".") || "Observation"}: ${i.message}`);
};
