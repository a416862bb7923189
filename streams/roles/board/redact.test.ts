import { describe, expect, it } from "vitest";
import { redact } from "./redact.ts";

describe("free text on its way to the page", () => {
  it.each([
    ["HTTP 201", "HTTP 201"],
    ["association a-7 is from 2026-11-21T12:00:00Z to now", "association a-7 is from 2026-11-21T12:00:00Z to now"],
    ["Resource Patient/p-0007 not found", "Resource Patient/… not found"],
    ["Encounter/e.1-2, Person/9", "Encounter/…, Person/…"],
    ["record 00123456 is unknown", "record … is unknown"],
  ])("%s", (text, safe) => {
    expect(redact(text)).toBe(safe);
  });

  it("loses what the caller knows to be secret, and is cut to a line", () => {
    expect(redact("pk-7 has no consent", ["pk-7", ""])).toBe("… has no consent");
    expect(redact("x".repeat(1_000))).toHaveLength(240);
  });
});
