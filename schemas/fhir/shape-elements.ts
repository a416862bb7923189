/** The datatypes of what we write, as strictly as we write them: nothing optional that we never use. */
import { z } from "zod";
import { InvariantError } from "../../streams/core/failure.ts";
import { acceptsOf } from "./shape-accepts.ts";
import { systems } from "./systems.ts";

export const text = z.string().trim().min(1);
export const id = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/);
const code = z.string().regex(/^\S+( \S+)*$/);
const uri = z.string().regex(/^(https?:\/\/|urn:)\S+$/);
export const coding = z.strictObject({ system: uri, code, display: text.optional() });
export const concept = z
  .strictObject({ coding: z.array(coding).min(1).optional(), text: text.optional() })
  .refine((c) => c.coding !== undefined || c.text !== undefined, "needs a coding or a text");
export const coded = concept.refine((c) => c.coding !== undefined, "needs a coding");
export const quantity = z
  .strictObject({ value: z.number(), unit: text, system: z.literal(systems.ucum), code })
  .refine((q) => q.unit === q.code, "unit and UCUM code differ");

/** With milliseconds, in UTC. */
export const instant = z.iso.datetime({ precision: 3 });
export const period = z
  .strictObject({ start: instant, end: instant.optional() })
  .refine((p) => p.end === undefined || p.start <= p.end, "ends before it starts");

export const referenceTo = (...types: readonly string[]) =>
  z.strictObject({ reference: z.string().regex(new RegExp(`^(${types.join("|")})/[A-Za-z0-9\\-.]{1,64}$`)) });
/** By an identifier alone: of what the destination keeps no resource. */
export const identified = (system: string) => z.strictObject({ system: z.literal(system), value: text });

const revisionAndTransform = (tags: readonly z.infer<typeof coding>[]): boolean =>
  [systems.revision, systems.transform].every((s) => tags.some((t) => t.system === s));

/** Every resource says its revision and what made it (clinical.md 24). */
export const metaOf = (profile: z.ZodType) =>
  z.strictObject({
    profile: z.array(profile).length(1).optional(),
    security: z.array(coding).min(1).optional(),
    tag: z.array(coding).refine(revisionAndTransform, "needs the tags of revision and transform"),
  });

/** What is wrong with it, each with its place; empty where nothing is. */
export const problemsOf = (name: string, shape: z.ZodType): ((resource: unknown) => readonly string[]) => {
  const accepts = acceptsOf(shape);
  if (accepts === null) throw new InvariantError(`${name}: a shape that can't be compiled`);
  return (resource) => {
    if (accepts(resource)) return [];
    const result = shape.safeParse(resource);
    return result.success ? [] : result.error.issues.map((i) => `${i.path.join(".") || name}: ${i.message}`);
  };
};
