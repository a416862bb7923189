/** Whose an episode is: the links of its device, each in its newest revision, and which of them were in force within the episode. */
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { correctableMs } from "../correctable.ts";
import { covers, isInterruptedAt, isNewer } from "../link.ts";

export interface KnownLink {
  readonly association: Association;
  /** Log time of its newest revision. */
  readonly learntAt: number;
  /** Patient keys that merges replaced in it, in their order. */
  readonly mergedKeys: readonly string[];
}

/** One cell of a subject: few links, and each episode asks about all of them. */
export interface Links {
  readonly kind: "links";
  readonly all: readonly KnownLink[];
}

export const noLinks: Links = { kind: "links", all: [] };

/** The newest word of each link wins; one that is not newer changes nothing: the same links then. */
export const withLink = (links: Links, association: Association, now: number): Links => {
  const known = links.all.find((link) => link.association.id === association.id);
  if (known !== undefined && !isNewer(association, known.association)) return links;
  const { mergedFrom } = association;
  const before = known?.mergedKeys ?? [];
  const mergedKeys = mergedFrom === null || before.includes(mergedFrom) ? before : [...before, mergedFrom];
  return { ...links, all: [...links.all.filter((link) => link !== known), { association, learntAt: now, mergedKeys }] };
};

/** Log time from which a link is of no use for corrections; null while it may be in force. `held`: episodes may still ask about it. */
const forgottenAt = ({ association: { to, voided, subject }, learntAt }: KnownLink, key: string, held: boolean) => {
  const over = voided || to !== null || (subject !== key && !held);
  return over ? Math.max(learntAt, voided ? 0 : (to ?? 0)) + correctableMs : null;
};

/** Without what is over for longer than corrections are taken; and when the next will be. */
export const pruned = (
  links: Links,
  key: string,
  held: boolean,
  now: number,
): { readonly links: Links; readonly next: number | null } => {
  const kept = links.all.filter((link) => (forgottenAt(link, key, held) ?? Number.POSITIVE_INFINITY) > now);
  const times = kept.map((link) => forgottenAt(link, key, held)).filter((at) => at !== null);
  return { links: { ...links, all: kept }, next: times.length === 0 ? null : Math.min(...times) };
};

/** What one patient is offered of an episode. */
export interface Offer {
  readonly patientKey: string;
  readonly association: Association | null;
  readonly alongside: readonly Association[];
  readonly mergedKeys: readonly string[];
}

/** The key of a candidate that belongs to no patient; no patient's key may start so. */
export const unassociatedKey = (device: string): string => `unassociated/${device}`;
export const isUnassociated = (patientKey: string): boolean => patientKey.startsWith("unassociated/");

/** The instants at which an episode must have been his: its onset, the sample that is told, its end. */
export const toldTimes = ({ start, qualifyingAt, end }: Episode): readonly number[] => [
  start,
  qualifyingAt,
  ...(end === null ? [] : [end]),
];

/** Of two that overlap the one that began later. */
const inForceAt = (links: readonly KnownLink[], at: number): KnownLink | undefined =>
  links
    .filter(({ association }) => covers(association, at))
    .sort((a, b) => b.association.from - a.association.from || (a.association.id < b.association.id ? 1 : -1))[0];

/** Every link that was in force at some instant of the episode, in the order of time. */
const within = (links: readonly KnownLink[], episode: Episode): readonly KnownLink[] => {
  const told = toldTimes(episode);
  const last = Math.max(...told);
  const edges = links
    .flatMap(({ association: { from, to } }) => [from, to ?? from])
    .filter((at) => episode.start < at && at <= last);
  const found = [...told, ...edges].sort((a, b) => a - b).map((at) => inForceAt(links, at));
  return [...new Set(found.filter((link) => link !== undefined))];
};

/**
 * Each patient whose link was in force within the episode: one, unless the link changed inside it. Where none was, whose link it was
 * measured under, so that the decision says whose it would have been; without any, nobody's.
 */
export const offersOf = (links: Links, episode: Episode): readonly Offer[] => {
  const ofDevice = links.all.filter(({ association }) => association.device === episode.device);
  const found = within(ofDevice, episode);
  const measured = ofDevice.find(({ association }) => association.id === episode.association);
  const all = found.length > 0 ? found : measured === undefined ? [] : [measured];
  if (all.length === 0)
    return [{ patientKey: unassociatedKey(episode.device), association: null, alongside: [], mergedKeys: [] }];
  return [...new Set(all.map(({ association }) => association.patientKey))].map((patientKey) => {
    const own = all.find(({ association }) => association.patientKey === patientKey) as KnownLink;
    return {
      patientKey,
      association: own.association,
      alongside: all.filter((link) => link !== own).map(({ association }) => association),
      mergedKeys: own.mergedKeys,
    };
  });
};

/** What a patient is told of an episode that was offered to him and is not his any more: its link as it stands now, and the rightful ones. */
export const withdrawnOffer = (
  links: Links,
  patientKey: string,
  association: string | null,
  offers: readonly Offer[],
): Offer => ({
  patientKey,
  association: links.all.find((link) => link.association.id === association)?.association ?? null,
  alongside: offers
    .flatMap(({ association: own, alongside }) => [...(own === null ? [] : [own]), ...alongside])
    .filter(({ id }, i, all) => id !== association && all.findIndex((other) => other.id === id) === i),
  mergedKeys: [],
});

/** How near an edge may matter, at least. */
const nearMs = 60_000;

/** What the gates can see of an offer. A revision that changes nothing of it (an end long after the episode) offers nothing anew. */
export const signatureOf = (offer: Offer, episode: Episode): string => {
  const reach = Math.max(nearMs, episode.clockUncertaintyMs + 1);
  const near = (ms: number): number => Math.max(-reach, Math.min(reach, ms));
  const seen = (a: Association) => [
    ...[a.id, a.patientKey, a.subject, a.bed, a.unit, a.ageBand, a.confirmedBy, a.confirmedAt, a.voided, a.conflict],
    ...[a.vouchedFrom, toldTimes(episode).map((at) => isInterruptedAt(a, at))],
    ...toldTimes(episode).flatMap((at) => [near(at - a.from), near((a.to ?? Number.POSITIVE_INFINITY) - at)]),
  ];
  return JSON.stringify([offer.association === null ? null : seen(offer.association), offer.alongside.map(seen)]);
};
