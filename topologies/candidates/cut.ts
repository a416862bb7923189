/**
 * A link that ended inside an episode: what was known when the episode qualified is of the patient whose link held until then, and stays his; what
 * came after is told to nobody without a person (clinical.md 10). Statistics of the whole would be of two people.
 */
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { covers, isVouchedAt } from "../link.ts";
import { type Links, type Offer, offersOf, toldTimes } from "./links.ts";

/** An offer with the form of the episode that goes with it. */
export interface Told {
  readonly offer: Offer;
  readonly episode: Episode;
  /** True: the part before the link ended. */
  readonly cut: boolean;
}

const isHis = (own: readonly Association[], at: number): boolean =>
  own.some((link) => covers(link, at) && isVouchedAt(link, at));

/** Every instant of it was his by links that held and that a person vouches for, and nobody else's. */
const isWhole = ({ association, alongside, patientKey }: Offer, episode: Episode): boolean => {
  if (association === null || alongside.some((a) => a.patientKey !== patientKey && !a.voided)) return false;
  const own = [association, ...alongside];
  return toldTimes(episode).every((at) => isHis(own, at));
};

/** As it was when it qualified, over with the sample that it tells. */
const firstPart = (begun: Episode, { revision, late, clockUncertaintyMs }: Episode): Episode => ({
  ...begun,
  revision,
  late,
  clockUncertaintyMs,
  phase: "end",
  end: begun.qualifyingAt,
  ended: "subject ended",
});

/** `begun`: how the episode was told at its start; undefined where that was never heard, and then it is told whole or not at all. */
export const cutWhereItMust = (links: Links, offer: Offer, episode: Episode, begun: Episode | undefined): Told => {
  const whole: Told = { offer, episode, cut: false };
  if (begun === undefined || episode.end === null || isWhole(offer, episode)) return whole;
  const part = firstPart(begun, episode);
  const its = offersOf(links, part).find(({ patientKey }) => patientKey === offer.patientKey);
  return its !== undefined && isWhole(its, part) ? { offer: its, episode: part, cut: true } : whole;
};
