import { describe, expect, it } from "vitest";
import type { SampleView } from "../../schemas/board.ts";
import { tableOf } from "./chart-data.ts";

const samples = (metric: string, ...values: readonly (readonly [number, number | null])[]): SampleView[] =>
  values.map(([at, value]) => ({ metric, at, value }));

describe("a chart's table", () => {
  it("shares one time axis; a time of another metric only is no gap", () => {
    const table = tableOf([samples("a", [0, 1], [2000, 3]), samples("b", [1000, 7])], [false, false], 0);
    expect(table).toEqual([
      [0, 1, 2],
      [1, undefined, 3],
      [undefined, 7, undefined],
    ]);
  });

  it("breaks the line where nothing came for more than 10 s, and where there was no value", () => {
    const [times, line] = tableOf([samples("a", [0, 1], [1000, null], [12_000, 2])], [false], 0);
    expect(times).toEqual([0, 1, 1.001, 12]);
    expect(line).toEqual([1, null, null, 2]);
  });

  it("draws a cuff's readings as points, however far apart, and nothing from before the window", () => {
    const [times, line] = tableOf([samples("nibp", [0, 1], [900_000, 2], [1_800_000, 3])], [true], 900_000);
    expect([times, line]).toEqual([
      [900, 1800],
      [2, 3],
    ]);
  });
});
