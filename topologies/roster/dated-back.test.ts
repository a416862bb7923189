/** A person finds a link wrong and says who it was: the events of that time pass the right patient's own gate, as far back as he vouches (clinical.md 10). */
import { describe, expect, it } from "vitest";
import { anEpisode, ended } from "../../schemas/fhir/clinical.fixture.ts";
import { type AdtOf, ines, otto } from "../../schemas/hl7v2/adt.fixture.ts";
import type { Candidate } from "../../schemas/records/clinical.ts";
import type { Association, Patient } from "../../schemas/records/roster.ts";
import { eventTime } from "../../streams/core/time.ts";
import { drive } from "../../streams/sim/drive.ts";
import { candidates } from "../candidates.ts";
import { validatedPatient } from "../gates/validated-patient.ts";
import { patientKeyOf } from "./base.ts";
import { atA, atB, clock, naming, Ward } from "./ward.fixture.ts";

const keyOf = ({ number }: { readonly number: string }): string =>
  patientKeyOf(naming.secret, "urn:oid:1.2.276.1", number);
const admits = (patient: AdtOf["patient"], location: string, occurred: string): AdtOf => ({
  event: "A01",
  patient,
  location,
  occurred,
  controlId: `a${occurred}`,
});

/** A pump was bound to Ines at half past eight. */
const mistaken = (): Ward => {
  const ward = new Ward().hears(admits(ines, atA, "0800"), admits(otto, atB, "0805"));
  ward.says("08:30", { act: "bind", device: "pump-1", patient: keyOf(ines) });
  return ward;
};

/** What gate 3 says to each patient of an episode that began at `onset`, measured under the link that stood then. */
const judged = (
  ward: Ward,
  onset: string,
  before: readonly Association[],
  device = "mon-a",
): Readonly<Record<string, string>> => {
  const measured = before.findLast((link) => link.device === device);
  if (measured === undefined) throw new Error(`${device} has no link`);
  const start = clock(onset);
  const at = (seconds: number) => eventTime(start + 1_000 * seconds);
  const { subject, id, revision } = measured;
  const times = { start: at(0), qualifyingAt: at(30), end: at(60) };
  const of = { device, subject, association: id, associationRevision: revision, ...times };
  const driver = drive(candidates);
  for (const link of before) if (link.device === device) driver.send(subject, start, link);
  driver.send(subject, start + 90_000, ended(anEpisode(), of));
  const links = ward.records.flatMap(({ body }) => (body.kind === "association" ? [body] : []));
  for (const link of links) if (link.device === device) driver.send(subject, clock("13:00"), link);
  const newest = new Map<string, Candidate>();
  for (const { body } of driver.outputs("events")) if (body.kind === "candidate") newest.set(body.patientKey, body);
  const patients = new Map(
    ward.records.flatMap(({ body }): [string, Patient][] => (body.kind === "patient" ? [[body.patientKey, body]] : [])),
  );
  return Object.fromEntries(
    [...newest].map(([patientKey, candidate]) => [
      patients.get(patientKey)?.givenName ?? patientKey,
      validatedPatient(candidate, {
        patient: patients.get(patientKey),
        destination: { name: "ehr", byIdentifier: true },
        clockUncertaintyMs: 2_000,
        mergedPatients: "leave",
        stands: false,
      }).reason,
    ]),
  );
};
const linksOf = (ward: Ward): readonly Association[] =>
  [...ward.told.values()].flatMap((body) => (body.kind === "association" ? [body] : []));

describe("a link that a person dates back", () => {
  it("gives the events since then to the right patient and takes them from the wrong one; those before stay", () => {
    const ward = mistaken();
    const before = linksOf(ward);
    expect(ward.says("12:00", { act: "bind", device: "pump-1", patient: keyOf(otto), at: "10:00" })).toBe("done");
    expect(ward.link("pump-1")).toMatchObject({ fromMs: clock("10:00"), vouchedMs: clock("10:00") });
    expect(judged(ward, "10:20", before, "pump-1")).toEqual({ Ines: "time-ambiguous", Otto: "passed" });
    expect(judged(ward, "09:20", before, "pump-1")).toEqual({ Ines: "passed" });
  });

  it("vouches for nothing before the confirmation where he does not say so", () => {
    const ward = new Ward().hears(admits(ines, atA, "0800"));
    const before = linksOf(ward);
    ward.confirms("12:00", "mon-a");
    expect(ward.link("mon-a")).toMatchObject({ fromMs: clock("08:00"), vouchedMs: null });
    expect(judged(ward, "10:20", before)).toEqual({ Ines: "association-confirmed-later" });
    expect(judged(ward, "12:20", before)).toEqual({ Ines: "passed" });
  });

  it("is ADT's own too, when he confirms it with a time; not from before the link began", () => {
    const ward = new Ward().hears(admits(ines, atA, "0800"));
    const before = linksOf(ward);
    ward.says("12:00", { act: "confirm", link: ward.link("mon-a").id, at: "10:00" });
    expect(judged(ward, "10:20", before)).toEqual({ Ines: "passed" });
    expect(judged(ward, "09:20", before)).toEqual({ Ines: "association-confirmed-later" });
    const early = new Ward().hears(admits(ines, atA, "0800"));
    early.says("12:00", { act: "confirm", link: early.link("mon-a").id, at: "07:00" });
    expect(early.link("mon-a")).toMatchObject({ vouchedMs: clock("08:00") });
  });
});
