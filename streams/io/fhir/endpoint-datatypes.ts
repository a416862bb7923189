/** The R4 datatypes that the embedded endpoint looks into, as the specification says them. */
import { z } from "zod";

export const id = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/);
export const text = z.string().min(1);
export const uri = z.string().regex(/^\S+$/);
export const code = z.string().regex(/^\S+( \S+)*$/);
/** YYYY, YYYY-MM, YYYY-MM-DD, or with time and zone (R4 dateTime). */
export const dateTime = z
  .string()
  .regex(/^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?$/)
  .refine((t) => !Number.isNaN(Date.parse(t)), "is no date");
export const coding = z.strictObject({
  system: uri.optional(),
  version: text.optional(),
  code: code.optional(),
  display: text.optional(),
  userSelected: z.boolean().optional(),
});
export const concept = z.strictObject({ coding: z.array(coding).min(1).optional(), text: text.optional() });
export const period = z.strictObject({ start: dateTime.optional(), end: dateTime.optional() });
export const identifier = z.strictObject({
  use: code.optional(),
  type: concept.optional(),
  system: uri.optional(),
  value: text.optional(),
  period: period.optional(),
});
export const reference = z.strictObject({
  reference: text.optional(),
  type: uri.optional(),
  identifier: identifier.optional(),
  display: text.optional(),
});
export const quantity = z.strictObject({
  value: z.number().optional(),
  comparator: z.enum(["<", "<=", ">=", ">"]).optional(),
  unit: text.optional(),
  system: uri.optional(),
  code: code.optional(),
});
/** Elements that nothing here looks into. */
export const any = z.unknown().optional();
