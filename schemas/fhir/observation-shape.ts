/**
 * The compiled shape check of the gate `wellFormed`: what an Observation of ours must look like, strictly. It is narrower
 * than FHIR R4 (nothing optional that we never write); full profiles are proven with HAPI's validator in the tests.
 */
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
  quantity,
  referenceTo,
  text,
} from "./shape-elements.ts";
import { systems, vitalSignsProfile } from "./systems.ts";

const values = {
  valueQuantity: quantity.optional(),
  valueInteger: z.int().min(0).optional(),
  valueString: text.optional(),
  valuePeriod: period.optional(),
};
const valuesIn = (element: object): number =>
  Object.entries(element).filter(([key, value]) => key.startsWith("value") && value !== undefined).length;

const component = z
  .strictObject({ code: concept, ...values, interpretation: z.array(coded).length(1).optional() })
  .refine((c) => valuesIn(c) === 1, "needs exactly one value");

const base = z.strictObject({
  resourceType: z.literal("Observation"),
  id,
  meta: metaOf(z.literal(vitalSignsProfile)),
  identifier: z.array(z.union([identified(systems.episode), identified(systems.report)])).length(1),
  status: z.enum(["preliminary", "final", "amended", "entered-in-error"]),
  category: z.array(concept).length(1).optional(),
  code: coded,
  subject: referenceTo("Patient"),
  encounter: referenceTo("Encounter").optional(),
  effectiveDateTime: instant.optional(),
  effectivePeriod: period.optional(),
  valueQuantity: quantity.optional(),
  valueInteger: z.int().min(0).optional(),
  dataAbsentReason: coded.optional(),
  interpretation: z.array(coded).min(1).max(3).optional(),
  note: z.array(z.strictObject({ text })).min(1).optional(),
  method: concept.optional(),
  device: z.strictObject({ type: z.literal("Device"), identifier: identified(systems.device) }).optional(),
  hasMember: z.array(referenceTo("Observation")).min(1).optional(),
  component: z.array(component).min(1).optional(),
});
type Shaped = z.infer<typeof base>;

const has = (of: { readonly code: z.infer<typeof concept> }, code: string): boolean =>
  of.code.coding?.some((c) => c.system === systems.loinc && c.code === code) === true;
const bloodPressurePanel = "85354-9";

/** Both pressures, no value of its own, and its statistics apart (clinical.md 21). */
const isPanelWhole = (o: Shaped): boolean =>
  !has(o, bloodPressurePanel) ||
  (valuesIn(o) === 0 &&
    o.hasMember !== undefined &&
    ["8480-6", "8462-4"].every((code) => o.component?.some((c) => has(c, code) && c.valueQuantity !== undefined)));

/** What is written by a rule says which (clinical.md 24). */
const namesRule = (o: Shaped): boolean =>
  o.identifier[0]?.system !== systems.episode || o.meta.tag.some((t) => t.system === systems.rule);

/** A finding of a report may have a code of our own, where nobody else has one. */
const isPublished = (o: Shaped): boolean =>
  o.identifier[0]?.system !== systems.episode ||
  o.code.coding?.some((c) => c.system === systems.loinc || c.system === systems.mdc) === true;

const tells = (o: Shaped): boolean => valuesIn(o) > 0 || o.component !== undefined || o.dataAbsentReason !== undefined;

export const observationShape = base
  .refine((o) => o.meta.profile === undefined || o.category?.[0]?.coding?.[0]?.code === "vital-signs", {
    path: ["category"],
    message: "claims the vital signs profile without the category",
  })
  .refine((o) => (o.effectiveDateTime === undefined) !== (o.effectivePeriod === undefined), {
    path: ["effectiveDateTime"],
    message: "needs a time or a period, and not both",
  })
  .refine(tells, { path: ["valueQuantity"], message: "tells nothing" })
  .refine((o) => valuesIn(o) <= 1 && (valuesIn(o) === 0 || o.dataAbsentReason === undefined), {
    path: ["dataAbsentReason"],
    message: "an absence beside a value (obs-6), or two values",
  })
  .refine(isPanelWhole, {
    path: ["component"],
    message: "a blood pressure panel has systolic and diastolic, its statistics as a member, and no value",
  })
  .refine(isPublished, { path: ["code"], message: "needs a LOINC or MDC coding" })
  .refine(namesRule, { path: ["meta", "tag"], message: "needs the tag of the rule" });

export const observationProblems = problemsOf("Observation", observationShape);
