import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utcInstant } from "./instant.ts";
import { anyZone, momentOf } from "./moment.ts";

const utc = { leastMinutes: 0, mostMinutes: 0 };

describe("a FHIR date or dateTime", () => {
  it.each([
    ["2026-11-21T14:00:00Z", Date.UTC(2026, 10, 21, 14), 1_000],
    ["2026-11-21T14:00:00.000Z", Date.UTC(2026, 10, 21, 14), 1],
    ["2016-06-23T17:02:33+10:00", Date.UTC(2016, 5, 23, 7, 2, 33), 1_000],
    ["2016-06-23T17:02:33.25-03:30", Date.UTC(2016, 5, 23, 20, 32, 33, 250), 1],
    ["2024-02-29", Date.UTC(2024, 1, 29), 86_400_000],
    ["2026-12", Date.UTC(2026, 11, 1), 31 * 86_400_000],
    ["1964", Date.UTC(1964, 0, 1), 366 * 86_400_000],
  ])("%s begins at its time and is as long as it is precise", (text, beginMs, lengthMs) => {
    expect(momentOf(text, utc)).toEqual({
      beginEarliest: beginMs,
      beginLatest: beginMs,
      endEarliest: beginMs + lengthMs,
      endLatest: beginMs + lengthMs,
    });
  });

  it.each([
    "",
    "2026-02-29",
    "2026-13",
    "2026-1-1",
    "2026-11-21T14:00Z",
    "2026-11-21T14:00:00",
    "2026-11-21T24:00:00Z",
    "21.11.2026",
    "now",
  ])("%j is none", (text) => {
    expect(momentOf(text)).toBeNull();
  });

  it("without a zone is a day somewhere on earth", () => {
    const noonMs = Date.UTC(2026, 10, 21, 12);
    const moment = momentOf("2026-11-21", anyZone);
    expect(moment?.beginEarliest).toBe(Date.UTC(2026, 10, 20, 10));
    expect(moment?.beginLatest).toBe(noonMs);
    expect(moment?.endEarliest).toBe(Date.UTC(2026, 10, 21, 10));
    expect(moment?.endLatest).toBe(Date.UTC(2026, 10, 22, 12));
  });

  it("reads what we write", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2199, 0, 1) }), (ms) => {
        expect(momentOf(utcInstant(ms))?.beginEarliest).toBe(ms);
      }),
    );
  });
});
