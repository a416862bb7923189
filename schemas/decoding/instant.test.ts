import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInstant } from "./instant.ts";

describe("a device's date-time", () => {
  it("is what a calendar says, at any offset from UTC", () => {
    return fc.assert(
      fc.property(
        fc.date({ min: new Date("1900-01-01"), max: new Date("2999-12-31"), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, minutes) => {
          const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
          const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
            String(n).padStart(2, "0"),
          );
          const text = `${local}${minutes < 0 ? "-" : "+"}${h}:${m}`;
          expect(parseInstant(text, "time")).toEqual({ ok: true, value: date.getTime() });
        },
      ),
    );
  });

  it.each([
    ["2024-02-29T12:00:00Z", Date.UTC(2024, 1, 29, 12)],
    ["2026-11-21 05:05:17.5+01:00", Date.UTC(2026, 10, 21, 4, 5, 17, 500)],
    ["2026-11-21T05:05:17.123456789-0530", Date.UTC(2026, 10, 21, 10, 35, 17, 123)],
  ])("%s", (text, ms) => {
    expect(parseInstant(text, "time")).toEqual({ ok: true, value: ms });
  });

  it.each([
    "2026-11-21T05:05:17",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T05:60:00Z",
    "2026-11-21T05:05:61Z",
    "2026-11-21T05:05:17+25:00",
    "21/11/2026 05:05",
    "",
  ])("%j is none", (text) => {
    expect(parseInstant(text, "time")).toMatchObject({
      ok: false,
      problem: { reason: "bad-time", detail: expect.stringMatching(/^time: /) },
    });
  });
});
