/** The state of the gates' first version, and what it had written, in today's gates. */
import { describe, expect, it } from "vitest";
import {
  aCandidate,
  aConsent,
  anAssociation,
  anEpisode,
  aPatient,
  ended,
  minutes,
  two,
} from "../../schemas/fhir/clinical.fixture.ts";
import type { Candidate, Decision, Intent, Task, WindowValue } from "../../schemas/records/clinical.ts";
import { observationId } from "../../schemas/fhir/observation.ts";
import { candidates } from "../candidates.ts";
import { metricOf } from "../../schemas/terminology.ts";
import { eventTime, logTime } from "../../streams/core/time.ts";
import { shippedPrecedence } from "../shipped.fixture.ts";
import { drive } from "../../streams/sim/drive.ts";
import { gates, type GatePolicy } from "../gates.ts";
import { minuteValue, policyOf } from "../gates.fixture.ts";
import { openLedger } from "./ceiling.ts";
import { cellsOfVersion1 } from "./version-1.ts";

/** As the first version stored it: without what records have gained since. */
const without = (value: object, ...fields: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)));

const oldAssociation = without(anAssociation(), "voided", "conflict", "cause", "mergedFrom");
const oldCandidate = { ...without(aCandidate(), "alongside", "correction"), association: oldAssociation };
const ledgerName = 'ledger/["ehr","hr-high","icu-1-07","2026-11-21"]';
const ledger = openLedger(undefined, "ehr", aCandidate(), logTime(two));

describe("the state of the first version", () => {
  const cells = cellsOfVersion1({
    patient: without(aPatient(), "identities", "mergedInto", "familyName", "givenName", "birthDate"),
    [ledgerName]: { ...ledger, last: oldCandidate, folded: 1 },
    [`folded/${ledgerName}/5d1f8c3a90b27e64a1c05b7e2f9d3846`]: { kind: "folded" },
  });

  it("has what records gained since by its default", () => {
    expect(cells["patient"]).toEqual(aPatient());
    expect(cells[ledgerName]).toMatchObject({
      last: { association: anAssociation(), alongside: [], correction: null },
      folded: 1,
    });
  });

  it("knows a folded episode by its destination and identity, and its ledger", () => {
    expect(cells['folded/["ehr","5d1f8c3a90b27e64a1c05b7e2f9d3846"]']).toEqual({ kind: "folded", ledger: ledgerName });
    expect(Object.keys(cells)).toHaveLength(4);
  });

  it("of candidates is one cell of links", () => {
    expect(candidates.migrate?.cells(1, "subject-7", { "link-7": oldAssociation })).toEqual({
      links: { kind: "links", all: [{ association: anAssociation(), learntAt: 0, mergedKeys: [] }] },
    });
  });
});

const other = "0".repeat(32);
const voidedLink = anAssociation({ revision: 2, voided: true });
const offered = (change: Partial<Candidate["episode"]> = {}): Candidate => ({
  ...aCandidate(ended(anEpisode(change)), voidedLink),
  correction: { why: "link", cause: "wrong wristband", otherPatientKey: "pk-8" },
});

/** The gates, with a state of the first version that had admitted these under one ledger, the last of them `last`. */
const upgraded = (admitted: readonly string[], last: Candidate, its: GatePolicy = policyOf()) => {
  const old = {
    patient: without(aPatient(), "identities", "mergedInto", "familyName", "givenName", "birthDate"),
    "consent/consent-7": aConsent(),
    [ledgerName]: { ...ledger, admitted, final: [], last: { ...last, association: oldAssociation } },
  };
  const stage = gates(its);
  const driver = drive({
    ...stage,
    step(state, entry, out, shared) {
      if (entry.body.kind === "patient")
        for (const [name, cell] of Object.entries(cellsOfVersion1(old))) state.set(name, cell);
      else stage.step(state, entry, out, shared);
    },
  });
  driver.send("pk-7", two, aPatient());
  let at = two + minutes(30);
  return {
    hears(body: Candidate | WindowValue): void {
      at += minutes(1);
      driver.send("pk-7", at, body);
    },
    intents: () => driver.outputs("outbox").map(({ body }) => body as Intent),
    decisions: () => driver.outputs("decisions").map(({ body }) => body as Decision),
    tasks: () => driver.outputs("tasks").map(({ body }) => body as Task),
  };
};

describe("what the first version had written", () => {
  it("is taken back where it was the last of its day, under the id that it was written under", () => {
    const { hears, intents, tasks } = upgraded([anEpisode().identity], aCandidate());
    hears(offered());
    hears(offered());
    const fresh = observationId(anEpisode(), aPatient());
    expect(intents().map(({ action, revision, resourceId }) => [action, revision, resourceId])).toEqual([
      ["retract", 1, fresh],
    ]);
    expect(JSON.parse(intents()[0]?.resource ?? "")).toMatchObject({
      status: "entered-in-error",
      subject: { reference: "Patient/p-0007" },
      valueQuantity: { value: 128 },
    });
    expect(tasks().map(({ reason }) => reason)).toEqual([
      "association-corrected",
      "association-corrected",
      "possible-breach",
    ]);
  });

  it("goes on above it where the link holds", () => {
    const { hears, intents } = upgraded([anEpisode().identity], aCandidate());
    hears(aCandidate(ended(anEpisode())));
    expect(intents().map(({ action, revision }) => [action, revision])).toEqual([["write", 1]]);
  });

  it("is a person's to take out where it was not the last, once, for nobody knows what it said", () => {
    const { hears, intents, tasks } = upgraded([other, anEpisode().identity], aCandidate());
    hears(offered({ identity: other }));
    hears(offered({ identity: other }));
    expect(intents()).toEqual([]);
    expect(tasks()).toMatchObject([
      { audience: "records", reason: "not-retractable", patientKey: "pk-7", about: [other], destination: "ehr" },
    ]);
  });

  it("is nobody's task where the link holds, or where it was never written", () => {
    const held = upgraded([other, anEpisode().identity], aCandidate());
    held.hears(aCandidate(ended(anEpisode({ identity: other }))));
    expect(held.tasks()).toEqual([]);
    const never = upgraded([anEpisode().identity], aCandidate());
    never.hears(offered({ identity: other }));
    expect(never.tasks()).toEqual([]);
  });

  it("goes on though another source is preferred by now; the twin that it had not written is refused", () => {
    const { mdc, loinc, ucum } = metricOf("nibpSystolic");
    const rule = { ...aCandidate().episode.rule, metric: "nibpSystolic", ucum, when: "below" as const, limit: 140 };
    const cuff = { metric: "nibpSystolic", mdc, loinc, ucum, channel: "nibp", rule };
    const line = { channel: "art", metric: "artSystolic", ucum, source: "arterialLine" } as const;
    const end = (identity: string) => {
      const { hears, decisions } = upgraded([other], aCandidate({ ...cuff, identity: "1".repeat(32) }), {
        ...policyOf(),
        precedence: shippedPrecedence,
      });
      for (let m = 30; m < 62; m++) hears(minuteValue(line, two + minutes(m), 118));
      const start = two + minutes(62);
      const times = { start: eventTime(start), qualifyingAt: eventTime(start + 10_000) };
      hears(aCandidate(ended(anEpisode({ ...cuff, ...times, identity }), { end: eventTime(start + 30_000) })));
      return decisions().at(-1);
    };
    expect(end(other)?.promoted).toBe(true);
    expect(end("2".repeat(32))?.answers.filter(({ passed }) => !passed)).toMatchObject([
      { reason: "source-not-preferred" },
    ]);
  });
});
