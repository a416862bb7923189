/**
 * The fold of a window or an episode: what samples come to, whatever order they arrived in. Sums are kept as whole millionths of the unit,
 * for adding doubles depends on the order and adding integers does not; a tie on the last event time goes to the greater value.
 */

export interface Fold {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Exact while it is a safe integer: see {@link largestValue}. */
  readonly sumMillionths: number;
  /** Time that the samples stand for, each its period. */
  readonly coveredMs: number;
  readonly last: number;
  readonly lastAt: number;
  /** How many of them were questionable; absent: none. */
  readonly questionable?: number;
}

export interface Sample {
  readonly value: number;
  readonly at: number;
  readonly coversMs: number;
  readonly questionable?: boolean;
}

/** Greater magnitudes are not folded: 9,000 samples of it still add up exactly. No metric's plausible range comes near. */
export const largestValue = 1_000_000;

const millionths = 1_000_000;

export const foldOf = ({ value, at, coversMs, questionable }: Sample): Fold => ({
  count: 1,
  min: value,
  max: value,
  // Plus 0, for a tiny negative value rounds to -0, which JSON does not keep.
  sumMillionths: Math.round(value * millionths) + 0,
  coveredMs: coversMs,
  last: value,
  lastAt: at,
  ...(questionable === true && { questionable: 1 }),
});

/** Commutative and associative. */
export const merge = (a: Fold | undefined, b: Fold | undefined): Fold | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  const later = b.lastAt > a.lastAt || (b.lastAt === a.lastAt && b.last > a.last) ? b : a;
  const questionable = (a.questionable ?? 0) + (b.questionable ?? 0);
  return {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sumMillionths: a.sumMillionths + b.sumMillionths,
    coveredMs: a.coveredMs + b.coveredMs,
    last: later.last,
    lastAt: later.lastAt,
    ...(questionable > 0 && { questionable }),
  };
};

/** To a millionth of the unit. */
export const meanOf = (fold: Fold): number => fold.sumMillionths / (fold.count * millionths);

/** Share of the window that its samples stand for, 0 to 1. */
export const coverageOf = (fold: Fold, lengthMs: number): number => Math.min(1, fold.coveredMs / lengthMs);
