import { describe, expect, it } from "vitest";
import { zoneOffsets } from "./zone-offsets.ts";

const in2027 = Date.UTC(2027, 5, 1);

describe("a zone's offsets", () => {
  it("are those of this year and the next two", () => {
    expect(zoneOffsets("Europe/Berlin", in2027)).toEqual({
      ok: true,
      value: {
        utcOffsetMinutes: 60,
        offsets: [
          { from: Date.parse("2027-03-28T01:00:00Z"), minutes: 120 },
          { from: Date.parse("2027-10-31T01:00:00Z"), minutes: 60 },
          { from: Date.parse("2028-03-26T01:00:00Z"), minutes: 120 },
          { from: Date.parse("2028-10-29T01:00:00Z"), minutes: 60 },
          { from: Date.parse("2029-03-25T01:00:00Z"), minutes: 120 },
          { from: Date.parse("2029-10-28T01:00:00Z"), minutes: 60 },
        ],
      },
    });
    expect(zoneOffsets("Europe/Berlin", Date.UTC(2027, 0, 1))).toEqual(zoneOffsets("Europe/Berlin", in2027));
  });

  it("never change where nobody sets the clocks, and go backwards south of the equator", () => {
    expect(zoneOffsets("Asia/Kolkata", in2027)).toEqual({ ok: true, value: { utcOffsetMinutes: 330, offsets: [] } });
    expect(zoneOffsets("Pacific/Auckland", in2027)).toMatchObject({ ok: true, value: { utcOffsetMinutes: 780 } });
  });

  it("of a zone that is none are refused", () => {
    expect(zoneOffsets("Europe/Berln", in2027)).toMatchObject({ ok: false, problem: { reason: "zone-unknown" } });
  });
});
