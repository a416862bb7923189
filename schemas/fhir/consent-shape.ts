/**
 * Consent R4 as JSON, read strictly: an element that R4 does not have, a modifier extension or a list where one value belongs
 * makes the whole unreadable, for what is not understood may be a denial.
 */
import { z } from "zod";
import { type Result, ok, refuse } from "../../streams/core/failure.ts";
import { momentOf } from "./moment.ts";

const text = z.string().min(1);
/** Elements that say nothing here and are not looked into. */
const ignored = z.unknown().optional();
const dateTime = z.string().refine((t) => momentOf(t) !== null, "is no date");

const coding = z.strictObject({
  id: ignored,
  extension: ignored,
  system: text.optional(),
  version: ignored,
  code: text.optional(),
  display: ignored,
  userSelected: ignored,
});
const concept = z.strictObject({
  id: ignored,
  extension: ignored,
  coding: z.array(coding).min(1).optional(),
  text: ignored,
});
const identifier = z.looseObject({ system: text.optional(), value: text.optional() });
const reference = z.strictObject({
  id: ignored,
  extension: ignored,
  reference: text.optional(),
  type: text.optional(),
  identifier: identifier.optional(),
  display: ignored,
});
const period = z.strictObject({
  id: ignored,
  extension: ignored,
  start: dateTime.optional(),
  end: dateTime.optional(),
});

const rule = {
  id: ignored,
  extension: ignored,
  type: z.enum(["permit", "deny"]).optional(),
  period: period.optional(),
  actor: z
    .array(z.strictObject({ id: ignored, extension: ignored, role: concept, reference }))
    .min(1)
    .optional(),
  action: z.array(concept).min(1).optional(),
  securityLabel: z.array(coding).min(1).optional(),
  purpose: z.array(coding).min(1).optional(),
  class: z.array(coding).min(1).optional(),
  code: z.array(concept).min(1).optional(),
  dataPeriod: period.optional(),
  data: z.array(z.unknown()).min(1).optional(),
};

export type ProvisionJson = z.infer<z.ZodObject<typeof rule>> & {
  readonly provision?: readonly ProvisionJson[] | undefined;
};
const provision: z.ZodType<ProvisionJson> = z.strictObject({
  ...rule,
  provision: z
    .array(z.lazy(() => provision))
    .min(1)
    .optional(),
});

const consent = z.strictObject({
  resourceType: z.literal("Consent"),
  id: ignored,
  meta: ignored,
  language: ignored,
  text: z.looseObject({ status: z.string().optional(), div: z.string().optional() }).optional(),
  contained: z.array(z.looseObject({ resourceType: z.string(), id: z.string().optional() })).optional(),
  extension: ignored,
  identifier: ignored,
  status: z.enum(["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]),
  scope: concept.refine((c) => c.coding?.some(({ code }) => code !== undefined), "needs a coding"),
  category: z.array(concept).min(1),
  patient: reference.optional(),
  dateTime: dateTime.optional(),
  performer: ignored,
  organization: ignored,
  sourceAttachment: ignored,
  sourceReference: ignored,
  policy: z.array(z.unknown()).optional(),
  policyRule: concept.optional(),
  verification: ignored,
  provision: provision.optional(),
});

export type ConsentJson = z.infer<typeof consent>;
export type CodingJson = z.infer<typeof coding>;
export type ConceptJson = z.infer<typeof concept>;
export type ReferenceJson = z.infer<typeof reference>;
export type PeriodJson = z.infer<typeof period>;

const deepest = 12;
const depthOf = (value: unknown, depth = 0): number => {
  const nested = (value as { provision?: unknown } | null)?.provision;
  const inner = Array.isArray(nested) ? nested : nested === undefined ? [] : [nested];
  return depth > deepest ? depth : Math.max(depth, ...inner.map((p) => depthOf(p, depth + 1)));
};

/** Places, and what is wrong there; never what stands there, which may name the patient. Reason: `consent-unreadable`. */
export const readConsent = (json: string): Result<ConsentJson> => {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return refuse("consent-unreadable", "not JSON");
  }
  if (depthOf(value) > deepest) return refuse("consent-unreadable", `provisions nested deeper than ${deepest}`);
  const read = consent.safeParse(value);
  if (read.success) return ok(read.data);
  const [first, ...rest] = read.error.issues;
  const where = first?.path.map(String).join(".") || "(root)";
  const what = first?.code === "unrecognized_keys" ? `unknown elements ${first.keys.join(", ")}` : first?.code;
  const more = rest.length > 0 ? `, and ${rest.length} more` : "";
  return refuse("consent-unreadable", `${where}: ${what ?? "wrong"}${more}`.slice(0, 300));
};
