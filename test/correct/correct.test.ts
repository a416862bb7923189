/** A transform was wrong, and what it wrote is corrected under supervision (clinical.md 24): planned, reviewed by another, carried out, once. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systems } from "../../schemas/fhir/systems.ts";
import type { Corrected, Intent } from "../../schemas/records/clinical.ts";
import { aCandidate, anAssociation, ended } from "../../schemas/fhir/clinical.fixture.ts";
import { outbox } from "../../schemas/topics.ts";
import { transform } from "../../topologies/gates.ts";
import { ward } from "../../topologies/gates.fixture.ts";
import { OperatingError } from "../../streams/core/failure.ts";
import { partitionOf } from "../../streams/core/hash.ts";
import { logTime } from "../../streams/core/time.ts";
import type { FoundResource } from "../../streams/io/fhir/search.ts";
import { type ApplyParts, applyPlan, type Outcome } from "../../streams/roles/correct/apply.ts";
import { type Asked, planOf } from "../../streams/roles/correct/plan.ts";
import { type Plan, planDigest, readPlan, reviewProblem } from "../../streams/roles/correct/plan-shape.ts";
import { Ledger } from "../../streams/roles/why/ledger.ts";
import { type Afternoon, afternoonPolicy, anAfternoon, startMs } from "../why/afternoon.ts";

const at = startMs + 3_600_000;

/** The gates, which have let a candidate be written. */
const heard = () => {
  const { driver, intents, decisions } = ward({ policy: afternoonPolicy });
  const candidate = aCandidate();
  const say = (body: Parameters<typeof driver.send>[2]): void => driver.send("pk-7", at, body);
  say(candidate);
  return { say, candidate, intents, decisions };
};

const asked: Asked = {
  destination: "ehr",
  transform,
  rule: null,
  how: "retract",
  by: "engineer-1",
  because: "the mean was computed wrongly",
};

