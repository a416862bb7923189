/** What the bench says of its figures, and how it sums up several runs. */

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** 52,913 */
export const whole = (value: number): string => Math.round(value).toLocaleString("en");

/** `0.83 (0.79 to 0.90)`: the median and what the runs lie between. */
export const spread = (values: readonly number[], show: (value: number) => string): string =>
  `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;

/** A goal is said loudly when it is missed; the bench measures, it doesn't judge. */
export const sayGoal = (what: string, ratios: readonly number[], goal: number): void => {
  const missed = median(ratios) < goal;
  const verdict = missed ? `  <<< BELOW THE GOAL of ${goal}` : `  (goal ${goal}: met)`;
  say(`${what}: ${spread(ratios, (ratio) => ratio.toFixed(2))}${verdict}`);
};
