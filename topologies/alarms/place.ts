/**
 * Where a device stands, and who says so: the unit and bed that `normalise` told last, and the associations behind them. A page says how
 * old that knowledge is (clinical.md 9, 18).
 */
import type { Alarm } from "../../schemas/records/alert.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { DeviceState } from "../../schemas/records/telemetry.ts";
import type { EpisodesBody } from "../../schemas/topics.ts";
import { isNewer } from "../link.ts";

export interface Link {
  readonly id: string;
  readonly revision: number;
  /** Of one revision, how often it has been told (an interruption). */
  readonly telling?: number;
  readonly unit: string;
  readonly bed: string;
  readonly ageBand: Rule["ageBand"] | null;
  readonly from: number;
  readonly to: number | null;
  readonly confirmed: boolean;
  /** From then on it must be confirmed again; absent: nothing interrupted it. */
  readonly interruptedAt?: number;
}

export interface Place {
  /** As its last state said; null before the first. */
  readonly told: {
    readonly unit: string | null;
    readonly bed: string | null;
    readonly state: DeviceState["state"];
  } | null;
  /** The last few associations of this device with this subject, by their beginning. */
  readonly links: readonly Link[];
  /** Log time in ms at which the device left the subject; null while it is there. */
  readonly leftAt: number | null;
  /** What was said before anybody said where it stands, and the log time up to which it is held; null: nothing ever was. */
  readonly waiting: { readonly words: readonly EpisodesBody[]; readonly until: number } | null;
}

export const nowhere: Place = { told: null, links: [], leftAt: null, waiting: null };

/** Somebody has said where it stands, and it has not left since. */
export const isPlaced = ({ told, links, leftAt }: Place): boolean =>
  leftAt === null && (told !== null || links.length > 0);

const linksKept = 4;

/** Of a device that no roster places. */
export const unknownUnit = "unknown";

/** A revision that is not newer changes nothing. */
export const withLink = (place: Place, association: Association): Place => {
  const { id, revision, telling, unit, bed, ageBand, from, to, confirmedBy, voided, interrupted } = association;
  const known = place.links.find((link) => link.id === id);
  if (known !== undefined && !isNewer({ revision, telling }, { telling: 0, ...known })) return place;
  // One that was voided stays as a link of no time: no earlier revision brings it back.
  const until = voided ? from : to;
  const confirmed = confirmedBy !== null;
  const interruptedAt = interrupted === null ? {} : { interruptedAt: interrupted.at };
  const link: Link = { id, revision, telling, unit, bed, ageBand, from, to: until, confirmed, ...interruptedAt };
  const links = [...place.links.filter((other) => other.id !== id), link].sort((a, b) => a.from - b.from);
  return { ...place, links: links.slice(-linksKept), leftAt: voided ? place.leftAt : null };
};

export const withState = (place: Place, { unit, bed, state }: DeviceState): Place => ({
  ...place,
  told: { unit, bed, state },
  leftAt: null,
});

export type Standing = Pick<Alarm, "unit" | "bed" | "bedSince" | "bedConfirmed">;

/** Where people have to go now, `at` a log time in ms. */
export const standing = (place: Place, at: number): Standing => {
  const { told } = place;
  const link = linkOf(place, at);
  const unit = told?.unit || link?.unit || unknownUnit;
  const bed = told === null ? (link?.bed ?? null) : told.bed;
  const vouches = link !== undefined && link.bed === bed;
  return { unit, bed, bedSince: vouches ? link.from : null, bedConfirmed: vouches && isConfirmedAt(link, at) };
};

const isConfirmedAt = ({ confirmed, interruptedAt }: Link, at: number): boolean =>
  confirmed && (interruptedAt === undefined || at < interruptedAt);

/** The association that says where it stands: in force at the bed that was told, else in force, else the last. */
const linkOf = ({ told, links }: Place, at: number): Link | undefined => {
  const inForce = links.filter(({ from, to }) => from <= at && (to === null || at < to));
  return inForce.findLast(({ bed }) => bed === told?.bed) ?? inForce.at(-1) ?? links.at(-1);
};

/** Of whoever the device measures; null where nobody said. */
export const ageBandOf = (place: Place, at: number): Rule["ageBand"] | null => linkOf(place, at)?.ageBand ?? null;
