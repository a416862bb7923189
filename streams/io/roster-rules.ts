/** What a roster must obey beyond its shape: no dangling references, no duplicates, no two truths at one time. */
import type { Roster, RosterAssociation } from "./roster-shape.ts";

/** A problem and its place in the file as a JSON path, e.g. `associations[3].device`. */
export interface PlacedProblem {
  readonly place: string;
  readonly reason: string;
  readonly detail: string;
}

const duplicates = <T>(list: string, items: readonly T[], field: keyof T & string): PlacedProblem[] => {
  const first = new Map<T[keyof T], number>();
  return items.flatMap((item, i) => {
    const earlier = first.get(item[field]);
    if (earlier === undefined) {
      first.set(item[field], i);
      return [];
    }
    const detail = `${String(item[field])} is already in ${list}[${earlier}].${field}`;
    return [{ place: `${list}[${i}].${field}`, reason: "duplicate", detail }];
  });
};

const dangling = (place: string, what: string, name: string, known: ReadonlySet<string>): PlacedProblem[] =>
  known.has(name) ? [] : [{ place, reason: "dangling-reference", detail: `no ${what} is called ${name}` }];

const backwards = (place: string, period: { from: number; to: number | null }): PlacedProblem[] =>
  period.to === null || period.to > period.from
    ? []
    : [{ place: `${place}.to`, reason: "ends-before-start", detail: "`to` must be later than `from`" }];

/** "Confirmed" means a named person at a time (clinical.md 9): one without the other is neither confirmed nor not. */
const halfConfirmed = (place: string, a: RosterAssociation): PlacedProblem[] => {
  if (a.vouchedFrom !== null && a.confirmedAt === null)
    return [{ place: `${place}.vouchedFrom`, reason: "half-confirmed", detail: "nobody confirmed what is dated back" }];
  if ((a.confirmedBy === null) === (a.confirmedAt === null)) return [];
  const missing = a.confirmedBy === null ? "confirmedBy" : "confirmedAt";
  return [{ place: `${place}.${missing}`, reason: "half-confirmed", detail: `${missing} is missing` }];
};

const reach = (a: RosterAssociation): number => a.to ?? Number.POSITIVE_INFINITY;
const overlap = (a: RosterAssociation, b: RosterAssociation): boolean => a.from < reach(b) && b.from < reach(a);

/** One device measures one patient at a time, and one bed holds one patient at a time. */
const conflicts = (associations: readonly RosterAssociation[]): PlacedProblem[] =>
  associations.flatMap((a, i) =>
    associations.slice(0, i).flatMap((b, j) => {
      if (!overlap(a, b)) return [];
      if (a.device === b.device)
        return [
          {
            place: `associations[${i}]`,
            reason: "overlapping-associations",
            detail: `device ${a.device} already belongs to associations[${j}] (${b.id}) at that time`,
          },
        ];
      if (a.bed !== b.bed || a.patientKey === b.patientKey) return [];
      const detail = `bed ${a.bed} already holds another patient by associations[${j}] (${b.id}) at that time`;
      return [{ place: `associations[${i}].bed`, reason: "bed-of-two-patients", detail }];
    }),
  );

/** The device's id appears in what is written to destinations; serials never leave (clinical.md 18). */
const serialInId = (place: string, d: Roster["devices"][number]): PlacedProblem[] =>
  d.serial !== null && d.device.includes(d.serial)
    ? [{ place, reason: "serial-in-device-id", detail: "the device's id contains its serial, which must never leave" }]
    : [];

export interface RosterRules {
  /** Whose links are to be checked: true unless told otherwise. The alert circuit has no patients in its roster. */
  readonly patients?: boolean;
}

/** Every problem of a roster whose shape is right. */
export const rosterProblems = (
  roster: Roster,
  { patients: withPatients = true }: RosterRules = {},
): PlacedProblem[] => {
  const devices = new Set(roster.devices.map((d) => d.device));
  const patients = new Set(roster.patients.map((p) => p.patientKey));
  const beds = new Map(roster.beds.map((b) => [b.bed, b.unit]));
  return [
    ...duplicates("devices", roster.devices, "device"),
    ...duplicates("beds", roster.beds, "bed"),
    ...duplicates("associations", roster.associations, "id"),
    ...duplicates("associations", roster.associations, "subject"),
    ...duplicates("patients", roster.patients, "patientKey"),
    ...duplicates("patients", roster.patients, "fhirId"),
    ...duplicates("consents", roster.consents, "id"),
    ...roster.devices.flatMap((d, i) => serialInId(`devices[${i}].device`, d)),
    ...roster.devices.flatMap(({ bed }, i) =>
      bed === null ? [] : dangling(`devices[${i}].bed`, "bed", bed, new Set(beds.keys())),
    ),
    ...roster.associations.flatMap((a, i) => {
      const place = `associations[${i}]`;
      const bedUnit = beds.get(a.bed);
      return [
        ...dangling(`${place}.device`, "device", a.device, devices),
        ...(withPatients ? dangling(`${place}.patientKey`, "patient", a.patientKey, patients) : []),
        ...dangling(`${place}.bed`, "bed", a.bed, new Set(beds.keys())),
        ...(bedUnit === undefined || bedUnit === a.unit
          ? []
          : [{ place: `${place}.unit`, reason: "unit-mismatch", detail: `bed ${a.bed} is in ${bedUnit}` }]),
        ...backwards(place, a),
        ...halfConfirmed(place, a),
      ];
    }),
    ...roster.consents.flatMap((c, i) => [
      ...dangling(`consents[${i}].patientKey`, "patient", c.patientKey, patients),
      ...backwards(`consents[${i}]`, c),
    ]),
    ...conflicts(roster.associations),
  ];
};
