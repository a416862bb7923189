/** What a link of a device to a patient says of an instant: whether it was in force, whether a person vouches for it, and which telling of it is newer. */
import type { Association } from "../schemas/records/roster.ts";

/** Half-open: the instant at which a link ends belongs to the next one. One that was voided never held. */
export const covers = ({ from, to, voided }: Pick<Association, "from" | "to" | "voided">, at: number): boolean =>
  !voided && from <= at && (to === null || at < to);

type Told = Pick<Association, "revision" | "telling">;

/** By the roster's revision; of one revision, by how often `normalise` has told it (clinical.md 9: an interruption). */
export const isNewer = (next: Told, known: Told): boolean =>
  next.revision > known.revision || (next.revision === known.revision && next.telling > known.telling);

/** Since when a named person's word counts; null: nobody confirmed it. */
export const vouchedSince = ({ confirmedBy, confirmedAt, vouchedFrom }: Association): number | null => {
  if (confirmedBy === null || confirmedBy.trim() === "" || confirmedAt === null) return null;
  return vouchedFrom === null ? confirmedAt : Math.min(vouchedFrom, confirmedAt);
};

/** A person's word covers this instant, and nothing has interrupted it by then. */
export const isVouchedAt = (link: Association, at: number): boolean => {
  const since = vouchedSince(link);
  return since !== null && since <= at && !isInterruptedAt(link, at);
};

/** A power cycle or a long gap lies between the confirmation and this instant: it must be confirmed again (clinical.md 9). */
export const isInterruptedAt = ({ interrupted }: Association, at: number): boolean =>
  interrupted !== null && interrupted.at <= at;
