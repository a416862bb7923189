import { describe, expect, it } from "vitest";
import { textLines } from "./ilp-text.ts";
import type { Row } from "./series.ts";
import type { Table } from "./tables.ts";

interface Reading {
  readonly bed: string | null;
  readonly note: string | null;
  readonly beats: number | null;
  readonly paced: boolean;
  readonly at: number;
}

const table: Table<Reading> = {
  name: "vitals",
  ts: (_, logTime) => logTime,
  columns: [
    { name: "beats", type: "int", of: (r) => r.beats },
    { name: "bed", type: "symbol", of: (r) => r.bed },
    { name: "note", type: "text", of: (r) => r.note },
    { name: "paced", type: "boolean", of: (r) => r.paced },
    { name: "rate", type: "double", of: (r) => (r.beats ?? 0) / 4 },
    { name: "at", type: "time", of: (r) => r.at },
  ],
  keys: ["bed"],
};
const whole: Reading = { bed: "7", note: "ok", beats: 70, paced: true, at: 1_700_000_000_123 };
const linesOf = (...readings: Reading[]): string =>
  Buffer.from(
    textLines(
      "w_vitals",
      table as Table<unknown>,
      readings.map((body) => ({ body, logTime: 1_700_000_000_999 }) as Row<Reading>),
    ),
  ).toString();

describe("line protocol as text", () => {
  it("puts symbols first, times in microseconds and one row in a line", () => {
    const line = `w_vitals,bed=7 beats=70i,note="ok",paced=t,rate=17.5,at=1700000000123000t 1700000000999000t\n`;
    expect(linesOf(whole, whole)).toBe(line + line);
  });

  it("leaves out what is null, and begins the fields at the first that is there", () => {
    expect(linesOf({ ...whole, bed: null, beats: null, note: null, paced: false })).toBe(
      "w_vitals paced=f,rate=0,at=1700000000123000t 1700000000999000t\n",
    );
  });

  it("escapes what has a meaning in the protocol", () => {
    expect(linesOf({ ...whole, bed: "a b,c=d\\e\n", note: 'a "b"\\c, d=e\n' })).toContain(
      'bed=a\\ b\\,c\\=d\\\\e\\\n beats=70i,note="a \\"b\\"\\\\c, d=e\\\n",paced',
    );
  });
});
