/** The compiled question says yes to what we write, and never where zod says no. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { auditShape } from "./audit-shape.ts";
import { observationShape } from "./observation-shape.ts";
import { provenanceShape } from "./provenance-shape.ts";
import { reportShape } from "./report-shape.ts";
import { acceptsOf } from "./shape-accepts.ts";
import { problemsOf, text } from "./shape-elements.ts";

const shapes: Readonly<Record<string, z.ZodType>> = {
  Observation: observationShape,
  DiagnosticReport: reportShape,
  Provenance: provenanceShape,
  AuditEvent: auditShape,
};

type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };
const golden = (name: string): Resource =>
  JSON.parse(readFileSync(join(import.meta.dirname, "golden", `${name}.json`), "utf8")) as Resource;
const written = [
  golden("heart-rate-open"),
  golden("heart-rate-ended"),
  golden("pressure-panel"),
  golden("pressure-statistics"),
  golden("spo2-questionable-critical"),
  golden("provenance"),
  golden("audit-create"),
];

const acceptedAs = ({ resourceType }: Resource, what: unknown): boolean =>
  acceptsOf(shapes[resourceType] ?? z.unknown())?.(what) ?? false;

const rubbish = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", " x ", "x", "urn:x y", 0, -1, 0.5, Number.NaN, true, [], {}),
  fc.constantFrom<unknown>("H", "L", "preliminary", "2026-05-01T10:00:00.000Z", "2026-13-01T10:00:00.000Z", "/min"),
  fc.constantFrom<unknown>("Patient/p-1", "Observation/o-1", [{}], { coding: [] }, { reference: "Patient/" }),
);

/** Every place in it: each as the keys on the way there. */
const placesIn = (value: unknown, at: readonly string[] = []): (readonly string[])[] => [
  at,
  ...(typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]))
    : []),
];

const edited = (value: unknown, [key, ...rest]: readonly string[], edit: (there: unknown) => unknown): unknown => {
  if (key === undefined) return edit(value);
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = edited(copy[key], rest, edit);
  return copy;
};

const without = (there: unknown): unknown => {
  if (Array.isArray(there)) return there.slice(1);
  return typeof there === "object" && there !== null ? Object.fromEntries(Object.entries(there).slice(1)) : undefined;
};
const doubled = (there: unknown): unknown => (Array.isArray(there) ? [...there, ...there] : there);
const padded = (there: unknown): unknown => (typeof there === "string" ? ` ${there}` : there);

const edits = fc.oneof(
  rubbish.map((instead) => () => instead),
  rubbish.map(
    (more) => (there: unknown) =>
      Array.isArray(there) ? [...there, more] : typeof there === "object" ? { ...there, more } : more,
  ),
  fc.constantFrom(without, doubled, padded),
);

describe("the compiled question", () => {
  it("says yes to each resource that we write", () => {
    expect(written.map((resource) => acceptedAs(resource, resource))).toEqual(written.map(() => true));
    const reports = [golden("news2"), golden("dialysis-session")].flatMap((bundle) => Object.values(bundle).flat());
    const resources = reports.filter(
      (one): one is Resource => typeof one === "object" && one !== null && "resourceType" in one,
    );
    for (const resource of resources)
      expect(acceptedAs(resource, resource)).toBe(shapes[resource.resourceType]?.safeParse(resource).success);
  });

  it("never says yes where zod says no, and the other way round only for what zod trims", () => {
    const places = fc
      .constantFrom(...written)
      .chain((resource) =>
        fc.record({ resource: fc.constant(resource), at: fc.constantFrom(...placesIn(resource)), edit: edits }),
      );
    const said = { yes: 0, no: 0 };
    fc.assert(
      fc.property(places, ({ resource, at, edit }) => {
        const changed = edited(resource, at, edit);
        const isGood = shapes[resource.resourceType]?.safeParse(changed).success === true;
        const isTrimmed = JSON.stringify(changed)?.includes('" ') === true;
        said[isGood ? "yes" : "no"]++;
        expect(acceptedAs(resource, changed)).toBe(isGood && !isTrimmed);
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(said.yes, said.no)).toBeGreaterThan(50);
  });

  it("is not asked of a shape that it can't compile, which fails at once and not at the first resource", () => {
    expect(acceptsOf(z.strictObject({ at: z.date() }))).toBeNull();
    expect(acceptsOf(z.object({ open: text }))).toBeNull();
    expect(acceptsOf(z.strictObject({ text: text.default("x") }))).toBeNull();
    expect(() => problemsOf("Thing", z.strictObject({ at: z.date() }))).toThrow(
      "Thing: a shape that can't be compiled",
    );
  });

  it("leaves the words to zod", () => {
    const problems = problemsOf(
      "Thing",
      z.strictObject({ text }).refine(({ text: said }) => said !== "no", "says no"),
    );
    expect(problems({ text: "yes" })).toEqual([]);
    expect(problems({ text: " yes " })).toEqual([]);
    expect(problems({ text: "no" })).toEqual(["Thing: says no"]);
    expect(problems({ text: " " })).toEqual(["text: Too small: expected string to have >=1 characters"]);
  });
});
