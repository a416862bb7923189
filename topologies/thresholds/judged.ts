/**
 * Which stretches of event time of a series were judged, so that what its device stored and sends afterwards is judged once, and what it
 * sends again is not (clinical.md 7).
 */
import type { Measurement } from "../../schemas/records/telemetry.ts";

/** First and last sample, event time in ms. */
export type Stretch = readonly [from: number, to: number];
/** Ascending, none touching another. */
export type Judged = readonly Stretch[];

/** More holes than that, and the smallest counts as judged. */
const stretchesMost = 32;
const leastRoomMs = 2_500;

/** Two samples that are further apart leave room for others between them, in ms. */
export const roomMs = ({ periodMs }: Pick<Measurement, "periodMs">): number =>
  Math.max(leastRoomMs, 1.5 * (periodMs ?? 0));

export const isJudgedAt = (judged: Judged, at: number): boolean => judged.some(([from, to]) => from <= at && at <= to);

/** Whether something between the two times was judged. */
export const isJudgedBetween = (judged: Judged, after: number, before: number): boolean =>
  judged.some(([from]) => after < from && from < before);

/** With one more stretch, made one with those to which it leaves no room. */
export const withStretch = (judged: Judged, [from, to]: Stretch, room: number): Judged => {
  const touches = ([a, b]: Stretch): boolean => b + room >= from && a - room <= to;
  const joined = judged.filter(touches);
  const whole: Stretch = [Math.min(from, ...joined.map(([a]) => a)), Math.max(to, ...joined.map(([, b]) => b))];
  const all = [...judged.filter((one) => !touches(one)), whole].sort(([a], [b]) => a - b);
  return all.length <= stretchesMost ? all : withoutSmallestHole(all);
};

const withoutSmallestHole = (judged: Judged): Judged => {
  const holes = judged.slice(1).map(([from], i) => from - (judged[i]?.[1] ?? from));
  const at = holes.indexOf(Math.min(...holes));
  const [before, after] = [judged[at], judged[at + 1]];
  if (before === undefined || after === undefined) return judged;
  return [...judged.slice(0, at), [before[0], after[1]], ...judged.slice(at + 2)];
};
