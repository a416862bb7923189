/** What the charts hold at the end of a day, and whose it was by the truth. */
import type { Intent } from "../../schemas/records/clinical.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { Day } from "./hospital-day.ts";
import type { Played } from "./play.ts";
import { deviceOf } from "./registry.ts";
import { personAt, type Stay } from "./stays.ts";

export const newest = (played: Played): readonly Intent[] => [
  ...new Map(played.intents.map((intent) => [intent.resourceId, intent] as const)).values(),
];
export const standing = (played: Played): readonly Intent[] =>
  newest(played).filter(({ action }) => action === "write");

const personsUntil = (
  stays: readonly Stay[],
  day: Day,
  { device, start }: Episode,
  last: number,
): ReadonlySet<number | undefined> => {
  const bed = Array.from({ length: day.beds }, (_, i) => i).find((i) => deviceOf(i) === device) ?? -1;
  const edges = stays.flatMap(({ from, to }) => [from, to ?? from]).filter((at) => start < at && at <= last);
  return new Set([start, last, ...edges].map((at) => personAt(stays, bed, at)?.person));
};

/** Who lay there from its onset to its end, by the truth: one person or nobody, unless it changed within. */
export const personsOf = (stays: readonly Stay[], day: Day, episode: Episode): ReadonlySet<number | undefined> =>
  personsUntil(stays, day, episode, Math.max(episode.qualifyingAt, episode.end ?? episode.start));

/** Whose it is: who lay there all the time or, where that changed, until it had qualified; then its first part is his. */
export const trulyOf = (stays: readonly Stay[], day: Day, episode: Episode): number | undefined => {
  for (const persons of [personsOf(stays, day, episode), personsUntil(stays, day, episode, episode.qualifyingAt)]) {
    const [person] = persons;
    if (persons.size === 1) return person;
  }
  return undefined;
};

/** What a resource tells of the course: it is the whole one's or the first part's. */
export const courseOf = ({ resource }: Intent): unknown => {
  const { component } = JSON.parse(resource) as {
    component: { valueQuantity?: { value: number }; valueInteger?: number; valuePeriod?: { end?: string } }[];
  };
  return component.map((one) => one.valueQuantity?.value ?? one.valueInteger ?? one.valuePeriod?.end);
};
