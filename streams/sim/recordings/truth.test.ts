/** The truth table as rows of the records that are played. */
import { describe, expect, it } from "vitest";
import { noRecordings, recordingsFolder, skipped } from "./recordings.fixture.ts";
import { readTruth } from "./truth.ts";

describe.skipIf(noRecordings)(`the truth table${skipped}`, () => {
  const rows = noRecordings ? [] : readTruth(recordingsFolder);

  it("names records as the ward does, and times since their first sample", () => {
    expect(rows.filter(({ record }) => record === "bidmc-03")).toEqual([
      {
        record: "bidmc-03",
        channel: "HR-PULSE",
        rule: "|diff|>10",
        startMs: 347_000,
        endMs: 350_000,
        samples: 4,
        extreme: 15,
      },
    ]);
    expect(rows).toContainEqual(
      expect.objectContaining({
        record: "mimic-s00001",
        channel: "HR",
        rule: "<60",
        startMs: 420_000,
        endMs: 2_580_000,
      }),
    );
  });

  it("takes the first time stamp of 13 records, -0, for the zero that it is", () => {
    const wholeRecord = rows.find(({ record, rule }) => record === "bidmc-32" && rule === "<90");
    expect(wholeRecord).toMatchObject({ startMs: 0, endMs: 480_000, samples: 481, extreme: 83 });
    expect(rows.some(({ startMs }) => Object.is(startMs, -0))).toBe(false);
  });

  it("turns a wall clock's time of a glucose row into one since the first reading", () => {
    expect(rows.find(({ record }) => record === "cgm-bigideas-001")).toEqual({
      record: "cgm-bigideas-001",
      channel: "glucose_mg_dl",
      rule: "<70",
      startMs: 0,
      endMs: 45 * 60_000,
      samples: 10,
      extreme: 58,
    });
  });

  it("leaves out the insulin pump, which is not played, and nothing else", () => {
    expect(rows.some(({ channel }) => channel.startsWith("basal"))).toBe(false);
    expect(rows.every((row) => Number.isFinite(row.startMs) && row.endMs >= row.startMs)).toBe(true);
    expect(new Set(rows.map(({ record }) => record)).size).toBe(17 + 1 + 5);
  });
});
