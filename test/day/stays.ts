/** Who is in which bed when, by a list of movements: of the truth, or of what has been told so far. */
import type { Movement } from "./hospital-day.ts";

export interface Stay {
  /** Of the movement that began it. */
  readonly id: string;
  readonly person: number;
  readonly bed: number;
  readonly from: number;
  readonly to: number | null;
}

/** A person is in one bed at a time; a bed may hold two where it was not told that one left. */
export const staysOf = (movements: readonly Movement[]): readonly Stay[] =>
  movements.flatMap(({ id, at, person, bed }): Stay[] => {
    if (bed === null) return [];
    const next = movements
      .filter((m) => m.person === person && m.id !== id && m.at > at)
      .map((m) => m.at)
      .sort((a, b) => a - b)[0];
    return [{ id, person, bed, from: at, to: next ?? null }];
  });

/** Of those who would be in the bed then, he who came last. */
export const personAt = (stays: readonly Stay[], bed: number, at: number): Stay | undefined =>
  stays
    .filter((stay) => stay.bed === bed && stay.from <= at && (stay.to === null || at < stay.to))
    .sort((a, b) => b.from - a.from)[0];
