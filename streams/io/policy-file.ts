/**
 * Reads the escalation policy's file. A policy that leaves a minute, a priority or a last resort to nobody is refused whole, with every problem
 * and its place: what is found out at night is found out too late.
 */
import { z } from "zod";
import { ok, refuse, type Result } from "../core/failure.ts";
import type { Policy } from "../../schemas/alert-records.ts";
import { type PolicyProblem, policyProblems } from "./policy-rules.ts";

/** A policy without what makes it a record: the circuit numbers its versions itself. */
export type PolicyContent = Omit<Policy, "kind" | "version" | "effectiveFrom">;

const name = z.string().trim().min(1);
const names = z.array(name).min(1);
const priority = z.enum(["low", "medium", "high"]);
const minute = z.int().min(0).max(1_440);

const shape = z.strictObject({
  recipients: z
    .array(
      z.strictObject({
        id: name.regex(/^[^@/\s]+$/, "no @, / or blank"),
        role: name,
        inside: z.boolean(),
        test: z.boolean().default(false),
        addresses: z.array(z.strictObject({ notifier: name, to: z.string() })).min(1),
      }),
    )
    .min(1),
  chains: z.array(
    z.strictObject({
      name,
      steps: z.array(z.strictObject({ to: names, acceptWithinMs: z.int().min(1_000).max(3_600_000) })),
      continuesWith: name.nullable().default(null),
    }),
  ),
  units: z
    .array(
      z.strictObject({
        unit: name,
        utcOffsetMinutes: z.int().min(-720).max(840),
        schedules: z.array(
          z.strictObject({ priorities: z.array(priority).min(1), fromMinute: minute, toMinute: minute, chain: name }),
        ),
        lastResort: z.strictObject({ to: names, repeatMs: z.int().min(5_000).max(600_000) }),
        remindAcceptedMs: z.int().min(30_000).max(86_400_000),
        assignments: z.array(z.strictObject({ bed: name, to: z.array(name) })).default([]),
      }),
    )
    .min(1),
});

/** `notifiers`: the names that addresses may use. Reason: `policy-invalid`, a line per problem. */
export const readPolicy = (text: string, notifiers: ReadonlySet<string>): Result<PolicyContent> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refused([{ place: "(file)", detail: `is not JSON: ${String(error)}` }]);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success)
    return refused(parsed.error.issues.map((i) => ({ place: i.path.join(".") || "(file)", detail: i.message })));
  const problems = policyProblems(parsed.data, notifiers);
  return problems.length > 0 ? refused(problems) : ok(parsed.data);
};

const refused = (problems: readonly PolicyProblem[]): Result<never> =>
  refuse("policy-invalid", problems.map(({ place, detail }) => `${place}: ${detail}`).join("\n"));
