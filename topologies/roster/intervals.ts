/** Half-open stretches of time [from, to), in ms; without an end `to` is Infinity. */

export interface Interval {
  readonly from: number;
  readonly to: number;
}

export const intersection = (a: Interval, b: Interval): Interval | null => {
  const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
  return from < to ? { from, to } : null;
};

/** What is left of `a`, in order. */
export const without = (a: Interval, taken: readonly Interval[]): readonly Interval[] => {
  let left: Interval[] = [a];
  for (const one of taken)
    left = left.flatMap((piece) =>
      intersection(piece, one) === null
        ? [piece]
        : [
            { from: piece.from, to: one.from },
            { from: one.to, to: piece.to },
          ].filter(({ from, to }) => from < to),
    );
  return left;
};

export const open = (to: number | null): number => to ?? Number.POSITIVE_INFINITY;
export const closed = (to: number): number | null => (to === Number.POSITIVE_INFINITY ? null : to);
