import { describe, expect, it } from "vitest";
import { checkConfig } from "./config.ts";
import { consentReadingOf, hopsOf } from "./hops.ts";
import { smallConfig } from "./small-config.fixture.ts";

const ehr = { name: "ehr", kind: "fhir", baseUrl: "http://127.0.0.1:1/fhir", finalAtEnd: true };
const config = (change: object = {}, destination: object = {}) =>
  checkConfig(
    smallConfig("d", { production: true, demoApproval: false, destinations: [{ ...ehr, ...destination }], ...change }),
    "a test",
  );

describe("what a configuration says of consent", () => {
  it("requires consent everywhere, for nothing in particular, unless told otherwise", () => {
    const [hop] = hopsOf(config());
    expect(hop).toMatchObject({ name: "ehr" });
    expect([hop?.legalBasis, hop?.purpose, hop?.organisation, hop?.jurisdiction]).toEqual(Array(4).fill(undefined));
    expect(consentReadingOf(config())).toEqual({});
  });

  it("tells the gates a hop's organisation, purpose and law", () => {
    const told = {
      organisation: [{ reference: "Organization/ghh" }, { system: "urn:oid:1.2", value: "7" }],
      action: "access",
      purpose: "TREAT",
      legalBasis: "unlessDenied",
      jurisdiction: "DE-BY",
    };
    expect(hopsOf(config({}, told))[0]).toMatchObject(told);
  });

  it("refuses a hop without consent where nobody says whose law permits it", () => {
    expect(() => config({}, { legalBasis: "unlessDenied" })).toThrow(/destinations\.0\.legalBasis.*jurisdiction/s);
    expect(() => config({}, { legalBasis: "unlessDenied", jurisdiction: "DE-BY" })).not.toThrow();
    expect(() => config({}, { legalBasis: "always", jurisdiction: "DE-BY" })).toThrow(/legalBasis/);
  });

  it("has defaults for a source of consents, and refuses a name that a key could not hold", () => {
    const { consentSource } = config({ consentSource: { name: "ehr", baseUrl: "https://ehr.example/fhir/" } });
    expect(consentSource).toEqual({
      name: "ehr",
      baseUrl: "https://ehr.example/fhir",
      pollMs: 1_000,
      timeoutMs: 10_000,
      freshForMs: 300_000,
      confirmEveryMs: 60_000,
      rereadEveryMs: 600_000,
    });
    expect(() => config({ consentSource: { name: "a/b", baseUrl: "https://ehr.example" } })).toThrow(/consentSource/);
  });

  it("narrows where dates are written, whichever way round, and how long consent is waited for", () => {
    const { consents } = config({ consents: { zoneMinutes: [120, 60], pendingHours: 6 } });
    expect(consentReadingOf({ consents })).toEqual({
      zones: { leastMinutes: 60, mostMinutes: 120 },
      pendingMs: 6 * 3_600_000,
    });
  });
});
