/**
 * What is scored and reported, as data: how old each part of NEWS2 may be, from which quantities of the precedence policy it comes,
 * from which total on it is reported, and who approved that. Read and checked as a whole; shipped examples are approved by nobody.
 */
import { z } from "zod";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { PrecedencePolicy } from "../precedence/policy.ts";

const durationMs = z.int().min(60_000).max(31_536_000_000);
const quantities = z.array(z.string().min(1)).min(1);
const approval = z.strictObject({ by: z.string().min(1), at: z.int().positive(), demo: z.boolean() }).nullable();

const shape = z.strictObject({
  version: z.int().min(1),
  title: z.string().min(1),
  news2: z.strictObject({
    approval,
    /** The first of them that is fresh is taken. */
    quantities: z.strictObject({
      respiratoryRate: quantities,
      spo2: quantities,
      systolicPressure: quantities,
      pulse: quantities,
      temperature: quantities,
    }),
    freshForMs: z.strictObject({
      respiratoryRate: durationMs,
      spo2: durationMs,
      systolicPressure: durationMs,
      pulse: durationMs,
      temperature: durationMs,
      oxygen: durationMs,
      /** How long an order for a scale, and what was said of a pregnancy, stand. */
      spo2Scale: durationMs,
      pregnant: durationMs,
    }),
    /** A total of at least this is a deterioration. */
    reportFrom: z.int().min(1).max(20),
    /** It must have been below for so long before a rise is reported again. */
    calmMs: durationMs,
    /** At most so many a UTC day and patient (clinical.md 22). */
    ceilingPerDay: z.int().min(1),
  }),
  dialysis: z.strictObject({
    approval,
    /** How long before the start and after the end blood and weight belong to the session. */
    laboratoryWithinMs: durationMs,
  }),
});

export type ScorePolicy = z.infer<typeof shape>;
export type News2Policy = ScorePolicy["news2"];

/** The policy, or Problem `scores-invalid` with one line per problem. Its quantities must be the precedence policy's. */
export const parseScores = (text: string, precedence: PrecedencePolicy): Result<ScorePolicy> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse("scores-invalid", `scores: is no JSON: ${(error as Error).message}`);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "scores"}: ${message}`);
    return refuse("scores-invalid", lines.join("\n"));
  }
  const known = new Set(precedence.quantities.map(({ name }) => name));
  const unknown = Object.entries(parsed.data.news2.quantities).flatMap(([part, names]) =>
    names.filter((name) => !known.has(name)).map((name) => `news2.quantities.${part}: no quantity is called ${name}`),
  );
  const said = precedence.states.find(({ what }) => what === "consciousness");
  const acvpu = said !== undefined && [...said.severity].sort().join("") === "ACPUV" && said.severity.at(-1) === "A";
  const problems = [
    ...unknown,
    ...(acvpu ? [] : ["news2: the precedence policy ranks no state consciousness of A, C, V, P, U, with A the least"]),
  ];
  return problems.length === 0 ? ok(parsed.data) : refuse("scores-invalid", problems.join("\n"));
};

/** The demo ward's own approvals, marked as demo. `at` in ms. */
export const approveScoresForDemo = (policy: ScorePolicy, at: number): ScorePolicy => {
  const demo = { by: "Demo ward", at, demo: true };
  return { ...policy, news2: { ...policy.news2, approval: demo }, dialysis: { ...policy.dialysis, approval: demo } };
};
