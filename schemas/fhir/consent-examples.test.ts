/**
 * HL7's own examples of Consent (R4), answered by hand from their narratives. Where the structure says otherwise than the narrative the
 * answer is to refuse and let a person look (clinical.md 19).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directiveOf } from "./consent-directive.ts";
import { judgeConsents, type Standing } from "./consent-judge.ts";
import { type Hop, normalConfidentiality } from "./consent-question.ts";
import { anyZone } from "./moment.ts";

const folder = join(process.env["RECORDINGS"] ?? "../shared/data", "fhir_r4");
const there = existsSync(folder);
if (!there) console.error("skipped: no recorded FHIR examples (RECORDINGS)");

const day = (iso: string): number => Date.parse(`${iso}T12:00:00Z`);

/** Good Health Psychiatric Hospital, which all of them speak of. */
const hospital: Hop = { name: "ghh", organisation: [{ reference: "Organization/f001" }], purpose: "TREAT" };
const emergency: Hop = { ...hospital, purpose: "ETREAT" };
const elsewhere: Hop = { name: "other", organisation: [{ reference: "Organization/f002" }], purpose: "TREAT" };

interface Asked {
  readonly hop: Hop;
  /** When the data arose, and when it is to be written. */
  readonly event: string;
  readonly now: string;
  readonly resourceType?: string;
  readonly action?: "access";
}

const textOf = (name: string): string => readFileSync(join(folder, `Consent-consent-example-${name}.json`), "utf8");

const answerTo = (text: string, { hop, event, now, resourceType = "Observation", action }: Asked): Standing =>
  judgeConsents([directiveOf(text, { named: "it", readAt: day("2026-11-21"), stale: false, zones: anyZone })], {
    hop: { ...hop, ...(action !== undefined && { action }) },
    resourceType,
    codes: [{ system: "http://loinc.org", code: "8867-4" }],
    labels: [normalConfidentiality],
    eventTimes: [day(event)],
    now: day(now),
  }).standing;

const today = { event: "2026-11-20", now: "2026-11-21" };
const then = { event: "2015-12-01", now: "2015-12-01" };

describe.skipIf(!there)("HL7's examples of Consent, answered from their narratives", () => {
  const cases: readonly [name: string, why: string, asked: Asked, answer: Standing][] = [
    // "wishes to have all of the PHI collected at the Good Health Psychiatric Hospital available for normal treatment use":
    // a permit, whose period was over in January 2016, months before it was signed: it never permits
    ["basic", "treatment today, ten years after its period", { hop: hospital, ...today }, "consent-not-now"],
    [
      "basic",
      "within its period, before anybody had signed it",
      { hop: hospital, event: "2015-06-01", now: "2015-06-01" },
      "consent-unknown",
    ],
    [
      "basic",
      "the day after it was signed",
      { hop: hospital, event: "2015-06-01", now: "2016-05-12" },
      "consent-not-now",
    ],
    // "wishes to have no data at the Good Health Psychiatric Hospital available for normal treatment use"
    ["Out", "treatment at the hospital", { hop: hospital, ...then }, "consent-denied"],
    ["Out", "treatment elsewhere: nothing permits it", { hop: elsewhere, ...then }, "consent-denied"],
    // "An overall Deny, with an exception Permit of purposeOfUse ETREAT at Good Health": the structure denies Good Health everything
    ["Emergency", "treatment at the hospital", { hop: hospital, ...then }, "consent-denied"],
    [
      "Emergency",
      "emergency treatment there, which the narrative permits and the structure denies",
      { hop: emergency, ...then },
      "consent-denied",
    ],
    [
      "Emergency",
      "elsewhere: the words permit something that no rule does",
      { hop: elsewhere, ...then },
      "consent-review",
    ],
    // "withdraw/withhold consent to disclose any instance of her health information to her ex-spouse", a nurse: the structure is an opt-in
    // whose root names the nurse, and read naively permits him alone
    ["notThem", "the hospital where the nurse works", { hop: hospital, ...then }, "consent-review"],
    ["notThem", "elsewhere", { hop: elsewhere, ...then }, "consent-review"],
    [
      "notThem",
      "the nurse himself",
      {
        hop: { name: "nurse", organisation: [{ reference: "Practitioner/f204" }], purpose: "TREAT" },
        action: "access",
        ...then,
      },
      "consent-review",
    ],
    // "wishes to withhold disclosure of all data from a timeframe": the structure is an opt-in that holds in that timeframe
    ["notTime", "data of the timeframe", { hop: hospital, event: "2015-01-10", now: "2015-12-01" }, "consent-review"],
    [
      "notTime",
      "data of another time: the narrative withholds it not, and nothing permits it",
      { hop: hospital, event: "2015-06-01", now: "2015-12-01" },
      "consent-review",
    ],
    // opt-in for half an hour, in which MedicationRequests may be had
    [
      "smartonfhir",
      "an Observation within the half hour",
      { hop: hospital, event: "2016-06-23", now: "2016-06-23" },
      "consent-unknown",
    ],
    [
      "smartonfhir",
      "a MedicationRequest, asked for access, hours later",
      { hop: hospital, resourceType: "MedicationRequest", action: "access", event: "2016-06-23", now: "2016-06-23" },
      "consent-not-now",
    ],
  ];

  it.each(cases)("%s: %s", (name, _why, asked, answer) => {
    expect(answerTo(textOf(name), asked)).toBe(answer);
  });

  it("are not refused for being theirs: each has a permitted twin", () => {
    const twin = (name: string, change: (json: Record<string, unknown>) => void): string => {
      const json = JSON.parse(textOf(name)) as Record<string, unknown>;
      change(json);
      return JSON.stringify(json);
    };
    const longer = twin("basic", (json) => {
      json["provision"] = { period: { start: "1964-01-01", end: "2030-01-01" } };
    });
    expect(answerTo(longer, { hop: hospital, ...today })).toBe("permit");
    expect(answerTo(longer, { hop: { ...hospital, purpose: "HRESCH" }, ...today })).toBe("consent-unknown");
    const optedIn = twin("notTime", (json) => {
      json["provision"] = undefined;
      json["text"] = { status: "generated", div: "<div>The patient authorizes disclosure.</div>" };
    });
    expect(answerTo(optedIn, { hop: hospital, ...then })).toBe("permit");
    const excepted = twin("Emergency", (json) => {
      json["provision"] = {
        provision: [
          {
            type: "permit",
            purpose: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "ETREAT" }],
          },
        ],
      };
    });
    expect(answerTo(excepted, { hop: emergency, ...then })).toBe("permit");
    expect(answerTo(excepted, { hop: hospital, ...then })).toBe("consent-denied");
    const inTime = twin("smartonfhir", (json) => {
      (json["provision"] as { period: object }).period = { start: "2016-06-23T17:02:33+10:00", end: "2016-06-24" };
    });
    const asked = { hop: hospital, event: "2016-06-23", now: "2016-06-23", action: "access" } as const;
    expect(answerTo(inTime, { ...asked, resourceType: "MedicationRequest" })).toBe("permit");
    expect(answerTo(inTime, asked)).toBe("consent-unknown");
  });
});
