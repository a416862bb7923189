/** What reports were made of turns out otherwise: a link, a person's correction, a consent at the moment of writing. */
import { describe, expect, it } from "vitest";
import { aConsent, anAssociation, aPatient, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Corrected } from "../schemas/records/clinical.ts";
import type { Withheld } from "../schemas/records/consent.ts";
import type { Association } from "../schemas/records/roster.ts";
import { ill, said, session, ward } from "./reports.fixture.ts";

type Told = ReturnType<typeof ward>;

/** A patient whose deterioration was written once. */
const written = (): Told => {
  const patient = ward();
  patient.lives(0, ill);
  expect(patient.intents()).toHaveLength(1);
  return patient;
};
const actions = (patient: Told) => patient.intents().map(({ action, revision }) => [action, revision]);
const statusOf = (patient: Told, i: number) => JSON.parse(patient.intents()[i]?.resource ?? "{}").status;
const reasons = (patient: Told) => patient.tasks().map((body) => (body.kind === "task" ? body.reason : body.kind));

/** The link as it is told to this patient: in its own log, whosever it is now. */
const linked = (patient: Told, minute: number, change: Partial<Association>): void =>
  patient.driver.send(
    "pk-7",
    two + minutes(minute),
    anAssociation({ revision: 2, cause: "wrong wristband", ...change }),
  );

const withheld = (patient: Told, minute: number, change: Partial<Withheld> = {}): void => {
  const last = patient.intents().at(-1);
  if (last === undefined) throw new Error("nothing was written");
  const { identity, revision, patientKey, destination } = last;
  const its = { identity, revision, patientKey, destination, reason: "consent-stale", ...change };
  patient.driver.send("pk-7", two + minutes(minute), { kind: "withheld", ...its });
};

const corrected = (patient: Told, minute: number, change: Partial<Corrected> = {}): void => {
  const last = patient.intents().at(-1);
  if (last === undefined) throw new Error("nothing was written");
  const { identity, revision, patientKey, destination } = last;
  const told = { identity, revision: revision + 1, patientKey, destination, ...change };
  patient.driver.send("pk-7", two + minutes(minute), {
    kind: "corrected",
    action: "retract",
    by: "Dr. B. Kern",
    reason: "a faulty version",
    ...told,
  });
};

describe("a report that passed and was withheld at the moment of writing", () => {
  it("goes out as soon as a consent becomes known, as new, for nothing of it stands there", () => {
    const patient = written();
    withheld(patient, 10);
    patient.driver.send("pk-7", two + minutes(12), aConsent({ version: 2 }));
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["write", 1],
    ]);
    expect(statusOf(patient, 1)).toBe("final");
    // and once
    patient.driver.send("pk-7", two + minutes(13), aConsent({ version: 3 }));
    expect(patient.intents()).toHaveLength(2);
  });

  it("goes out without a word from anybody, five minutes later and not each minute, and never after a day", () => {
    const patient = written();
    withheld(patient, 2);
    for (let m = 2; m < 6; m++) patient.lives(m, ill);
    expect(patient.intents()).toHaveLength(1);
    patient.lives(6, ill);
    expect(patient.intents()).toHaveLength(2);
    // a source that stays silent: it is withheld again and again, and the day begins with the first time
    let minute = 10;
    for (; minute < 60 * 26; minute += 10) {
      if (patient.intents().at(-1)?.at === two + minutes(minute)) continue;
      withheld(patient, minute);
      patient.driver.tick(two + minutes(minute + 9));
    }
    const sent = patient.intents().length;
    for (; minute < 60 * 30; minute += 10) patient.driver.tick(two + minutes(minute));
    expect(patient.intents()).toHaveLength(sent);
    expect(patient.intents().at(-1)?.at).toBeLessThan(two + minutes(60 * 24 + 20));
  });

  it("waits for nothing where a newer form of it is on its way, or it was taken back", () => {
    const newer = ward();
    newer.driver.send("pk-7", two + minutes(275), session);
    withheld(newer, 280, { revision: 7 });
    newer.driver.send("pk-7", two + minutes(281), aConsent({ version: 2 }));
    expect(newer.intents()).toHaveLength(1);
    const taken = written();
    linked(taken, 5, { voided: true });
    withheld(taken, 6, { revision: 0 });
    taken.driver.send("pk-7", two + minutes(12), aConsent({ version: 2 }));
    expect(actions(taken)).toEqual([
      ["write", 0],
      ["retract", 1],
    ]);
  });

  it("makes nobody a breach when its link turns out wrong, for nothing was ever there; what stood there does", () => {
    const never = written();
    withheld(never, 10);
    linked(never, 12, { voided: true });
    expect(reasons(never)).toEqual([]);
    never.driver.send("pk-7", two + minutes(13), aConsent({ version: 2 }));
    expect(never.intents().filter(({ action }) => action === "write")).toHaveLength(1);

    const stood = ward();
    stood.driver.send("pk-7", two + minutes(275), session);
    for (const [what, value, at, ucum] of laboratory)
      stood.driver.send("pk-7", two + minutes(276), said(what, value, two + minutes(at), ucum));
    expect(stood.intents()).toHaveLength(2);
    withheld(stood, 277);
    linked(stood, 280, { voided: true });
    expect(reasons(stood)).toEqual(["association-corrected", "possible-breach"]);
  });
});

