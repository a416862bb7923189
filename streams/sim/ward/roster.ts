/** The simulated ward's roster: whose device is whose, who confirmed it, and who consented. All people are invented. */
import { type Random, random } from "../random.ts";
import type { RosterAssociation, RosterConsent, RosterDevice, RosterPatient, Ward, WardRoster } from "./messages.ts";
import { storyOf } from "./stories.ts";
import { isoUtc } from "./time.ts";

/** The roster file's content. */
export const rosterOf = (ward: Pick<Ward, "roster">): WardRoster => ward.roster;

const hourMs = 3_600_000;
const nurses = ["Amara Obi RN", "Jonas Lindqvist RN", "Mei Tanaka RN", "Rosa Delgado RN"];
const destination = "ehr";
/** Who gives the simulated patients their numbers. */
export const patientSystem = "urn:afferent:simulated-ward:mrn";

export const bedName = (bed: number): string => `B${String(bed).padStart(2, "0")}`;
/** The first half of a ward is intensive care, the rest step-down. */
export const unitName = (bed: number, beds: number): string => (bed <= Math.ceil(beds / 2) ? "ICU" : "Step-down");

/** Of names that nobody has, so that they are found wherever they should not be. */
const beginnings = ["Quorv", "Zelth", "Brynd", "Uxmar", "Vaskel", "Ombrio", "Thyrr", "Jolveq"];
const endings = ["athen", "ogwyn", "isquel", "umbrax", "ezzalor", "yndra"];
const given = ["Ilvarra", "Tezzik", "Oruvan", "Maelyth", "Pyxander", "Zhoeline"];

const pick = (from: readonly string[], of: Random): string => from[Math.floor(of.next() * from.length)] ?? "";

/** Drawn from a stream of their own: who lies there shifts nothing else of a ward. */
const nameOf = (bed: number, seed: number): Pick<RosterPatient, "familyName" | "givenName" | "birthDate"> => {
  const of = random(seed, `name ${bed}`);
  return {
    familyName: pick(beginnings, of) + pick(endings, of),
    givenName: pick(given, of),
    birthDate: `${Math.round(of.between(1935, 1999))}-${String(Math.round(of.between(1, 12))).padStart(2, "0")}-15`,
  };
};

interface Person {
  readonly bed: number;
  readonly patientKey: string;
  readonly patient: RosterPatient;
  readonly random: Random;
}

const personOf = (bed: number, seed: number): Person => {
  const of = random(seed, `person ${bed}`);
  const patientKey = `pat-${of.hex(12)}`;
  const number = String(bed).padStart(4, "0");
  return {
    bed,
    patientKey,
    random: of,
    patient: {
      patientKey,
      fhirId: `p-${number}`,
      identifierSystem: patientSystem,
      identifierValue: `SIM-${number}`,
      encounterFhirId: `e-${number}`,
      active: true,
      version: 1,
      ...nameOf(bed, seed),
    },
  };
};

export interface RosterOptions {
  readonly beds: number;
  readonly seed: number;
  readonly startMs: number;
  readonly placements: readonly { readonly bed: number | null; readonly roster: RosterDevice }[];
}

export const makeRoster = ({ beds, seed, startMs, placements }: RosterOptions): WardRoster => {
  const people = Array.from({ length: beds }, (_, i) => personOf(i + 1, seed));
  const inBed = (bed: number | null): Person | undefined => (bed === null ? undefined : people[bed - 1]);
  return {
    version: 1,
    devices: placements.map(({ roster }) => roster),
    beds: people.map(({ bed }) => ({ bed: bedName(bed), unit: unitName(bed, beds) })),
    associations: placements.flatMap(({ bed, roster }) => {
      const person = inBed(bed);
      return person === undefined ? [] : [associate(person, roster.device, beds, startMs)];
    }),
    patients: people.map(({ patient }) => patient),
    consents: people.flatMap((person) =>
      isWithheld(person.bed, beds, "consent-unknown") ? [] : [permit(person, startMs)],
    ),
  };
};

const isWithheld = (bed: number, beds: number, why: string): boolean => storyOf(bed, beds)?.recognise.withheld === why;

const associate = (
  { bed, patientKey, random: of }: Person,
  device: string,
  beds: number,
  startMs: number,
): RosterAssociation => {
  const from = startMs - Math.round(of.between(2, 30)) * hourMs;
  const confirmed = !isWithheld(bed, beds, "association-unconfirmed");
  const nurse = nurses[bed % nurses.length] ?? "";
  return {
    id: `assoc-${device}`,
    revision: 1,
    device,
    subject: `sub-${of.hex(12)}`,
    patientKey,
    bed: bedName(bed),
    unit: unitName(bed, beds),
    ageBand: "adult",
    from: isoUtc(from),
    to: null,
    confirmedBy: confirmed ? nurse : null,
    confirmedAt: confirmed ? isoUtc(from + 4 * 60_000) : null,
    assertedBy: confirmed ? nurse : "ADT feed",
  };
};

const permit = ({ bed, patientKey }: Person, startMs: number): RosterConsent => ({
  id: `consent-${bedName(bed)}`,
  version: 1,
  patientKey,
  destination,
  decision: "permit",
  from: isoUtc(startMs - 48 * hourMs),
  to: null,
  recordedAt: isoUtc(startMs - 48 * hourMs),
});
