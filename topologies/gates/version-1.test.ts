import { describe, expect, it } from "vitest";
import { aCandidate, anAssociation, aPatient, two } from "../../schemas/fhir/clinical.fixture.ts";
import { candidates } from "../candidates.ts";
import { logTime } from "../../streams/core/time.ts";
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
    expect(Object.keys(cells)).toHaveLength(3);
  });

  it("of candidates is one cell of links", () => {
    expect(candidates.migrate?.cells(1, "subject-7", { "link-7": oldAssociation })).toEqual({
      links: { kind: "links", all: [{ association: anAssociation(), learntAt: 0, mergedKeys: [] }] },
    });
  });
});
