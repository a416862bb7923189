import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minutes, two } from "./clinical.fixture.ts";
import {
  aConsentJson,
  action,
  actor,
  at,
  concept,
  label,
  loinc,
  ofClass,
  policyRule,
  purpose,
} from "./consent.fixture.ts";
import { directiveOf } from "./consent-directive.ts";
import { judgeConsents, type Standing } from "./consent-judge.ts";
import { type Hop, normalConfidentiality } from "./consent-question.ts";
import { anyZone } from "./moment.ts";

type Json = Record<string, unknown>;

/** Few words, so that rules meet questions often. */
const some = <T>(...values: readonly T[]) =>
  fc.option(fc.subarray([...values], { minLength: 1, maxLength: 2 }), { nil: undefined });
const period = fc.option(
  fc.record({ start: fc.constantFrom(at(-60), at(4), at(9)), end: fc.constantFrom(at(7), at(11), "2026-11-22") }),
  { nil: undefined },
);
const narrowing = {
  period,
  dataPeriod: period,
  actor: some(actor("Organization/ghh"), actor("Organization/elsewhere"), actor("Practitioner/1")),
  action: some(action("disclose"), action("access"), action("correct"), concept("urn:x", "y")),
  purpose: some(purpose("TREAT"), purpose("HRESCH"), purpose("ETREAT")),
  securityLabel: some(label("N"), label("R")),
  class: some(ofClass("Observation"), ofClass("Condition")),
  code: some(loinc("8867-4"), loinc("85353-1"), loinc("2160-0")),
};
/** Most rules narrow themselves by little. */
const sparse = fc
  .record(narrowing)
  .chain((whole) =>
    fc
      .subarray(Object.keys(narrowing), { maxLength: 2 })
      .map((kept) =>
        Object.fromEntries(Object.entries(whole).filter(([key, value]) => kept.includes(key) && value !== undefined)),
      ),
  );
const rules = (depth: number): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.constantFrom("permit", "deny"),
      sparse,
      depth === 0 ? fc.constant([]) : fc.array(rules(depth - 1), { maxLength: 2 }),
    )
    .map(([type, narrow, nested]) => ({ type, ...narrow, ...(nested.length > 0 && { provision: nested }) }));
const root = fc
  .tuple(fc.option(sparse, { nil: {} }), fc.array(rules(2), { maxLength: 3 }))
  .map(([narrow, nested]) => ({ ...narrow, ...(nested.length > 0 && { provision: nested }) }));

const status = fc.constantFrom("active", "active", "active", "inactive", "rejected", "draft");
const dateTime = fc.constantFrom(null, "2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z", "2026-11-02", "1999", at(60));
const consent = fc
  .record({ status, dateTime, code: fc.constantFrom("OPTIN", "OPTIN", "OPTOUT", "OPTINR", "cric"), provision: root })
  .map(({ status: s, dateTime: d, code, provision }) =>
    aConsentJson({ status: s, dateTime: d, policyRule: policyRule(code), provision }),
  );

/** Whatever narrows it, it has nothing that permits. */
const denials = (depth: number): fc.Arbitrary<Json> =>
  fc
    .tuple(sparse, depth === 0 ? fc.constant([]) : fc.array(denials(depth - 1), { maxLength: 2 }))
    .map(([narrow, nested]) => ({ type: "deny", ...narrow, ...(nested.length > 0 && { provision: nested }) }));
const denying = fc
  .record({
    status,
    dateTime,
    code: fc.constantFrom("OPTOUT", "OPTOUTE"),
    narrow: sparse,
    nested: fc.array(denials(1), { maxLength: 2 }),
  })
  .map(({ status: s, dateTime: d, code, narrow, nested }) =>
    aConsentJson({
      status: s,
      dateTime: d,
      policyRule: policyRule(code),
      provision: { ...narrow, ...(nested.length > 0 && { provision: nested }) },
    }),
  );

const hop: fc.Arbitrary<Hop> = fc.record({
  name: fc.constant("ehr"),
  organisation: fc.constantFrom([{ reference: "Organization/ghh" }], []),
  purpose: fc.constantFrom("TREAT", "HRESCH", null),
  action: fc.constantFrom("disclose" as const, "access" as const),
  legalBasis: fc.constantFrom("consentRequired" as const, "unlessDenied" as const),
  jurisdiction: fc.constantFrom("DE-BY", null),
});
const question = fc.record({
  hop,
  resourceType: fc.constantFrom("Observation", "DiagnosticReport"),
  codes: fc.constant([{ system: "http://loinc.org", code: "8867-4" }]),
  labels: fc.constant([normalConfidentiality]),
  eventTimes: fc.array(fc.constantFrom(two + minutes(3), two + minutes(5), two + minutes(8)), { maxLength: 2 }),
  now: fc.constantFrom(two + minutes(8), two + minutes(10), two + minutes(60 * 30)),
});
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