const laboratory = [
  ["ureaBefore", "25", 0, "mmol/L"],
  ["ureaAfter", "7.5", 245, "mmol/L"],
  ["weightAfter", "72", 250, "kg"],
] as const;

describe("a report that a reviewed correction took back", () => {
  it("is not taken back again under the same revision when its link turns out wrong", () => {
    const patient = written();
    corrected(patient, 10);
    linked(patient, 12, { voided: true });
    expect(actions(patient)).toEqual([["write", 0]]);
    expect(reasons(patient)).toEqual([]);
  });

  it("is not written over by a late laboratory value; its twin that nobody corrected is amended", () => {
    const told = (isCorrected: boolean): Told => {
      const patient = ward();
      patient.driver.send("pk-7", two + minutes(275), session);
      if (isCorrected) corrected(patient, 276);
      for (const [what, value, at, ucum] of laboratory)
        patient.driver.send("pk-7", two + minutes(280), said(what, value, two + minutes(at), ucum));
      return patient;
    };
    expect(actions(told(false))).toEqual([
      ["write", 0],
      ["write", 1],
    ]);
    const after = told(true);
    expect(actions(after)).toEqual([["write", 0]]);
    const refusal = after
      .decided()
      .at(-1)
      ?.answers.find(({ passed }) => !passed);
    expect(refusal?.reason).toBe("retracted-by-correction");
  });

  it("is said again above what we said at the same time, so that the retraction is not lost", () => {
    const patient = ward();
    patient.driver.send("pk-7", two + minutes(275), session);
    for (const [what, value, at, ucum] of laboratory)
      patient.driver.send("pk-7", two + minutes(276), said(what, value, two + minutes(at), ucum));
    corrected(patient, 277, { revision: 1 });
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["write", 1],
      ["retract", 2],
    ]);
  });

  it("and one that it amended counts on from there", () => {
    const patient = written();
    corrected(patient, 10, { action: "amend" });
    linked(patient, 12, { voided: true });
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["retract", 2],
    ]);
  });
});

describe("a link that turns out to be another patient's, under the same id", () => {
  it("takes back what was made under it, and people are told", () => {
    const patient = written();
    linked(patient, 12, { patientKey: "pk-8" });
    expect(patient.driver.refusals()).toEqual([]);
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["retract", 1],
    ]);
    expect(reasons(patient)).toEqual(["association-corrected", "possible-breach"]);
  });

  it("leaves a merged patient's reports where they are, unless the link itself never held", () => {
    const patient = written();
    linked(patient, 12, { patientKey: "pk-8", mergedFrom: "pk-7", cause: "ADT^A40" });
    linked(patient, 13, { patientKey: "pk-8", revision: 3, to: two + minutes(13) });
    expect(actions(patient)).toEqual([["write", 0]]);
    linked(patient, 14, { patientKey: "pk-8", revision: 4, voided: true });
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["retract", 1],
    ]);
  });

  it("scores him no more by what was measured under it", () => {
    const patient = written();
    const before = patient.scored().length;
    linked(patient, 2, { patientKey: "pk-8" });
    patient.driver.send("pk-7", two + minutes(3), said("oxygen", "oxygen", two + minutes(3)));
    patient.driver.tick(two + minutes(4));
    expect(patient.scored()).toHaveLength(before);
    const twin = written();
    twin.driver.send("pk-7", two + minutes(3), said("oxygen", "oxygen", two + minutes(3)));
    twin.driver.tick(two + minutes(4));
    expect(twin.scored()).toHaveLength(before + 1);
  });
});

describe("a patient whom a destination turns out to know by another identity", () => {
  const known = (patient: Told, minute: number, change: Parameters<typeof aPatient>[0]): void =>
    patient.driver.send("pk-7", two + minutes(minute), aPatient({ version: 2, ...change }));

  it("has his report taken back under the old one, told anew under the new one, and people are told", () => {
    const patient = written();
    known(patient, 12, { fhirId: "p-right" });
    expect(actions(patient)).toEqual([
      ["write", 0],
      ["retract", 1],
      ["write", 2],
    ]);
    const [first, taken, anew] = patient.intents();
    expect(taken?.resourceId).toBe(first?.resourceId);
    expect(anew?.resourceId).not.toBe(first?.resourceId);
    expect(JSON.parse(anew?.resource ?? "{}")).toMatchObject({
      status: "final",
      subject: { reference: "Patient/p-right" },
    });
    expect(reasons(patient)).toEqual(["association-corrected", "possible-breach"]);
    linked(patient, 13, { voided: true });
    expect(patient.intents().at(-1)).toMatchObject({ action: "retract", revision: 3, resourceId: anew?.resourceId });
  });

  it("and has it left alone where the same one is told again, or none", () => {
    const patient = written();
    known(patient, 12, { encounterFhirId: "e-0008" });
    known(patient, 13, { version: 3, fhirId: "" });
    expect(actions(patient)).toEqual([["write", 0]]);
  });

  it("is no breach where nothing was ever there", () => {
    const patient = written();
    withheld(patient, 10);
    known(patient, 12, { fhirId: "p-right" });
    expect(reasons(patient)).toEqual([]);
    expect(patient.intents().at(-1)).toMatchObject({ action: "write" });
    expect(JSON.parse(patient.intents().at(-1)?.resource ?? "{}").subject.reference).toBe("Patient/p-right");
  });
});
