/**
 * What is wrong with a roster service's section, and what may be: a hospital that calls its wards otherwise than the roster calls its units would admit
 * everybody and link nobody, without a word. What ADT has said so far tells more than the configuration: it is read where there is some.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { placeOf, type RosterBase } from "../../../topologies/roster/base.ts";
import type { RosterEvent } from "../../../topologies/roster/events.ts";
import type { Config } from "../../config.ts";
import { OperatingError } from "../../core/failure.ts";
import type { Roster } from "../../io/roster-file.ts";
import { localTimeIn } from "./local-time.ts";

type Section = NonNullable<Config["rosterService"]>;
type Findings = readonly string[];

/** Every place that it is told leads to a bed, every authority to a destination, and its zone is one. */
export const sectionProblems = (
  service: Section,
  roster: Roster,
  { destinations }: Pick<Config, "destinations">,
): Findings => {
  const beds = new Set(roster.beds.map(({ bed }) => bed));
  const known = new Set(destinations.map(({ name }) => name));
  const named = [
    ...service.authorities.flatMap((authority) => authority.destinations),
    ...(service.fhir === undefined ? [] : [service.fhir.destination]),
  ];
  return [
    ...Object.entries(service.locations)
      .filter(([, bed]) => !beds.has(bed))
      .map(
        ([location, bed]) =>
          `rosterService.locations: ${location} is said to be bed ${bed}, which is not in the roster`,
      ),
    ...named
      .filter((name) => !known.has(name))
      .map((name) => `rosterService: it names ${name}, which is no configured destination`),
    ...(service.mllp === undefined ? [] : zoneProblems(service.mllp.zone)),
  ];
};

const zoneProblems = (zone: string): Findings => {
  try {
    localTimeIn(zone);
    return [];
  } catch (error) {
    return [error instanceof OperatingError ? error.message : String(error)];
  }
};

/** What the service was told so far, of places alone. */
export interface HeardPlaces {
  /** Each once, as they were named. */
  readonly places: readonly string[];
  /** Somebody, or a FHIR server, has said at which bed a device stands. */
  readonly placed: boolean;
}

const nothingHeard: HeardPlaces = { places: [], placed: false };
/** A hospital's feed tells of many wards before it tells of ours. */
const eventsRead = 20_000;

/** From the service's own file, which may be in use; nothing where there is none yet. Codes: `file-unreadable`. */
export const heardPlaces = ({ data }: Pick<Config, "data">): HeardPlaces => {
  const file = join(data, "roster.sqlite");
  if (!existsSync(file)) return nothingHeard;
  try {
    return placesIn(new DatabaseSync(file, { readOnly: true, timeout: 2_000 }));
  } catch (cause) {
    throw new OperatingError("file-unreadable", `${file}: can't be read: ${String(cause)}`, { retry: false, cause });
  }
};

const placesIn = (db: DatabaseSync): HeardPlaces => {
  try {
    const rows = db.prepare("select body from events order by seq desc limit ?").all(eventsRead);
    const events = rows.map(({ body }) => JSON.parse(String(body)) as RosterEvent);
    return { places: [...new Set(events.flatMap(placesOf))], placed: events.some(placesDevice) };
  } finally {
    db.close();
  }
};

const placesOf = (event: RosterEvent): readonly string[] => {
  if (event.kind === "adt") return event.parts.flatMap(({ location }) => location ?? []);
  return event.kind === "fhirEncounter" ? event.stays.map(({ location }) => location) : [];
};

const placesDevice = (event: RosterEvent): boolean =>
  event.kind === "act" ? event.act === "place" && event.bed !== null : event.kind === "fhirDevice";

/** What keeps ADT from linking anybody, as far as can be known before it does. */
export const placeWarnings = (service: Section, roster: Roster, heard: HeardPlaces): Findings => {
  if (service.mllp === undefined && service.fhir === undefined) return [];
  return [...unplacedDevices(roster, heard), ...unmatchedBeds(service, roster, heard)];
};

const unplacedDevices = ({ devices }: Roster, { placed }: HeardPlaces): Findings =>
  placed || devices.some(({ bed }) => bed !== null)
    ? []
    : [
        "devices[].bed: no device names its bed, so ADT links none until somebody says where one stands (afferent roster bind DEVICE --bed BED)",
      ];

const namesShown = 5;

const some = (names: Iterable<string>): string => {
  const all = [...new Set(names)].toSorted();
  return `${all.slice(0, namesShown).join(", ")}${all.length > namesShown ? ", ..." : ""}`;
};

const wardOf = (place: string): string => place.split("^")[0] || "(none)";

const unmatchedBeds = ({ locations }: Section, roster: Roster, { places }: HeardPlaces): Findings => {
  const beds = new Map(roster.beds.map(({ bed, unit }) => [bed, unit]));
  if (beds.size === 0) return ["beds: the roster has none, so ADT links nobody"];
  const base: RosterBase = { devices: [], beds, links: [], filePatients: new Map(), locations, authorities: [] };
  const units = some(beds.values());
  if (places.length > 0) {
    if (places.some((place) => placeOf(base, place).bed !== null)) return [];
    return [
      `rosterService.locations: none of the ${places.length} places that were named so far is a bed of the roster; wards there: ${some(places.map(wardOf))}; units here: ${units}`,
    ];
  }
  if (roster.beds.some(({ bed }) => isMatchable(bed, base))) return [];
  const [{ bed, unit } = { bed: "", unit: "" }] = roster.beds;
  return [
    `rosterService.locations: it names no bed, and no bed's name begins with its unit: ADT links somebody only where PV1-3 calls the ward as the unit is called here (${units}), e.g. ${unit}^^${bed}`,
  ];
};

/** A location leads to it, or its name says of itself to which unit it belongs. */
const isMatchable = (bed: string, base: RosterBase): boolean =>
  Object.values(base.locations).includes(bed) || placeOf(base, bed).bed === bed;
