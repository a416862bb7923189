/** A destination's identity of a patient turns out to be another: what stands under the old one is in a chart that may be another person's. */
import fc from "fast-check";
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
} from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate } from "../schemas/records/clinical.ts";
import type { Patient, PatientIdentity } from "../schemas/records/roster.ts";
import { candidateOf, foldable, over, policyOf, resourceOf, type Ward, ward, withheld } from "./gates.fixture.ts";

const known = (version: number, change: Partial<PatientIdentity>): Patient =>
  aPatient({
    version,
    identities: [
      {
        destination: "ehr",
        fhirId: "wrong-1",
        system: "urn:example:mrn",
        namespace: "KH",
        value: "0007",
        type: "MR",
        ...change,
      },
    ],
  });
const wrong = known(1, {});
const right = known(2, { fhirId: "right-2" });
const voided: Candidate = {
  ...aCandidate(ended(anEpisode()), anAssociation({ revision: 2, voided: true })),
  correction: { why: "link", cause: "wrong wristband", otherPatientKey: null },
};

/** The patient as he was known first, or `patient`; what is heard comes a minute after the other. */
const misknown = (of: Ward = {}) => {
  const all = ward({ patient: wrong, ...of });
  return {
    ...all,
    hears: (body: Parameters<typeof all.hears>[0], afterMs = minutes(1)) => all.hears(body, afterMs),
    /** Each intent as it reaches the chart: what, revision, subject, status. */
    charted: () =>
      all.intents().map((intent) => {
        const written = resourceOf(intent);
        return `${intent.action} ${intent.revision} ${written?.subject.reference} ${written?.status}`;
      }),
  };
};

describe("an identity that is corrected", () => {
  it("takes back what stands under the old one before it is written under the new one, while the episode is open", () => {
    const { hears, charted, intents, decisions } = misknown();
    hears(aCandidate());
    hears(right);
    expect(charted()).toEqual([
      "write 0 Patient/wrong-1 preliminary",
      "retract 1 Patient/wrong-1 entered-in-error",
      "write 2 Patient/right-2 preliminary",
    ]);
    const [first, taken, anew] = intents();
    expect(taken).toMatchObject({ resourceId: first?.resourceId, patient: { fhirId: "wrong-1" } });
    expect(anew?.resourceId).not.toBe(first?.resourceId);
    expect(anew).toMatchObject({ patient: { fhirId: "right-2" } });
    const reasons = decisions().map(({ answers, promoted, revision }) => [
      revision,
      promoted,
      answers.find(({ gate }) => gate === "validatedPatient")?.reason,
    ]);
    expect(reasons).toEqual([
      [0, true, "passed"],
      [1, false, "identity-corrected"],
      [2, true, "passed"],
    ]);
  });

  it("ends there, and a link that never held takes back what stands, not what was taken back", () => {
    const { hears, charted } = misknown();
    for (const body of [aCandidate(), right, over(), voided]) hears(body);
    expect(charted().slice(2)).toEqual([
      "write 2 Patient/right-2 preliminary",
      "write 3 Patient/right-2 final",
      "retract 4 Patient/right-2 entered-in-error",
    ]);
  });

  it("moves what is over already, as final, over a restart", () => {
    const { hears, charted, driver } = misknown();
    hears(aCandidate());
    hears(over());
    driver.restart();
    hears(right, minutes(60));
    hears({ ...right, version: 3 });
    expect(charted()).toEqual([
      "write 0 Patient/wrong-1 preliminary",
      "write 1 Patient/wrong-1 final",
      "retract 2 Patient/wrong-1 entered-in-error",
      "write 3 Patient/right-2 final",
    ]);
  });

  it("that was right after all amends what was taken back", () => {
    const { hears, charted } = misknown();
    for (const body of [aCandidate(), right, { ...wrong, version: 3 }]) hears(body);
    expect(charted().slice(2)).toEqual([
      "write 2 Patient/right-2 preliminary",
      "retract 3 Patient/right-2 entered-in-error",
      "write 4 Patient/wrong-1 amended",
    ]);
  });

  it("tells the care team and privacy how long it could be seen, and names no identifier", () => {
    const { hears, tasks } = misknown();
    hears(aCandidate());
    hears(right, minutes(20));
    expect(
      tasks().map(({ audience, reason, patientKey, visibleMs }) => [audience, reason, patientKey, visibleMs]),
    ).toEqual([
      ["careTeam", "association-corrected", "pk-7", minutes(20)],
      ["privacy", "possible-breach", "pk-7", minutes(20)],
    ]);
    for (const { detail } of tasks()) expect(detail).not.toMatch(/wrong-1|right-2|0007/);
  });

  it("takes back though no consent lets it be written anew; the twin with consent is written", () => {
    const { hears, charted } = misknown();
    hears(aCandidate());
    hears(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(7) }));
    hears(right);
    expect(charted()).toEqual(["write 0 Patient/wrong-1 preliminary", "retract 1 Patient/wrong-1 entered-in-error"]);
    hears(aConsent({ version: 3, recordedAt: two + minutes(9) }));
    hears(over());
    expect(charted().slice(2)).toEqual(["write 2 Patient/right-2 final"]);
  });
});

