/** Samples of several metrics as uPlot wants them: one time axis, a value each, null where a line must break. */
import type { SampleView } from "../../schemas/board.ts";

/** Without a sample for this long the line breaks: a gap is not a straight line. */
const gapMs = 10_000;

export type Table = [number[], ...(number | null | undefined)[][]];

type Line = readonly (readonly [number, number | null])[];

/** A null after the last sample before each gap. Times in seconds. */
const broken = (samples: readonly SampleView[]): Line => {
  const line: (readonly [number, number | null])[] = [];
  let last: number | undefined;
  for (const { at, value } of samples) {
    if (last !== undefined && at - last > gapMs) line.push([(last + 1) / 1000, null]);
    line.push([at / 1000, value]);
    last = at;
  }
  return line;
};

/** In uPlot `null` breaks a line and `undefined` is a time at which only other metrics have a value. */
export const tableOf = (lines: readonly (readonly SampleView[])[], dotted: readonly boolean[], from: number): Table => {
  const maps = lines.map((samples, i) => {
    const recent = samples.filter(({ at }) => at >= from);
    return new Map(dotted[i] ? recent.map(({ at, value }) => [at / 1000, value] as const) : broken(recent));
  });
  const times = [...new Set(maps.flatMap((map) => [...map.keys()]))].sort((a, b) => a - b);
  return [times, ...maps.map((map) => times.map((time) => map.get(time)))];
};
