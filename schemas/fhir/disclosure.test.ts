import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { auditProblems } from "./audit-shape.ts";
import { anEpisode, aPatient, aRule, minutes, two } from "./clinical.fixture.ts";
import { type DisclosureOf, disclosureOf } from "./disclosure.ts";
import { episodeOf } from "./every-kind.fixture.ts";
import { observationProblems } from "./observation-shape.ts";
import { observationsOf } from "./observation.ts";
import { provenanceProblems } from "./provenance-shape.ts";
import { retractionOf } from "./retraction.ts";

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8"));
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const written = (episode = anEpisode()) =>
  observationsOf({
    episode,
    patient: aPatient(),
    revision: 0,
    status: "preliminary",
    transform: "gates@2",
    note: null,
  });

const told = (change: Partial<DisclosureOf> = {}) =>
  disclosureOf({
    written: written(),
    destination: "ehr",
    purpose: "TREAT",
    revision: 0,
    activity: "create",
    at: two + minutes(6),
    transform: "gates@2",
    rule: aRule(),
    inputs: [anEpisode().qualifyingIdentity],
    association: { id: "link-7", revision: 1 },
    ...change,
  });

describe("what goes with a resource that is told", () => {
  it("is its Provenance, which names transform, rule, approver, link and raw input, as the golden file says", () => {
    expect(asJson(told().beside)).toEqual([golden("provenance")]);
  });

  it("and the AuditEvent of telling it, after IHE's PatientCreate, as the golden file says", () => {
    expect(asJson(told().audit)).toEqual(golden("audit-create"));
  });

  it("follows what it refers to: members first, the Provenance last, and speaks of all of them", () => {
    const pressure = written(episodeOf("nibpSystolic", "start"));
    const { beside, audit } = told({ written: pressure });
    expect(beside.map(({ resourceType }) => resourceType)).toEqual(["Observation", "Provenance"]);
    const all = [pressure.resource, ...pressure.beside].map(({ id }) => `Observation/${id}`);
    expect(beside[1]).toMatchObject({ target: all.map((reference) => ({ reference })) });
    const detail = audit.entity?.[1]?.detail?.map((d) => d.valueString);
    expect(detail).toEqual([all[1], `Provenance/${beside[1]?.id}`]);
  });

  it("has an id of its own for each revision and each destination, and the same one for the same telling", () => {
    const ids = (change: Partial<DisclosureOf>) => {
      const { beside, audit } = told(change);
      return [beside[0]?.id, audit.id];
    };
    const [provenance, audit] = ids({});
    expect(ids({ at: two + minutes(60) })).toEqual([provenance, audit]);
    const later = ids({ revision: 1, activity: "update" });
    expect(later).not.toContain(provenance);
    expect(later).not.toContain(audit);
    expect(ids({ destination: "registry" })[1]).not.toBe(audit);
  });

  it("is an update where the destination had it, and takes a retraction for one", () => {
    expect(told({ activity: "update" }).audit).toMatchObject({ action: "U", subtype: [{ code: "update" }] });
    const { beside, audit } = told({ activity: "retract" });
    expect(audit.action).toBe("U");
    expect(beside[0]).toMatchObject({ activity: { coding: [{ code: "NULLIFY" }] } });
  });

  it("says of a demo's data that it is a demo's", () => {
    const rule = aRule({ approval: { by: "Demo ward", at: 0, demo: true } });
    expect(told({ rule }).audit.meta?.security?.map((s) => s.code)).toEqual(["HTEST"]);
    expect(told().audit.meta?.security).toBeUndefined();
  });

  it("names no patient, bed, serial or nurse", () => {
    expect(JSON.stringify(told())).not.toMatch(/serial|icu-1|Okafor|"0007"|mrn/);
  });
});

describe("a retraction", () => {
  const resource = JSON.stringify(written(episodeOf("nibpSystolic", "start")).resource);
  const beside = told({ written: written(episodeOf("nibpSystolic", "start")) }).beside.map((b) => JSON.stringify(b));
  const taken = retractionOf(
    { resource, beside, destination: "ehr" },
    {
      revision: 3,
      reason: "Entered in error: the link was another's",
      purpose: null,
      at: two + minutes(30),
      transform: "gates@2",
      rule: aRule(),
      inputs: [anEpisode().qualifyingIdentity],
      association: { id: "link-7", revision: 1 },
    },
  );

  it("is the same resource of the same subject, entered in error, with its values and why", () => {
    const before = JSON.parse(resource) as { id: string; subject: unknown; component: unknown };
    expect(taken.resource).toMatchObject({
      id: before.id,
      subject: before.subject,
      component: before.component,
      status: "entered-in-error",
      note: [{ text: "Entered in error: the link was another's" }],
    });
    expect(taken.resource.meta?.tag?.[0]).toEqual({ system: "urn:afferent:revision", code: "3" });
    expect(taken.resource.meta?.tag?.filter((t) => t.system === "urn:afferent:revision").length).toBe(1);
  });

  it("takes its members with it, and says so in a Provenance of its own", () => {
    expect(taken.beside.map(({ resourceType }) => resourceType)).toEqual(["Observation", "Provenance"]);
    expect(taken.beside[0]).toMatchObject({ status: "entered-in-error" });
    expect(taken.beside[1]?.id).not.toBe((JSON.parse(beside[1] ?? "{}") as { id: string }).id);
  });

  it("is in shape", () => {
    expect([taken.resource, taken.beside[0]].flatMap(observationProblems)).toEqual([]);
    expect(provenanceProblems(taken.beside[1])).toEqual([]);
    expect(auditProblems(taken.audit)).toEqual([]);
  });
});

describe("the compiled shapes of what goes with it", () => {
  const { beside, audit } = told();
  const provenance = asJson(beside[0]) as Record<string, unknown> & { agent: unknown[]; entity: unknown[] };
  const event = asJson(audit) as Record<string, unknown> & { agent: unknown[]; entity: unknown[] };

  it("take both", () => {
    expect(provenanceProblems(provenance)).toEqual([]);
    expect(auditProblems(event)).toEqual([]);
  });

  it.each([
    ["no transform", { agent: provenance.agent.slice(1) }, "does not name the transform"],
    ["a rule that nobody approved", { agent: provenance.agent.slice(0, 1) }, "not who approved it"],
    ["no raw input", { entity: provenance.entity.slice(1) }, "does not name the raw input"],
    ["no target", { target: [] }, "target"],
    ["a target that is a patient", { target: [{ reference: "Patient/p" }] }, "target"],
    ["a local time", { recorded: "2026-11-21T14:06:00" }, "recorded"],
    ["an unknown element", { why: "x" }, "why"],
    ["no revision", { meta: { tag: [] } }, "meta.tag"],
  ])("refuse a Provenance with %s", (_, change, place) => {
    expect(provenanceProblems({ ...provenance, ...change }).join("\n")).toContain(place);
  });

  it.each([
    ["no patient", { entity: event.entity.slice(1) }, "entity"],
    ["no server", { agent: event.agent.slice(0, 1) }, "agent"],
    ["a failure's outcome", { outcome: "8" }, "outcome"],
    ["an action that is not its interaction", { action: "U" }, "action and interaction differ"],
    ["no source", { source: undefined }, "source"],
    ["a time without milliseconds", { recorded: "2026-11-21T14:06:00Z" }, "recorded"],
  ])("refuse an AuditEvent with %s", (_, change, place) => {
    expect(auditProblems({ ...event, ...change }).join("\n")).toContain(place);
  });
});