const answer = (consents: readonly unknown[], asked: Question): Standing =>
  judgeConsents(
    consents.map((json, i) =>
      directiveOf(JSON.stringify(json), { named: `c-${i}`, readAt: two, stale: false, zones: anyZone }),
    ),
    asked,
  ).standing;

/** The same rule with a denial put in somewhere. */
const withDenial = (rule: Json, denial: Json, path: readonly number[]): Json => {
  const nested = (rule["provision"] ?? []) as readonly Json[];
  const [first, ...rest] = path;
  const into = first === undefined ? undefined : nested[first % Math.max(1, nested.length)];
  if (into === undefined) return { ...rule, provision: [...nested, denial] };
  return { ...rule, provision: nested.map((one) => (one === into ? withDenial(one, denial, rest) : one)) };
};

const runs = { numRuns: 500 };

describe("whatever a patient's consents say", { timeout: 60_000 }, () => {
  it("they permit something, now and then, or nothing would be shown here", () => {
    const standings = fc
      .sample(fc.tuple(fc.array(consent, { minLength: 1, maxLength: 3 }), question), { numRuns: 2_000, seed: 19 })
      .map(([consents, asked]) => answer(consents, asked));
    const share = standings.filter((s) => s === "permit").length / standings.length;
    expect(share).toBeGreaterThan(0.03);
    expect(new Set(standings).size).toBeGreaterThan(5);
  });

  it("a further Consent that only denies makes no permit of a refusal", () => {
    fc.assert(
      fc.property(fc.array(consent, { maxLength: 3 }), denying, question, (consents, denial, asked) => {
        fc.pre(answer(consents, asked) !== "permit");
        expect(answer([...consents, denial], asked)).not.toBe("permit");
      }),
      runs,
    );
  });

  it("a further denial within one of them makes no permit of a refusal", () => {
    const path = fc.array(fc.nat(3), { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(consent, { minLength: 1, maxLength: 3 }),
        denials(0),
        path,
        question,
        ([one = {}, ...others], denial, where, asked) => {
          fc.pre(answer([one, ...others], asked) !== "permit");
          const stricter = { ...one, provision: withDenial((one["provision"] ?? {}) as Json, denial, where) };
          expect(answer([stricter, ...others], asked)).not.toBe("permit");
        },
      ),
      runs,
    );
  });

  it("a plain opt-out that is newer than all of them ends every permit", () => {
    fc.assert(
      fc.property(fc.array(consent, { maxLength: 3 }), question, (consents, asked) => {
        const optOut = aConsentJson({ policyRule: policyRule("OPTOUT"), dateTime: "2026-12-24T00:00:00Z" });
        expect(answer([...consents, optOut], asked)).not.toBe("permit");
      }),
      runs,
    );
  });

  it("the order in which they are known does not matter", () => {
    fc.assert(
      fc.property(fc.array(consent, { minLength: 2, maxLength: 4 }), question, (consents, asked) => {
        const permits = (some: readonly unknown[]) => answer(some, asked) === "permit";
        expect(permits(consents.toReversed())).toBe(permits(consents));
      }),
      runs,
    );
  });

  it("rubbish permits nothing, and takes a permit that is no newer with it", () => {
    fc.assert(
      fc.property(fc.json(), question, (rubbish, asked) => {
        const read = directiveOf(rubbish, { named: "it", readAt: two, stale: false, zones: anyZone });
        expect(judgeConsents([read], asked).standing).toBe("consent-unreadable");
        const permit = directiveOf(JSON.stringify(aConsentJson()), {
          named: "p",
          readAt: two,
          stale: false,
          zones: anyZone,
        });
        expect(judgeConsents([permit, read], asked).standing).toBe("consent-unreadable");
      }),
      { numRuns: 300 },
    );
  });

  it("an element that nobody knows, put in anywhere, makes it unreadable", () => {
    fc.assert(
      fc.property(consent, fc.nat(2), (json, where) => {
        const foreign = { except: "none of this holds" };
        const rule = (json["provision"] ?? {}) as Json;
        const strange = [
          { ...json, ...foreign },
          { ...json, provision: { ...rule, ...foreign } },
          { ...json, provision: { ...rule, provision: [{ type: "permit", ...foreign }] } },
        ][where];
        const { said } = directiveOf(JSON.stringify(strange), {
          named: "it",
          readAt: two,
          stale: false,
          zones: anyZone,
        });
        expect(said).toMatchObject({ kind: "refused", standing: "consent-unreadable" });
      }),
      { numRuns: 200 },
    );
  });
});
