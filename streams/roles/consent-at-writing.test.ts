/** Consent asked at the moment of writing, against what the gates had decided. */
import { describe, expect, it } from "vitest";
import { aConsent, anEpisode, aPatient, ended, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import {
  aConsentJson,
  aFhirConsent,
  at as time,
  ofClass,
  only,
  policyRule,
} from "../../schemas/fhir/consent.fixture.ts";
import { observationsOf } from "../../schemas/fhir/observation.ts";
import type { Intent } from "../../schemas/records/clinical.ts";
import type { Withheld } from "../../schemas/records/consent.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { anOverride } from "../../topologies/gates/consent-matrix/asking.fixture.ts";
import { anIntent } from "../io/outbox/outbox.fixture.ts";
import { type ConsentAtWriting, consentAtWriting } from "./consent-at-writing.ts";
import type { KnownConsents } from "./consent-table.ts";

const observation = {
  resourceType: "Observation",
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  effectiveDateTime: "2026-11-21T14:05:00.000Z",
};

const intentOf = (resource: object = observation, change: Partial<Intent> = {}): Intent =>
  anIntent({ resource: JSON.stringify(resource), ...change });

const override = anOverride({ to: two + minutes(30) });

const nothing: KnownConsents = { patient: aPatient(), consents: [], overrides: [], heard: new Map() };
const source = { name: "ehr", freshForMs: minutes(5) };

/** Asked at 14:10 unless told otherwise. */
const reason = async (
  known: Partial<KnownConsents>,
  intent = intentOf(),
  { at = 10, ...change }: Partial<ConsentAtWriting> & { readonly at?: number } = {},
): Promise<string> => {
  const ask = consentAtWriting({
    table: { of: async () => ({ ...nothing, ...known }) },
    now: () => two + minutes(at),
    hops: [{ name: "ehr", purpose: "TREAT" }],
    source,
    ...change,
  });
  return (await ask(intent)).reason;
};

describe("consent at the moment of writing", () => {
  it("is not asked of a retraction, which discloses nothing", async () => {
    const denied = { consents: [aConsent({ decision: "deny" })] };
    expect(await reason(denied)).toBe("consent-denied");
    expect(await reason(denied, intentOf(observation, { action: "retract" }))).toBe("passed");
  });

  it("is not answered for what can't be read, wherever it stands: nothing is written then", async () => {
    const permitted = { consents: [aConsent()] };
    expect(await reason(permitted, intentOf(observation, { beside: ["{}"] }))).toBe("passed");
    await expect(reason(permitted, anIntent({ resource: "{" }))).rejects.toThrow(SyntaxError);
    await expect(reason(permitted, intentOf(observation, { beside: ["{}", "{"] }))).rejects.toThrow(SyntaxError);
  });

  it("covers what is written by what it is and when it was: kind, code, time", async () => {
    const heard = new Map([["ehr", two + minutes(9)]]);
    const reports = {
      heard,
      consents: [
        aFhirConsent(only({ class: [{ system: "http://hl7.org/fhir/resource-types", code: "DiagnosticReport" }] })),
      ],
    };
    expect(await reason(reports)).toBe("consent-denied");
    expect(await reason(reports, intentOf({ ...observation, resourceType: "DiagnosticReport" }))).toBe("passed");
    const { effectiveDateTime: _, ...timeless } = observation;
    expect(await reason({ consents: [aConsent()] }, intentOf(timeless))).toBe("consent-not-at-event");
    const session = { ...timeless, effectivePeriod: { start: "2026-11-21T13:00:00Z", end: "2026-11-21T14:05:00Z" } };
    expect(await reason({ consents: [aConsent({ from: two - minutes(30) })] }, intentOf(session))).toBe(
      "consent-not-at-event",
    );
    expect(await reason({ consents: [aConsent({ from: two - minutes(60) })] }, intentOf(session))).toBe("passed");
  });

  it("counts what a source said until it was not heard for its time", async () => {
    const consents = [aFhirConsent(aConsentJson())];
    expect(await reason({ consents }, intentOf(), { at: 5 })).toBe("passed");
    expect(await reason({ consents }, intentOf(), { at: 6 })).toBe("consent-stale");
    expect(await reason({ consents, heard: new Map([["ehr", two + minutes(4)]]) }, intentOf(), { at: 6 })).toBe(
      "passed",
    );
    expect(await reason({ consents, heard: new Map([["other", two + minutes(4)]]) }, intentOf(), { at: 6 })).toBe(
      "consent-stale",
    );
  });

  it("counts nothing of a source that nobody reads any more, but its denials", async () => {
    const heard = new Map([["ehr", two + minutes(10)]]);
    const consents = [aFhirConsent(aConsentJson())];
    expect(await reason({ consents, heard })).toBe("passed");
    expect(await reason({ consents, heard }, intentOf(), { source: undefined })).toBe("consent-stale");
    const denied = [aFhirConsent(aConsentJson({ policyRule: policyRule("OPTOUT") }))];
    expect(await reason({ consents: denied, heard }, intentOf(), { source: undefined })).toBe("consent-denied");
  });

  it("says what may be written yet to the gates, and nothing of what was denied", async () => {
    const told: Withheld[] = [];
    const onWithheld = async (withheld: Withheld): Promise<void> => void told.push(withheld);
    const consents = [aFhirConsent(aConsentJson())];
    expect(await reason({ consents }, intentOf(), { at: 6, onWithheld })).toBe("consent-stale");
    expect(told).toMatchObject([{ kind: "withheld", destination: "ehr", revision: 0, reason: "consent-stale" }]);
    await reason({ consents }, intentOf(), { at: 5, onWithheld });
    await reason({ consents: [aConsent({ decision: "deny" })] }, intentOf(), { onWithheld });
    expect(told).toHaveLength(1);
  });

  it("leaves the roster's own consents alone when a source is silent", async () => {
    expect(await reason({ consents: [aConsent()] }, intentOf(), { at: 60 })).toBe("passed");
  });

  it("is overridden by a named person until that ends, and no longer", async () => {
    const overrides = [override];
    expect(await reason({ overrides })).toBe("passed");
    expect(await reason({ overrides }, intentOf(), { at: 31 })).toBe("override-expired");
    expect(await reason({ overrides }, intentOf(observation, { destination: "cohort" }))).toBe("consent-unknown");
  });

  it("knows only the name of a destination that is not configured: general consents do not reach it", async () => {
    const heard = new Map([["ehr", two + minutes(10)]]);
    const consents = [aFhirConsent(aConsentJson())];
    expect(await reason({ consents, heard }, intentOf(), { hops: [] })).toBe("consent-unknown");
    expect(await reason({ consents, heard })).toBe("passed");
  });

  /** Agreed to, with something taken out of it. */
  const except = (denied: object) => ({
    heard: new Map([["ehr", two + minutes(9)]]),
    consents: [aFhirConsent(aConsentJson({ provision: { provision: [{ type: "deny", ...denied }] } }))],
  });

  /** As the gates build it, of 14:05 to 14:09:30. */
  const told = (change: Partial<Episode> = {}): Intent => {
    const of = { revision: 1, status: "final", transform: "gates@2", note: null } as const;
    const { resource, beside } = observationsOf({ episode: ended(anEpisode(change)), patient: aPatient(), ...of });
    return intentOf(resource, { beside: beside.map((one) => JSON.stringify(one)) });
  };
  const cuff = {
    metric: "nibpSystolic",
    ucum: "mm[Hg]",
    companions: [{ metric: "nibpDiastolic", value: 61, validity: "valid" }],
  } as const;

  it.each<[string, Partial<Episode>, number]>([
    ["an episode", {}, 0],
    ["a cuff's, whose statistics stand beside the panel", cuff, 1],
  ])("asks for all the time that %s lasted, as the gates do", async (_, change, others) => {
    const intent = told(change);
    expect(intent.beside).toHaveLength(others);
    const from = (minute: number) => except({ dataPeriod: { start: time(minute) } });
    expect(await reason(from(6), intent)).toBe("consent-denied");
    expect(await reason(from(10), intent)).toBe("passed");
  });

  it("asks about each Observation that is written beside a report", async () => {
    const report = { ...observation, resourceType: "DiagnosticReport" };
    const beside = [JSON.stringify(observation), JSON.stringify({ resourceType: "Provenance" })];
    const intent = intentOf(report, { resourceType: "DiagnosticReport", beside });
    expect(await reason(except({ class: [ofClass("Observation")] }), intent)).toBe("consent-denied");
    expect(await reason(except({ class: [ofClass("Condition")] }), intent)).toBe("passed");
  });
});
