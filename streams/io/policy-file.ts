/**
 * Reads the escalation policy's file. A policy that leaves a minute, a priority or a last resort to nobody is refused whole, with every problem
 * and its place: what is found out at night is found out too late.
 */
import { z } from "zod";
import { ok, refuse, type Result } from "../core/failure.ts";
import type { Policy } from "../../schemas/records/alert.ts";
import { type PolicyProblem, policyProblems } from "./policy-rules.ts";
import { type ZoneOffsets, zoneOffsets } from "./zone-offsets.ts";

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
        /** IANA, e.g. Europe/Berlin: with its summer time. In its place, where nobody sets the clocks, the minutes ahead of UTC. */
        zone: name.optional(),
        utcOffsetMinutes: z.int().min(-720).max(840).optional(),
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

/**
 * `notifiers`: the names that addresses may use. `nowMs`: the clock changes of a zone are worked out for its year and the next two. Reason:
 * `policy-invalid`, a line per problem.
 */
export const readPolicy = (
  text: string,
  notifiers: ReadonlySet<string>,
  nowMs: number = Date.now(),
): Result<PolicyContent> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refused([{ place: "(file)", detail: `is not JSON: ${String(error)}` }]);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success)
    return refused(parsed.error.issues.map((i) => ({ place: i.path.join(".") || "(file)", detail: i.message })));
  const clocks = parsed.data.units.map((unit, i) => clockOf(unit, `units[${i}] (${unit.unit})`, nowMs));
  const units = parsed.data.units.map(({ zone: _zone, ...unit }, i) => ({ ...unit, ...(clocks[i]?.clock ?? noClock) }));
  const content = { ...parsed.data, units };
  const problems = [...clocks.flatMap(({ problem }) => problem ?? []), ...policyProblems(content, notifiers)];
  return problems.length > 0 ? refused(problems) : ok(content);
};

type Unit = z.infer<typeof shape>["units"][number];
const noClock: ZoneOffsets = { utcOffsetMinutes: 0, offsets: [] };

/** Which minute of the day it is in the unit, now and later. */
const clockOf = (
  { zone, utcOffsetMinutes }: Unit,
  place: string,
  nowMs: number,
): { readonly clock?: ZoneOffsets; readonly problem?: PolicyProblem } => {
  if ((zone === undefined) === (utcOffsetMinutes === undefined))
    return { problem: { place, detail: "names either its zone or its utcOffsetMinutes" } };
  if (zone === undefined) return { clock: { ...noClock, utcOffsetMinutes: utcOffsetMinutes ?? 0 } };
  const clock = zoneOffsets(zone, nowMs);
  return clock.ok ? { clock: clock.value } : { problem: { place: `${place}.zone`, detail: clock.problem.detail } };
};

const refused = (problems: readonly PolicyProblem[]): Result<never> =>
  refuse("policy-invalid", problems.map(({ place, detail }) => `${place}: ${detail}`).join("\n"));
