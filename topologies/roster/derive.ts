/**
 * The registry machine: all that was ever said, in whatever order it came, to what holds. It is computed anew each time, so that a late message,
 * a cancel or a merge changes the past as it must, and sending something twice changes nothing.
 */
import { contentHash } from "../../streams/core/hash.ts";
import type { Association, Device, Patient } from "../../schemas/records/roster.ts";
import { placeOf, type RosterBase } from "./base.ts";
import { assertedPrefix, knownOf } from "./conflicts.ts";
import { type FhirDeviceEvent, ordered, type RosterEvent } from "./events.ts";
import { type Link, linksOf } from "./links.ts";
import { ambiguousLocation, type EventProblem, identitiesOf } from "./merges.ts";
import { ageBandAt, encountersOf, factsOf, saidOfPatients } from "./patients.ts";
import { placementsOf } from "./placements.ts";
import { type Stay, whereaboutsOf } from "./stays.ts";

/** A record as it is to be, but for what only its history gives: revision, cause, and the key that a merge replaced. */
export type Wanted =
  | { readonly id: string; readonly body: Omit<Association, "revision" | "cause" | "mergedFrom"> }
  | { readonly id: string; readonly body: Omit<Device, "version"> }
  | { readonly id: string; readonly body: Omit<Patient, "version"> };

export interface RosterView {
  readonly wanted: readonly Wanted[];
  readonly links: readonly (Link & { readonly patientKey: string })[];
  /** Where ADT has each patient. */
  readonly stays: readonly (Stay & { readonly patientKey: string })[];
  readonly problems: readonly EventProblem[];
  /** The keys that were merged into others. */
  readonly merged: ReadonlySet<string>;
}

export const derive = (events: readonly RosterEvent[], base: RosterBase): RosterView => {
  const told = ordered(events);
  const identities = identitiesOf(told, base);
  const { stays, departures, problems } = whereaboutsOf(told, identities, base);
  const placements = placementsOf(told, base);
  const links = linksOf(told, knownOf({ stays, departures }, placements, identities), base);
  const said = saidOfPatients(told);
  const encounters = encountersOf(told, stays, identities);
  const fileKeys = new Set(base.filePatients.values());
  const keyOf = (patient: string): string => identities.patient(patient);
  const concerned = new Set(
    links.flatMap(({ patient }) => [base.filePatients.get(patient) ?? patient, keyOf(patient)]),
  );
  const patients = [...concerned]
    .filter((key) => !fileKeys.has(key))
    .toSorted()
    .flatMap((key): Wanted[] => {
      const facts = factsOf(key, said.get(key), encounters.get(key) ?? null, identities, base);
      return facts === undefined ? [] : [{ id: `patient/${key}`, body: { kind: "patient", ...facts } }];
    });
  const birthDateOf = (patient: string): string | null => {
    const all = [patient, keyOf(patient)].flatMap((key) => said.get(key)?.demographics ?? []);
    return all.findLast(({ birthDate }) => birthDate !== null)?.birthDate ?? null;
  };
  const associations = links.map(
    (link): Wanted => ({
      id: `association/${link.id}`,
      body: {
        kind: "association",
        id: link.id,
        device: link.device,
        subject: subjectOf(link.id),
        patientKey: keyOf(link.patient),
        bed: link.bed,
        unit: base.beds.get(link.bed) ?? "",
        ageBand: ageBandAt(birthDateOf(link.patient), link.fromMs),
        from: link.fromMs,
        to: link.toMs,
        confirmedBy: link.confirmedBy,
        confirmedAt: link.confirmedMs,
        assertedBy: link.assertedBy,
        voided: false,
        conflict: conflictText(link),
        vouchedFrom: link.vouchedMs,
        interrupted: null,
        telling: 0,
      },
    }),
  );
  return {
    wanted: [...patients, ...devicesOf(told, base), ...associations],
    links: links.map((link) => ({ ...link, patientKey: keyOf(link.patient) })),
    stays: stays.map((stay) => ({ ...stay, patientKey: keyOf(stay.patient) })),
    problems: [...identities.problems, ...problems, ...devicesNowhere(told, base)],
    merged: identities.merged,
  };
};

/** Opaque, one for each link; it says nothing of the patient. */
const subjectOf = (link: string): string =>
  link.startsWith(assertedPrefix)
    ? `s-${link.slice(assertedPrefix.length)}`
    : `s-${contentHash("subject", link).slice(0, 24)}`;

const conflictText = ({ conflicts }: Link): string | null =>
  conflicts.length === 0 ? null : conflicts.map(({ code, detail }) => `${code}: ${detail}`).join("; ");

const newestDevices = (events: readonly RosterEvent[]): readonly FhirDeviceEvent[] => [
  ...new Map(events.flatMap((e) => (e.kind === "fhirDevice" ? [[e.device, e] as const] : []))).values(),
];

const devicesNowhere = (events: readonly RosterEvent[], base: RosterBase): readonly EventProblem[] =>
  newestDevices(events)
    .filter(({ location }) => location !== null && placeOf(base, location).ambiguous)
    .map(({ id }) => ambiguousLocation(id));

/** Devices that a FHIR server told of and the roster file does not have. */
const devicesOf = (events: readonly RosterEvent[], base: RosterBase): readonly Wanted[] => {
  const ofFile = new Set(base.devices.map(({ device }) => device));
  const newest = newestDevices(events).filter(({ device }) => !ofFile.has(device));
  const beds = new Map(placementsOf(events, base).map(({ device, bed }) => [device, bed]));
  return newest.flatMap(({ device, model, serial, firmware }): Wanted[] => {
    const unit = base.beds.get(beds.get(device) ?? "");
    // a device's silence is raised in its unit: without one nobody would be told
    if (unit === undefined || (serial !== null && device.includes(serial))) return [];
    const usual = { clockUncertaintyMs: 2_000, silentAfterMs: 10_000 };
    return [{ id: `device/${device}`, body: { kind: "device", device, model, serial, unit, firmware, ...usual } }];
  });
};