describe("supervised correction", () => {
  let afternoon: Afternoon;
  let ledger: Ledger;
  let written: Intent;
  let sent: { readonly corrected: Corrected; readonly intent: Intent }[];

  beforeAll(async () => {
    afternoon = await anAfternoon();
    ledger = new Ledger(afternoon.log, afternoon.wire);
    const intents = await ledger.those(outbox, (body) => body.kind === "intent");
    written = intents.map(({ body }) => body as Intent).at(-1) as Intent;
  });
  beforeEach(() => {
    sent = [];
  });

  /** What the EHR keeps of it, unless `change` says otherwise. */
  const kept = (change: object = {}): FoundResource =>
    ({ ...(JSON.parse(written.resource) as object), ...change }) as FoundResource;
  const planned = (change: Partial<Asked> = {}, there: readonly FoundResource[] = [kept()]): Promise<Plan> =>
    planOf(
      { ...asked, ...change },
      { ledger, found: async (type) => there.filter(({ resourceType }) => resourceType === type), now: () => at },
    );
  const reviewed = (plan: Plan, by = "engineer-2"): Plan => ({
    ...plan,
    review: { by, at: "2026-12-24T09:00:00Z", digest: planDigest(plan) },
  });
  const parts = (): ApplyParts => ({
    ledger,
    policy: afternoonPolicy,
    now: () => logTime(at),
    append: async (corrected, intent) => void sent.push({ corrected, intent }),
  });
  const applied = (plan: Plan, of = parts()): Promise<Outcome[]> => Array.fromAsync(applyPlan(plan, "dr-3", of));

  it("lists every resource by the transform that built it, or by the rule that asked for it", async () => {
    const plan = await planned();
    expect(plan.rows).toMatchObject([
      {
        resourceId: written.resourceId,
        patientKey: written.patientKey,
        revision: 1,
        transform,
        rule: "hr-high@3",
        status: "final",
        there: { status: "final", revision: 1 },
        leftOut: null,
      },
    ]);
    expect(plan.rows[0]?.says).toContain("131 /min");
    expect((await planned({ transform: null, rule: "hr-high@3" })).rows).toHaveLength(1);
    expect((await planned({ transform: "gates@0" }, [])).rows).toEqual([]);
    expect((await planned({ transform: null, rule: "hr-high@2" }, [])).rows).toEqual([]);
    expect((await planned({ destination: "research" }, [])).rows).toEqual([]);
  });

  it("leaves alone what is in error already, what is not there, and what somebody else changed", async () => {
    const changed = kept({ meta: { tag: [{ system: systems.revision, code: "7" }] } });
    expect((await planned({}, [kept({ status: "entered-in-error" })])).rows[0]?.leftOut).toBe("already-in-error");
    expect((await planned({}, [])).rows[0]?.leftOut).toBe("not-written");
    expect((await planned({}, [changed])).rows[0]?.leftOut).toBe("changed-there");
    expect((await planned({}, [kept()])).rows[0]?.leftOut).toBeNull();
    const earlier = kept({ meta: { tag: [{ system: systems.revision, code: "0" }] } });
    expect((await planned({}, [earlier])).rows[0]?.leftOut, "what came after it was withheld").toBeNull();
  });

  it("names what stands there under the same tag and was never ours", async () => {
    const plan = await planned({}, [kept(), kept({ id: "somebody-elses" })]);
    expect(plan.strangers).toEqual(["Observation/somebody-elses"]);
  });

  it("says so where the destination can't be asked, and goes by the log", async () => {
    const found = async (): Promise<never> => {
      throw new OperatingError("fhir-unavailable", "no answer", { retry: true });
    };
    const plan = await planOf(asked, { ledger, found, now: () => at });
    expect(plan).toMatchObject({ notAsked: "no answer", rows: [{ there: null, leftOut: null }] });
  });

  it("is carried out only when somebody else has reviewed it, as it was reviewed", async () => {
    const plan = await planned();
    expect(reviewProblem(plan)).toBe("nobody has reviewed it");
    expect(reviewProblem(reviewed(plan, "Engineer-1 "))).toContain("can't review it too");
    expect(reviewProblem({ ...reviewed(plan), how: "amend" })).toBe("it was changed after its review");
    expect(reviewProblem(reviewed({ ...plan, rows: [] }))).toBeNull();
    expect(reviewProblem(reviewed(plan))).toBeNull();
    const again = readPlan(JSON.stringify(reviewed(plan)));
    expect(again.ok && reviewProblem(again.value)).toBeNull();
    expect(readPlan("{}").ok).toBe(false);
  });

  it("retracts: the same resource of the same subject, in its next revision, in error, by whom and why", async () => {
    expect(await applied(reviewed(await planned()))).toMatchObject([{ outcome: "sent", detail: "revision 2" }]);
    const [{ corrected, intent } = { corrected: null, intent: null }] = sent;
    expect(intent).toMatchObject({ action: "retract", revision: 2, resourceId: written.resourceId, resentBy: "dr-3" });
    expect(corrected).toMatchObject({ action: "retract", revision: 2, by: "dr-3", identity: written.identity });
    const [before, after] = [written, intent].map((one) => JSON.parse(one?.resource ?? "{}"));
    expect(after).toMatchObject({ status: "entered-in-error", subject: before.subject, id: before.id });
    expect(JSON.stringify(after.note)).toContain(asked.because);
    expect(after.meta.tag).toContainEqual({ system: systems.transform, code: transform });
  });

  it("amends as today's gates would write it, and refuses what they refuse", async () => {
    const plan = reviewed(await planned({ how: "amend" }));
    expect(await applied(plan)).toMatchObject([{ outcome: "sent" }]);
    expect(JSON.parse(sent[0]?.intent.resource ?? "{}")).toMatchObject({ status: "amended" });
    const strict = { ...afternoonPolicy, clockUncertaintyMs: 30 * 86_400_000 };
    const [refusal] = await applied(plan, { ...parts(), policy: strict });
    expect(refusal).toMatchObject({ outcome: "refused" });
    expect(refusal?.detail).toContain("time-ambiguous");
    expect(sent).toHaveLength(1);
  });

  it("is known to the gates: what they say afterwards comes behind it", () => {
    const { say, candidate, intents } = heard();
    const { identity } = candidate.episode;
    say({
      kind: "corrected",
      identity,
      revision: 5,
      patientKey: "pk-7",
      destination: "ehr",
      action: "amend",
      by: "dr-3",
      reason: asked.because,
    });
    say({ ...candidate, episode: ended(candidate.episode) });
    expect(intents().map(({ revision }) => revision)).toEqual([0, 6]);
  });

  it("is not told over: what a person took back no later revision brings again", () => {
    const { say, candidate, intents, decisions } = heard();
    const { identity } = candidate.episode;
    const [by, reason] = ["dr-3", asked.because];
    const correction = { kind: "corrected", identity, patientKey: "pk-7", destination: "ehr", by, reason } as const;
    say({ ...correction, revision: 1, action: "retract" });
    say({ ...candidate, episode: ended(candidate.episode) });
    expect(intents()).toHaveLength(1);
    const said = decisions().flatMap(({ answers }) => answers);
    expect(said.map((one) => one.reason)).toContain("retracted-by-correction");
    say({ ...correction, revision: 2, action: "amend" });
    say({ ...candidate, episode: { ...ended(candidate.episode), revision: 2 } });
    expect(intents().map(({ revision }) => revision)).toEqual([0, 3]);
  });

  it("loses no retraction that the gates told under the same revision", () => {
    const { say, candidate, intents } = heard();
    const voided = { ...anAssociation(), revision: 2, voided: true };
    say({
      ...candidate,
      association: voided,
      correction: { why: "link", cause: "wrong wristband", otherPatientKey: null },
    });
    say({
      kind: "corrected",
      identity: candidate.episode.identity,
      revision: 1,
      patientKey: "pk-7",
      destination: "ehr",
      action: "amend",
      by: "dr-3",
      reason: asked.because,
    });
    expect(intents().map(({ action, revision }) => [action, revision])).toEqual([
      ["write", 0],
      ["retract", 1],
      ["retract", 2],
    ]);
  });

  it("does nothing twice: what an earlier run sent is done", async () => {
    const once = await anAfternoon();
    const own = new Ledger(once.log, once.wire);
    const appender = await once.log.appender("correct");
    const of: ApplyParts = {
      ...parts(),
      ledger: own,
      append: async (corrected, intent) => {
        sent.push({ corrected, intent });
        const envelope = { position: null, logTime: logTime(at) };
        const value = once.wire.encode(outbox, { ...envelope, body: intent });
        const partition = partitionOf(written.patientKey, outbox.partitions);
        await appender.append([{ topic: outbox.name, partition, key: written.patientKey, value }]);
      },
    };
    const plan = reviewed(await planned());
    expect(await applied(plan, of)).toMatchObject([{ outcome: "sent" }]);
    expect(await applied(plan, of)).toMatchObject([{ outcome: "done" }]);
    expect(sent).toHaveLength(1);
    const after = await planOf(asked, { ledger: own, found: async () => [], now: () => at });
    expect(after.rows[0]?.leftOut).toBe("already-in-error");
  });
});
