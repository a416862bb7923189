/** What the charts hold at the end of a day, and whose it was by the truth. */
import type { Episode, Intent } from "../../schemas/records.ts";
import type { Day } from "./hospital-day.ts";
import type { Played } from "./play.ts";
import { deviceOf } from "./registry.ts";
import { personAt, type Stay } from "./stays.ts";

export const newest = (played: Played): readonly Intent[] => [
  ...new Map(played.intents.map((intent) => [intent.resourceId, intent] as const)).values(),
];
export const standing = (played: Played): readonly Intent[] =>
  newest(played).filter(({ action }) => action === "write");

/** Who lay there from its onset to its end, by the truth: one person or nobody, unless it changed within. */
export const personsOf = (stays: readonly Stay[], day: Day, episode: Episode): ReadonlySet<number | undefined> => {
  const bed = Array.from({ length: day.beds }, (_, i) => i).find((i) => deviceOf(i) === episode.device) ?? -1;
  const last = Math.max(episode.qualifyingAt, episode.end ?? episode.start);
  const edges = stays.flatMap(({ from, to }) => [from, to ?? from]).filter((at) => episode.start < at && at <= last);
  return new Set([episode.start, last, ...edges].map((at) => personAt(stays, bed, at)?.person));
};
export const trulyOf = (stays: readonly Stay[], day: Day, episode: Episode): number | undefined => {
  const [person, ...others] = personsOf(stays, day, episode);
  return others.length === 0 ? person : undefined;
};
