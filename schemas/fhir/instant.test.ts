import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfUtcDay, utcDay, utcInstant } from "./instant.ts";

/** Years 0000 to 9999. */
const instants = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

describe("instants without a Date", () => {
  it("agree with Date for every year that FHIR can write", () => {
    fc.assert(fc.property(instants, (ms) => utcInstant(ms) === new Date(ms).toISOString()));
  });

  it.each([
    ["a leap day", Date.UTC(2028, 1, 29, 23, 59, 59, 999), "2028-02-29T23:59:59.999Z"],
    ["no leap year in 2100", Date.UTC(2100, 2, 1), "2100-03-01T00:00:00.000Z"],
    ["before 1970", -1, "1969-12-31T23:59:59.999Z"],
    ["the MIMIC record's own year", Date.UTC(2896, 9, 10), "2896-10-10T00:00:00.000Z"],
  ])("%s", (_, ms, text) => {
    expect(utcInstant(ms)).toBe(text);
  });

  it("ends a UTC day where the next begins", () => {
    const lastMs = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
    expect(endOfUtcDay(lastMs)).toBe(lastMs + 1);
    expect([utcDay(lastMs), utcDay(endOfUtcDay(lastMs))]).toEqual(["2026-12-31", "2027-01-01"]);
  });
});
