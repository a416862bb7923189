/**
 * What was offered of an episode and to whom, so that it can be offered anew when the link between device and patient turns out otherwise
 * (clinical.md 10): to the old patient with the link as it stands now, and to the right one with his own.
 */
import type { Candidate, Correction } from "../../schemas/records/clinical.ts";
import { type Association, undisputed } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { cutWhereItMust } from "./cut.ts";
import {
  type KnownLink,
  type Links,
  type Offer,
  isUnassociated,
  offersOf,
  signatureOf,
  withdrawnOffer,
} from "./links.ts";

interface OfferedTo {
  readonly patientKey: string;
  readonly association: string | null;
  readonly signature: string;
}

export interface Offered {
  readonly kind: "offered";
  /** Its newest form. */
  readonly episode: Episode;
  /** Its first, where that was told at its start. */
  readonly begun?: Episode;
  /** Log time of that. */
  readonly heardAt: number;
  /** Everybody to whom it was ever offered, as he was told last. */
  readonly to: readonly OfferedTo[];
}

export const offeredCell = (identity: string): string => `offered/${identity}`;

/** What is news: the episode itself, or a revision of a link. */
export type News = { readonly episode: Episode } | { readonly link: Association };

const causeOf = ({ id, revision, cause }: Association): string =>
  `association ${id} revision ${revision}${cause === "" ? "" : `: ${cause}`}`;

const isAsMeasured = ({ association }: Offer, episode: Episode): boolean =>
  association === null || (association.id === episode.association && association.subject === episode.subject);

/** The patient whose link, other than this offer's, was in force within the episode. */
const besides = ({ patientKey, alongside }: Offer): string | undefined =>
  alongside.find((a) => a.patientKey !== patientKey)?.patientKey;

const correctionOf = (
  offer: Offer,
  before: OfferedTo | undefined,
  others: readonly string[],
  changed: boolean,
  episode: Episode,
  news: News,
): Correction | null => {
  // an episode that goes on is no correction, unless it had been taken from him
  const again = before !== undefined && changed && ("link" in news || before.signature.startsWith(withdrawnPrefix));
  if (others.length === 0 && !again && isAsMeasured(offer, episode)) return null;
  const merged = others.find((key) => offer.mergedKeys.includes(key));
  const said = "link" in news ? news.link : offer.association;
  return {
    why: merged === undefined ? "link" : "merge",
    cause: said === null ? "" : causeOf(said),
    otherPatientKey: merged ?? others.at(-1) ?? besides(offer) ?? null,
  };
};

const withdrawnPrefix = "withdrawn ";

/** Those who were measured in the part that is cut off. */
const rivalsOf = ({ patientKey, alongside }: Offer): readonly string[] =>
  alongside.filter((a) => a.patientKey !== patientKey && !a.voided).map((a) => a.patientKey);

interface Turn {
  readonly offered: Offered;
  readonly candidates: readonly Candidate[];
}

/** The survivor of a merge that replaced this patient's key in a link of the episode. */
const survivorOf = (patientKey: string, offers: readonly Offer[]): string | undefined =>
  offers.find(({ mergedKeys }) => mergedKeys.includes(patientKey))?.patientKey;

/**
 * Offers what must be: an episode's news to each whose it is (and, after a merge, to him whose it was), a link's news to whomever it makes
 * a difference. Without news nothing; so repeats add nothing.
 */
export const offer = (links: Links, episode: Episode, known: Offered | undefined, news: News, now: number): Turn => {
  const isNews = "episode" in news;
  const offers = offersOf(links, episode);
  const former = (known?.to ?? []).filter(({ patientKey }) => !isUnassociated(patientKey));
  const keys = offers.map(({ patientKey }) => patientKey);
  const candidates: Candidate[] = [];
  const begun = known?.begun ?? (episode.phase === "start" ? episode : undefined);
  const say = (to: Offer, correction: Correction | null, told = episode, cut = false): void => {
    const { patientKey, association, alongside } = to;
    candidates.push({ kind: "candidate", episode: told, patientKey, association, alongside, correction, cut });
  };

  const gone = former
    .filter(({ patientKey }) => !keys.includes(patientKey))
    .map((before): OfferedTo => {
      const withdrawn = withdrawnOffer(links, before.patientKey, before.association, offers);
      const survivor = survivorOf(before.patientKey, offers);
      // what goes on in the record of before the merge is as much of it as is the survivor's
      const its = offers.find(({ patientKey }) => patientKey === survivor);
      const { episode: told, cut } = its ? cutWhereItMust(links, its, episode, begun) : { episode, cut: false };
      const signature = `${withdrawnPrefix}${cut ? "cut " : ""}${signatureOf(withdrawn, told)}`;
      const said = "link" in news ? news.link : (withdrawn.association ?? offers[0]?.association ?? null);
      if (before.signature !== signature || (isNews && survivor !== undefined))
        say(
          withdrawn,
          {
            why: survivor === undefined ? "link" : "merge",
            cause: said === null ? "" : causeOf(said),
            otherPatientKey: survivor ?? keys.find((key) => !isUnassociated(key)) ?? null,
          },
          told,
          cut,
        );
      return { ...before, signature };
    });

  const standing = offers.map((whole): OfferedTo => {
    const { offer: to, episode: told, cut } = cutWhereItMust(links, whole, episode, begun);
    const before = known?.to.find(({ patientKey }) => patientKey === to.patientKey);
    const others = [...former.map(({ patientKey }) => patientKey), ...(cut ? rivalsOf(whole) : [])].filter(
      (patientKey) => patientKey !== to.patientKey,
    );
    const signature = `${cut ? "cut " : ""}${signatureOf(to, told)}`;
    const changed = before?.signature !== signature;
    if (isNews || changed) say(to, correctionOf(to, before, others, changed, episode, news), told, cut);
    return { patientKey: to.patientKey, association: to.association?.id ?? null, signature };
  });

  const heardAt = isNews ? now : (known?.heardAt ?? now);
  const newest = known !== undefined && known.episode.revision > episode.revision ? known.episode : episode;
  const to = [...gone, ...standing];
  return { offered: { kind: "offered", episode: newest, ...(begun && { begun }), heardAt, to }, candidates };
};

/** Every link's cell of the first version, by its id, in the shape of now. */
export const linksOfVersion1 = (cells: Readonly<Record<string, unknown>>): Links => ({
  kind: "links",
  all: Object.values(cells as Readonly<Record<string, Association>>).map(
    (association): KnownLink => ({ association: { ...undisputed, ...association }, learntAt: 0, mergedKeys: [] }),
  ),
});
