/** A link that turns out to be wrong after its events were written: retraction, the right patient, merges, and who is known to whom. */
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
import { eventTime } from "../streams/core/time.ts";
import type { Candidate, Correction } from "../schemas/records/clinical.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import type { GatePolicy } from "./gates.ts";
import { answerOf, candidateOf, foldable, policyOf, resourceOf, type Ward, ward } from "./gates.fixture.ts";

const corrected = (change: Partial<Correction> = {}): Correction => ({
  why: "link",
  cause: "association link-7 revision 2: wrong wristband",
  otherPatientKey: "pk-8",
  ...change,
});
const another = (change: Partial<Association> = {}): Association =>
  anAssociation({ id: "link-8", subject: "subject-8", patientKey: "pk-8", ...change });
/** The episode, offered once more to the patient of link-7, whose link is otherwise now. */
const offeredAnew = (change: Partial<Association>, more: Partial<Candidate> = {}): Candidate => ({
  ...aCandidate({}, anAssociation({ revision: 2, ...change })),
  patientKey: "pk-7",
  correction: corrected(),
  ...more,
});

/** Reason of gate 3 in the last decision. */
const identityReason = ({ decisions }: ReturnType<typeof ward>) =>
  answerOf(decisions().at(-1), "validatedPatient")?.reason;

describe("what was written under a link that never held", () => {
  it("is entered in error: the same resource, subject and value, in its next revision, and the decision says why", () => {
    const { hears, intents, decisions, tasks } = ward();
    hears(aCandidate());
    hears(offeredAnew({ voided: true, cause: "wrong wristband" }), minutes(20));
    const [written, retracted, ...more] = intents();
    expect(more).toEqual([]);
    expect(retracted).toMatchObject({
      action: "retract",
      revision: 1,
      resourceId: written?.resourceId,
      patientKey: "pk-7",
    });
    const [before, after] = [resourceOf(written), resourceOf(retracted)];
    expect(after).toMatchObject({ id: before?.id, status: "entered-in-error", subject: before?.subject });
    expect(after?.valueQuantity).toEqual(before?.valueQuantity);
    expect(after?.note?.at(-1)?.text).toContain("association link-7 revision 2 never held (wrong wristband)");
    expect(decisions().at(-1)).toMatchObject({ promoted: false, revision: 1 });
    expect(
      tasks().map(({ audience, reason, patientKey, visibleMs }) => [audience, reason, patientKey, visibleMs]),
    ).toEqual([
      ["careTeam", "association-corrected", "pk-7", minutes(20)],
      ["careTeam", "association-corrected", "pk-8", minutes(20)],
      ["privacy", "possible-breach", "pk-8", minutes(20)],
    ]);
  });

  it("is retracted once, however often it is offered, and over a restart", () => {
    const { hears, intents, tasks, driver } = ward();
    hears(aCandidate());
    hears(offeredAnew({ voided: true }));
    hears(offeredAnew({ voided: true, revision: 3 }));
    driver.restart();
    hears(offeredAnew({ voided: true, revision: 4 }));
    expect(intents().map(({ action }) => action)).toEqual(["write", "retract"]);
    expect(new Set(tasks().map(({ identity }) => identity)).size).toBe(3);
    expect(tasks()).toHaveLength(3);
  });

  it("stands again, as an amendment above the retraction, when the link turns out to have held after all", () => {
    const { hears, intents } = ward();
    hears(aCandidate());
    hears(offeredAnew({ voided: true }));
    hears(offeredAnew({ revision: 3 }));
    expect(intents().map(({ action, revision }) => [action, revision])).toEqual([
      ["write", 0],
      ["retract", 1],
      ["write", 2],
    ]);
    expect(resourceOf(intents()[2])?.status).toBe("amended");
  });

  it("is retracted though the consent is gone: that tells nothing new. A consent that goes retracts nothing", () => {
    const { hears, intents } = ward();
    hears(aCandidate());
    hears(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(6) }));
    hears(offeredAnew({}, { episode: ended(anEpisode()) }));
    expect(intents()).toHaveLength(1);
    hears(offeredAnew({ voided: true, revision: 3 }));
    expect(intents().map(({ action }) => action)).toEqual(["write", "retract"]);
  });
});

