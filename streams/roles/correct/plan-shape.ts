/**
 * A plan of correction as a file that people read: which resources of a faulty transform or rule version stand at a destination, and what is to
 * become of each. A reviewer may take rows out before reviewing it; once it is reviewed, its digest holds every word of it.
 */
import { z } from "zod";
import { digest } from "../../core/hash.ts";
import { ok, refuse, type Result } from "../../core/failure.ts";

const row = z.strictObject({
  resourceType: z.string(),
  resourceId: z.string(),
  identity: z.string(),
  patientKey: z.string(),
  /** As we wrote it last. */
  revision: z.int(),
  transform: z.string(),
  rule: z.string().nullable(),
  status: z.string(),
  effective: z.string().nullable(),
  says: z.string(),
  /** As the destination has it now; null: it does not, or could not be asked. */
  there: z
    .strictObject({ versionId: z.string().nullable(), status: z.string(), revision: z.int().nullable() })
    .nullable(),
  /** Why nothing is done about it: `already-in-error`, `not-written`, `changed-there`, `still-open`; null: it is corrected. */
  leftOut: z.string().nullable(),
});

const shape = z.strictObject({
  destination: z.string(),
  /** What was searched for: the tag's code, e.g. "gates@1" or "hr-high@3". */
  madeBy: z.strictObject({ transform: z.string().nullable(), rule: z.string().nullable() }),
  how: z.enum(["amend", "retract"]),
  by: z.string().min(1),
  because: z.string().min(1),
  at: z.iso.datetime(),
  rows: z.array(row),
  /** Resources there with the same tag that this log never wrote: a person's to look at. */
  strangers: z.array(z.string()),
  /** What the destination said when it was asked what it has; null: it was. */
  notAsked: z.string().nullable(),
  review: z.strictObject({ by: z.string().min(1), at: z.iso.datetime(), digest: z.string() }).nullable(),
});

export type Plan = z.output<typeof shape>;
export type PlanRow = Plan["rows"][number];

/** Of all but the review. */
export const planDigest = ({ review: _, ...plan }: Plan): string =>
  digest(new TextEncoder().encode(JSON.stringify(plan)));

/** Reasons: `plan-invalid`. */
export const readPlan = (text: string): Result<Plan> => {
  try {
    return ok(shape.parse(JSON.parse(text)));
  } catch (error) {
    return refuse("plan-invalid", error instanceof z.ZodError ? z.prettifyError(error) : String(error));
  }
};

/** Why it must not be carried out; null: it may. */
export const reviewProblem = (plan: Plan): string | null => {
  if (plan.review === null) return "nobody has reviewed it";
  if (plan.review.by.trim().toLowerCase() === plan.by.trim().toLowerCase())
    return `${plan.by} made it and can't review it too`;
  return plan.review.digest === planDigest(plan) ? null : "it was changed after its review";
};
