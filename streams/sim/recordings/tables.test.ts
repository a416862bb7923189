/** The readers of tables on lines as the files have them, quirks included. */
import { describe, expect, it } from "vitest";
import { readGlucoseCsv } from "./glucose-csv.ts";
import { readNumericsCsv } from "./numerics-csv.ts";

describe("numerics", () => {
  it("BIDMC: blanks in the header, a first time of -0, NaN kept as it was said", () => {
    const rows = readNumericsCsv("Time [s], HR, PULSE, RESP, SpO2\n-0,80,NaN,15,98\n1,80,79,0,98\n");
    expect(rows).toHaveLength(2);
    expect(Object.is(rows[0]?.offsetMs, 0)).toBe(true);
    expect(rows[0]?.values).toContainEqual(["PULSE", "NaN"]);
    expect(rows[1]?.offsetMs).toBe(1_000);
    expect(rows[1]?.values).toContainEqual(["RESP", "0"]);
  });

  it("MIMIC-III: units in the header, what is empty is absent", () => {
    const rows = readNumericsCsv("t_s,HR[bpm],RESP[pm],NBPSys[mmHg]\n0,0.0,23.0,\n60,62.8,,120\n");
    expect(rows).toEqual([
      {
        offsetMs: 0,
        values: [
          ["HR", "0.0"],
          ["RESP", "23.0"],
        ],
      },
      {
        offsetMs: 60_000,
        values: [
          ["HR", "62.8"],
          ["NBPSys", "120"],
        ],
      },
    ]);
  });

  it.each([
    ["an unknown column", "t_s,MOOD\n0,1\n", "MOOD"],
    ["a unit that is not the column's", "t_s,ABPSys[kPa]\n0,1\n", "ABPSys[kPa]"],
    ["a time in words", "t_s,HR\nnow,1\n", "line 2"],
    ["a short line", "t_s,HR,RESP\n0,1,2\n1,1\n", "line 3"],
  ])("refuses %s", (_what, text, place) => {
    expect(() => readNumericsCsv(text)).toThrow(place);
  });
});

describe("glucose", () => {
  it("the extraction of Glucose-ML", () => {
    const { firstMs, rows } = readGlucoseCsv(
      "timestamp,glucose_value_mg_dl\n2020-02-13 17:23:32,61.0\n2020-02-13 17:28:31,59.0\n",
    );
    expect(new Date(firstMs).toISOString()).toBe("2020-02-13T17:23:32.000Z");
    expect(rows).toEqual([
      { offsetMs: 0, values: [["Glucose", "61.0"]] },
      { offsetMs: 299_000, values: [["Glucose", "59.0"]] },
    ]);
  });

  it("Dexcom's Clarity export: a byte order mark, and only the readings of it", () => {
    const text = [
      "\uFEFFIndex,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Glucose Value (mg/dL)",
      "6,,Alert,High,200",
      "12,2016-10-24T11:24:17,EGV,,103",
    ].join("\n");
    expect(readGlucoseCsv(text).rows).toEqual([{ offsetMs: 0, values: [["Glucose", "103"]] }]);
  });

  it("T1D-UOM: day before month, mmol/L, carriage returns", () => {
    const { firstMs, rows } = readGlucoseCsv("bg_ts,value\r\n06/11/2023 00:01,4.9\r\n06/11/2023 00:06,5\r\n");
    expect(new Date(firstMs).toISOString()).toBe("2023-11-06T00:01:00.000Z");
    expect(rows[1]).toEqual({ offsetMs: 300_000, values: [["GlucoseMmol", "5"]] });
  });

  it("refuses another header and a time that is none", () => {
    expect(() => readGlucoseCsv("when,what\n")).toThrow("when,what");
    expect(() => readGlucoseCsv("timestamp,glucose_value_mg_dl\nsoon,61\n")).toThrow("soon");
  });
});