describe("each reason of identity, beside its permitted twin", () => {
  const inside = two + minutes(5) + 5_000;
  const cases: readonly [story: string, reason: string, retracts: boolean, Candidate, twin: Candidate][] = [
    ["a link that was voided", "association-voided", true, offeredAnew({ voided: true }), offeredAnew({})],
    [
      "a link that ended before",
      "association-not-in-force",
      true,
      offeredAnew({ to: two + minutes(1) }),
      offeredAnew({ to: two + minutes(60) }),
    ],
    [
      "a link that is another patient's now",
      "association-mismatch",
      true,
      offeredAnew({ patientKey: "pk-8" }),
      offeredAnew({ patientKey: "pk-7" }),
    ],
    ["no link any more", "no-association", true, offeredAnew({}, { association: null }), offeredAnew({})],
    [
      "another patient's link inside the episode",
      "time-ambiguous",
      true,
      offeredAnew({ to: inside }, { alongside: [another({ from: inside })] }),
      offeredAnew({ to: inside }, { alongside: [another({ patientKey: "pk-7", from: inside })] }),
    ],
    [
      "a link in conflict",
      "association-in-conflict",
      false,
      offeredAnew({ conflict: "two patients in the bed" }),
      offeredAnew({ conflict: null }),
    ],
    [
      "a link that nobody confirms any more",
      "association-unconfirmed",
      false,
      offeredAnew({ confirmedBy: null, confirmedAt: null }),
      offeredAnew({}),
    ],
    [
      "a link that a power cycle interrupted before the episode, not confirmed again",
      "association-interrupted",
      false,
      offeredAnew({ interrupted: { what: "powerCycle", from: eventTime(two), at: eventTime(two + minutes(1)) } }),
      // it came when all that is told of the episode was over
      offeredAnew({ interrupted: { what: "powerCycle", from: eventTime(two), at: eventTime(two + minutes(60)) } }),
    ],
    [
      "a power cycle nearer to its end than the clock can tell",
      "time-ambiguous",
      false,
      offeredAnew({
        interrupted: { what: "powerCycle", from: null, at: eventTime(anEpisode().qualifyingAt + 1_999) },
      }),
      offeredAnew({ interrupted: { what: "powerCycle", from: null, at: eventTime(two + minutes(60)) } }),
    ],
    [
      "another's link beside it that is itself in conflict",
      "time-ambiguous",
      false,
      offeredAnew({}, { alongside: [another({ conflict: "a swap that nobody confirmed" })] }),
      offeredAnew({}, { alongside: [another({ voided: true })] }),
    ],
  ];
  it.each(cases)("%s: %s", (_story, reason, retracts, refused, twin) => {
    const no = ward();
    no.hears(aCandidate());
    no.hears(refused);
    expect(identityReason(no)).toBe(reason);
    expect(no.intents().map(({ action }) => action)).toEqual(retracts ? ["write", "retract"] : ["write"]);
    const yes = ward();
    yes.hears(aCandidate());
    yes.hears({ ...twin, episode: ended(anEpisode()) });
    expect(identityReason(yes)).toBe("passed");
    expect(yes.intents().map(({ action }) => action)).toEqual(["write", "write"]);
  });

  it("asks a person once, of an episode over which the link changed, and retracts at once what stood", () => {
    const { hears, tasks } = ward();
    hears(aCandidate());
    for (const revision of [2, 3])
      hears(offeredAnew({ to: inside, revision }, { alongside: [another({ from: inside })] }));
    expect(tasks().filter(({ reason }) => reason === "time-ambiguous")).toMatchObject([
      { audience: "careTeam", patientKey: "pk-7", about: [anEpisode().identity] },
    ]);
  });
});