describe("whatever is said in whatever order", () => {
  const ids = ["wrong-1", "right-2", "other-3"];
  const said = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ids).map((fhirId) => ({ fhirId })) },
    fc.constant({ destination: "research" }),
    fc.constantFrom("open" as const, "ended" as const, "voided" as const, "holds" as const),
    fc.constantFrom("permit" as const, "deny" as const),
    fc.constant("restart" as const),
  );

  it("only what the patient is known by there stands there, and revisions grow", () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 25 }), (all) => {
        const { hears, intents, driver } = misknown();
        let now: string | undefined = "wrong-1";
        for (const [n, one] of all.entries()) {
          if (one === "restart") driver.restart();
          else if (one === "permit" || one === "deny")
            hears(aConsent({ version: n + 2, decision: one, recordedAt: two + n }));
          else if (one === "open") hears(aCandidate());
          else if (one === "ended") hears(over());
          else if (one === "voided") hears(voided);
          else if (one === "holds") hears({ ...voided, association: anAssociation({ revision: 3 }) });
          else {
            hears(known(n + 2, one));
            if ("fhirId" in one) now = one.fhirId;
          }
          const last = new Map(intents().map((intent) => [intent.resourceId, intent]));
          for (const { action, patient } of last.values())
            expect(action === "retract" || patient?.fhirId === now).toBe(true);
        }
        const revisions = intents().map(({ revision }) => revision);
        expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      }),
    );
  });
});

describe("which change of an identity makes it another", () => {
  const changes: readonly [what: string, change: Partial<PatientIdentity>, other: boolean][] = [
    ["the FHIR id", { fhirId: "right-2" }, true],
    ["the identifier", { value: "0008" }, true],
    ["the authority", { system: "urn:example:other" }, true],
    ["how HL7v2 spells the authority", { namespace: "KLINIK" }, false],
    ["the type of the identifier", { type: "PI" }, false],
    ["nothing", {}, false],
  ];
  it.each(changes)("%s", (_what, change, other) => {
    const { hears, intents } = misknown();
    hears(aCandidate());
    hears(known(2, change));
    expect(intents().map(({ action }) => action)).toEqual(other ? ["write", "retract", "write"] : ["write"]);
  });

  it("is the identifier where a destination knows no other, and goes out under the old one first", () => {
    const { hears, intents } = misknown({
      patient: known(1, { fhirId: null }),
      policy: policyOf({ byIdentifier: true }),
    });
    hears(aCandidate());
    hears(known(2, { fhirId: null, value: "0008" }));
    expect(intents().map(({ action, revision, patient }) => [action, revision, patient?.value])).toEqual([
      ["write", 0, "0007"],
      ["retract", 1, "0007"],
      ["write", 2, "0008"],
    ]);
  });

  it("is an older word on the patient not, nor that a destination knows him no more: that refuses, until another is known", () => {
    const { hears, intents, charted } = misknown({ patient: known(5, {}) });
    hears(aCandidate());
    hears(right);
    hears(known(6, { destination: "research" }));
    hears(over());
    expect(intents()).toHaveLength(1);
    hears(known(7, { fhirId: "right-2" }));
    expect(charted().slice(1)).toEqual(["retract 1 Patient/wrong-1 entered-in-error", "write 2 Patient/right-2 final"]);
  });
});

describe("folded episodes and an identity that is corrected", () => {
  it("are told of in the same one, under the new identity, and in no other", () => {
    const { hears, intents } = misknown();
    for (const n of [0, 1, 2]) hears(candidateOf(foldable(n)));
    hears(right);
    const notes = intents()
      .filter(({ action, patient }) => action === "write" && patient?.fhirId === "right-2")
      .map(({ resource }) => (JSON.parse(resource) as { note?: { text: string }[] }).note?.[0]?.text ?? "none");
    expect(notes).toEqual(["none", expect.stringContaining("1 further episode ")]);
  });
});

describe("what a writer withheld, and nobody ever saw", () => {
  const wrongLink: Candidate = {
    ...aCandidate({}, anAssociation({ revision: 2, voided: true })),
    correction: { why: "link", cause: "wrong wristband", otherPatientKey: "pk-8" },
  };

  it("is taken back without a word of a breach; the twin that went out is told of, with the longest it can have been seen", () => {
    const never = misknown();
    for (const body of [aCandidate(), withheld(0), wrongLink]) never.hears(body);
    expect(never.intents().map(({ action }) => action)).toEqual(["write", "retract"]);
    expect(never.tasks()).toEqual([]);
    const seen = misknown();
    for (const body of [aCandidate(), wrongLink]) seen.hears(body);
    expect(seen.tasks().map(({ reason }) => reason)).toContain("possible-breach");
    for (const { detail } of seen.tasks()) expect(detail).toContain("for at most 1 min");
  });

  it("is seen where an earlier revision went out, or where it was written after all", () => {
    const earlier = misknown();
    for (const body of [aCandidate(), over(), withheld(1), { ...wrongLink, episode: over().episode }])
      earlier.hears(body);
    expect(earlier.tasks().find(({ audience }) => audience === "privacy")?.visibleMs).toBe(minutes(3));
    const later = misknown();
    for (const body of [aCandidate(), withheld(0), aConsent({ version: 2 }), wrongLink]) later.hears(body);
    expect(later.intents().map(({ action }) => action)).toEqual(["write", "write", "retract"]);
    expect(later.tasks().find(({ audience }) => audience === "privacy")?.visibleMs).toBe(minutes(1));
  });
});
