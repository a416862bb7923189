/** What leaves the gates with each resource: its Provenance and its AuditEvent, in the same outbox record, for a write, an amendment and a retraction. */
import type { AuditEvent, Observation, Provenance, Resource } from "@medplum/fhirtypes";
import { describe, expect, it } from "vitest";
import { aCandidate, anAssociation, minutes } from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate, Intent } from "../schemas/records/clinical.ts";
import { over, policyOf, ward } from "./gates.fixture.ts";

const disclosing = () => {
  const { hears, intents } = ward({ policy: policyOf({ purpose: "TREAT" }) });
  return {
    /** The last intent after it, or none. */
    offered: (candidate: Candidate, afterMinutes = 1): Intent | undefined => {
      const before = intents().length;
      hears(candidate, minutes(afterMinutes));
      return intents().slice(before).at(-1);
    },
  };
};

const parsed = <T extends Resource>(json: string | null | undefined): T => JSON.parse(json ?? "null") as T;
const tagOf = (resource: Resource, system: string): string | undefined =>
  resource.meta?.tag?.find((tag) => tag.system === `urn:afferent:${system}`)?.code;

/** Provenance and AuditEvent of an intent speak of its resource, its revision and its time. */
const parts = (intent: Intent | undefined) => {
  const resource = parsed<Observation>(intent?.resource);
  const provenance = parsed<Provenance>(intent?.beside.at(-1));
  const audit = parsed<AuditEvent>(intent?.audit);
  const reference = `Observation/${resource.id}`;
  expect(provenance.target?.map((t) => t.reference)).toEqual([reference]);
  expect(audit.entity?.map(({ what }) => what?.reference)).toEqual([resource.subject?.reference, reference]);
  for (const one of [resource, provenance, audit]) expect(tagOf(one, "revision")).toBe(String(intent?.revision));
  const at = new Date(intent?.at ?? 0).toISOString();
  expect([provenance.recorded, provenance.occurredDateTime, audit.recorded]).toEqual([at, at, at]);
  return { resource, provenance, audit };
};

describe("each word to a destination", () => {
  const open = aCandidate();
  const wrong: Candidate = {
    ...over(),
    episode: { ...over().episode, revision: 2 },
    association: anAssociation({ revision: 2, voided: true }),
  };

  it("goes with a Provenance and an AuditEvent: the first creates, the next updates, a retraction takes back", () => {
    const { offered } = disclosing();
    const [first, second, third] = [offered(open), offered(over(), 4), offered(wrong, 20)].map(parts);
    expect([first, second, third].map((p) => p?.resource.status)).toEqual(["preliminary", "final", "entered-in-error"]);
    expect([first, second, third].map((p) => p?.provenance.activity?.coding?.[0]?.code)).toEqual([
      "CREATE",
      "UPDATE",
      "NULLIFY",
    ]);
    expect([first, second, third].map((p) => p?.audit.action)).toEqual(["C", "U", "U"]);
    expect(first?.audit.purposeOfEvent?.[0]?.coding?.[0]?.code).toBe("TREAT");
    expect(new Set([first, second, third].map((p) => p?.provenance.id)).size).toBe(3);
    expect(new Set([first, second, third].map((p) => p?.audit.id)).size).toBe(3);
  });

  it("names who approved the rule, by which link it is this patient's, and what it was made of", () => {
    const { provenance } = parts(disclosing().offered(open));
    expect(provenance.agent?.map(({ who }) => who?.identifier?.value)).toEqual([
      expect.stringMatching(/^gates@\d+$/),
      "Dr. Ada Brandt",
    ]);
    expect(provenance.entity?.map(({ role, what }) => `${role} ${what?.identifier?.value}`)).toEqual([
      `derivation ${open.episode.qualifyingIdentity}`,
      "source link-7@1",
    ]);
  });

  it("is none where a gate refuses: nothing was told, nothing is audited", () => {
    expect(disclosing().offered({ ...open, association: anAssociation({ confirmedBy: null }) })).toBeUndefined();
    expect(disclosing().offered(open)).toBeDefined();
  });
});