describe("the right patient", () => {
  const right = (change: Partial<Association> = {}, more: Partial<Candidate> = {}): Candidate => ({
    ...aCandidate({}, another({ from: two, confirmedAt: two, ...change })),
    correction: corrected({ otherPatientKey: "pk-7" }),
    ...more,
  });
  const theirs = (): Ward => ({
    patient: aPatient({ patientKey: "pk-8", fhirId: "p-0008" }),
    consents: [aConsent({ patientKey: "pk-8" })],
  });
  const cases: readonly [story: string, reason: string, refused: Candidate, permitted: Candidate][] = [
    ["offered as a correction", "association-mismatch", right({}, { correction: null }), right()],
    ["by a link that was confirmed", "association-unconfirmed", right({ confirmedBy: null }), right()],
    ["in time", "association-confirmed-later", right({ confirmedAt: two + minutes(6) }), right()],
    [
      "as far back as a person vouches for it",
      "association-confirmed-later",
      right({ confirmedAt: two + minutes(60), vouchedFrom: two + minutes(6) }),
      right({ confirmedAt: two + minutes(60), vouchedFrom: two }),
    ],
    [
      "after a gap by a link that was confirmed again",
      "association-interrupted",
      right({ interrupted: { what: "deviceGap", from: null, at: eventTime(two + minutes(1)) } }),
      right(),
    ],
    ["far enough from its edge", "time-ambiguous", right({ from: two + minutes(5) - 1_999 }), right({ from: two })],
  ];
  it.each(cases)("has what was measured under another's link, %s (else %s)", (_story, reason, refused, permitted) => {
    const no = ward(theirs());
    no.hears(refused);
    expect([identityReason(no), no.intents()]).toEqual([reason, []]);
    const yes = ward(theirs());
    yes.hears(permitted);
    expect(resourceOf(yes.intents()[0])?.subject).toEqual({ reference: "Patient/p-0008" });
  });
});

describe("a merged patient's earlier events", () => {
  const merged = anAssociation({ revision: 2, patientKey: "pk-1", mergedFrom: "pk-7" });
  const asOld = (episode: Episode): Candidate => ({
    ...aCandidate({}, merged),
    episode,
    patientKey: "pk-7",
    correction: corrected({ why: "merge", otherPatientKey: "pk-1" }),
  });
  const asSurvivor = (): Candidate => ({
    ...aCandidate({}, merged),
    correction: corrected({ why: "merge", otherPatientKey: "pk-7" }),
  });
  const survivor = (its: GatePolicy): Ward => ({
    patient: aPatient({ patientKey: "pk-1", fhirId: "p-0001" }),
    consents: [aConsent({ patientKey: "pk-1" })],
    policy: its,
  });
  const away = aPatient({ version: 2, active: false, mergedInto: "pk-1" });

  it("stay where they are and end there, unless told otherwise", () => {
    const old = ward();
    old.hears(aCandidate());
    old.hears(away);
    old.hears(asOld(anEpisode()));
    expect(old.intents()).toHaveLength(1);
    old.hears(asOld(ended(anEpisode())));
    expect(old.intents().map(({ action, revision }) => [action, revision])).toEqual([
      ["write", 0],
      ["write", 1],
    ]);
    const other = ward(survivor(policyOf()));
    other.hears(asSurvivor());
    expect([identityReason(other), other.intents()]).toEqual(["patient-merged", []]);
  });

  it("move to the survivor where the destination wants it so, without a breach: it is the same person", () => {
    const move = policyOf({ mergedPatients: "move" });
    const old = ward({ policy: move });
    old.hears(aCandidate());
    old.hears(away);
    old.hears(asOld(anEpisode()));
    expect(old.intents().map(({ action }) => action)).toEqual(["write", "retract"]);
    expect(old.tasks()).toEqual([]);
    const other = ward(survivor(move));
    other.hears(asSurvivor());
    expect(other.intents().map(({ action, patientKey }) => [action, patientKey])).toEqual([["write", "pk-1"]]);
  });

  it("begin no more: what is offered under the merged record is refused, and under one that is not is not", () => {
    const old = ward();
    old.hears(away);
    old.hears(aCandidate());
    expect([identityReason(old), old.intents()]).toEqual(["patient-merged", []]);
    const twin = ward();
    twin.hears(aPatient({ version: 2 }));
    twin.hears(aCandidate());
    expect(twin.intents()).toHaveLength(1);
  });
});

