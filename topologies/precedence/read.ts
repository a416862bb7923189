/** Reads a precedence policy from a file's text and checks it as a whole; everything wrong with it is said at once, each with its place. */
import { z } from "zod";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { isMetric, metricOf } from "../../schemas/terminology.ts";
import { type PrecedencePolicy, type Quantity, takesTheRest } from "./policy.ts";

const durationMs = z.int().min(1_000).max(86_400_000);
const names = z.array(z.string().min(1)).default([]);
const word = z.string().regex(/^[a-z][A-Za-z0-9]*$/, "must be one camelCase word");

const source = z.strictObject({
  name: word,
  metrics: names,
  devices: names,
  channels: names,
  /** A minute's value is a minute old when the next comes, and comes two seconds late. */
  freshForMs: durationMs.min(120_000),
});

const quantity = z.strictObject({
  name: word,
  metrics: z.array(z.string().refine(isMetric, "is no known metric")).min(1),
  ucum: z.string(),
  choose: z.enum(["mostRecent", "highestFidelity", "average"]),
  sources: z.array(source).min(1),
  steadyMs: durationMs,
  takeOverAfterMs: durationMs,
  tolerance: z.number().positive().nullable(),
  comparableMs: durationMs,
  reviewAfterMs: durationMs,
});

const state = z.strictObject({
  what: word,
  severity: z.array(z.string().min(1)).min(2),
  freshForMs: durationMs,
});

const shape = z.strictObject({
  version: z.int().min(1),
  title: z.string().min(1),
  quantities: z.array(quantity),
  states: z.array(state),
});

const repeated = (all: readonly string[]): readonly string[] => [...new Set(all.filter((x, i) => all.indexOf(x) < i))];

const quantityProblems = (q: Quantity, place: string): readonly string[] => {
  const rest = q.sources.filter(takesTheRest).length;
  const checks: readonly (readonly [boolean, string, string])[] = [
    [rest !== 1, "sources", "exactly one must name nothing and take the rest"],
    [repeated(q.sources.map(({ name }) => name)).length > 0, "sources", "one name stands twice"],
    ...q.sources
      .flatMap(({ metrics }) => metrics)
      .map((m) => [!q.metrics.includes(m), "sources", `${m} is none of its metrics`] as const),
    ...q.metrics.map(
      (m) =>
        [
          isMetric(m) && (metricOf(m).waveform || metricOf(m).ucum !== q.ucum),
          "metrics",
          `${m} is not measured in ${q.ucum}`,
        ] as const,
    ),
  ];
  return checks.filter(([wrong]) => wrong).map(([, field, message]) => `${place}.${field}: ${message}`);
};

/** The policy, or Problem `precedence-invalid` whose detail has one line per problem. */
export const parsePrecedence = (text: string): Result<PrecedencePolicy> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse("precedence-invalid", `precedence: is no JSON: ${(error as Error).message}`);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "precedence"}: ${message}`);
    return refuse("precedence-invalid", lines.join("\n"));
  }
  const { quantities, states } = parsed.data;
  const problems = [
    ...quantities.flatMap((q, i) => quantityProblems(q, `quantities[${i}] (${q.name})`)),
    ...repeated(quantities.map(({ name }) => name)).map((name) => `quantities: ${name} stands twice`),
    ...repeated(quantities.flatMap(({ metrics }) => metrics)).map((m) => `quantities: ${m} belongs to two of them`),
    ...states.flatMap((s, i) => repeated(s.severity).map((v) => `states[${i}].severity: ${v} stands twice`)),
    ...repeated(states.map(({ what }) => what)).map((what) => `states: ${what} stands twice`),
  ];
  return problems.length === 0 ? ok(parsed.data) : refuse("precedence-invalid", problems.join("\n"));
};