describe("a destination's own identifier of a patient", () => {
  const identity = (destination: string, fhirId: string | null = "other-7") => ({
    destination,
    fhirId,
    system: "urn:example:other",
    namespace: "OTHER",
    value: "4711",
    type: "MR",
  });
  it("is what is written there, and its FHIR id the subject", () => {
    const { hears, intents } = ward({ patient: aPatient({ identities: [identity("ehr")] }) });
    hears(aCandidate());
    expect(intents()).toMatchObject([{ patient: { value: "4711", namespace: "OTHER" } }]);
    expect(resourceOf(intents()[0])).toMatchObject({ subject: { reference: "Patient/other-7" } });
    expect(resourceOf(intents()[0])).not.toHaveProperty("encounter");
  });

  it("that is missing is a refusal; a patient without any is known to all by the one that he has", () => {
    const no = ward({ patient: aPatient({ identities: [identity("research")] }) });
    no.hears(aCandidate());
    expect([identityReason(no), no.intents()]).toEqual(["identity-unknown", []]);
    const yes = ward();
    yes.hears(aCandidate());
    expect(yes.intents()).toMatchObject([{ patient: { value: "0007", system: "urn:example:mrn", fhirId: "p-0007" } }]);
  });

  it("without a FHIR id is a refusal at a FHIR server, and enough where identifiers are all that is known", () => {
    const patient = aPatient({ fhirId: "", identities: [identity("ehr", null)] });
    const no = ward({ patient });
    no.hears(aCandidate());
    expect([identityReason(no), no.intents()]).toEqual(["identity-unknown", []]);
    const yes = ward({ patient, policy: policyOf({ byIdentifier: true }) });
    yes.hears(aCandidate());
    expect(yes.intents()).toMatchObject([{ patient: { value: "4711", namespace: "OTHER", fhirId: null } }]);
  });
});

describe("what folded episodes were told of in, retracted", () => {
  const play = (n: number): Candidate => candidateOf(foldable(n));
  const gone = (n: number): Candidate => ({ ...offeredAnew({ voided: true }), episode: foldable(n) });

  it("is told in another that stands", () => {
    const { hears, intents, driver } = ward();
    for (const n of [0, 1, 2, 3]) hears(play(n));
    hears(gone(1));
    driver.tick(two + minutes(30));
    const last = intents().at(-1);
    expect(last).toMatchObject({ action: "write", identity: foldable(0).identity });
    expect(resourceOf(last)?.note?.[0]?.text).toContain("2 further episodes");
  });

  it("is told to a person where none stands", () => {
    const { hears, tasks, driver } = ward();
    for (const n of [0, 1, 2]) hears(play(n));
    for (const n of [0, 1]) hears(gone(n));
    for (const minute of [30, 31, 90]) driver.tick(two + minutes(minute));
    expect(tasks().filter(({ reason }) => reason === "folding-untold")).toMatchObject([
      { audience: "careTeam", patientKey: "pk-7", destination: "ehr" },
    ]);
  });

  it("is nobody's note where the folded ones were not his either", () => {
    const { hears, intents, tasks, driver } = ward();
    for (const n of [0, 1, 2]) hears(play(n));
    for (const n of [0, 1, 2]) hears(gone(n));
    driver.tick(two + minutes(30));
    expect(tasks().filter(({ reason }) => reason === "folding-untold")).toEqual([]);
    expect(intents().at(-1)?.action).toBe("retract");
  });
});
