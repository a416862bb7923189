/** What consent alone keeps back waits for one, and no longer than a day; what a person has to look at becomes a task. */
import { describe, expect, it } from "vitest";
import { aCandidate, aConsent, anEpisode, aPatient, minutes, two } from "../../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, aFhirConsent, at, narrative, policyRule } from "../../schemas/fhir/consent.fixture.ts";
import type { Patient } from "../../schemas/records/roster.ts";
import { type Gates as Driver, over, policyOf, ward, withheld } from "../gates.fixture.ts";
import { anOverride } from "./consent-matrix/asking.fixture.ts";

const policy = policyOf({ organisation: [{ reference: "Organization/ghh" }], purpose: "TREAT" });
const hour = 60;

/** A ward without any consent, and one candidate at 14:06. */
const waiting = (patient: Patient = aPatient()) => {
  const { driver } = ward({ patient, consents: [], policy });
  driver.send("pk-7", two + minutes(6), aCandidate());
  return driver;
};
const reasons = (driver: Driver): string[] =>
  driver.outputs("decisions").map(({ body }) => {
    const answers = body.kind === "decision" ? body.answers : [];
    return answers.find(({ gate }) => gate === "consented")?.reason ?? "";
  });
const written = (driver: Driver): number => driver.outputs("outbox").length;

describe("an event that consent alone keeps back", () => {
  it("is written once a consent becomes known that covers it, and once only", () => {
    const driver = waiting();
    expect(reasons(driver)).toEqual(["consent-unknown"]);
    driver.send("pk-7", two + minutes(3 * hour), aConsent({ recordedAt: two + minutes(3 * hour) }));
    expect(reasons(driver)).toEqual(["consent-unknown", "passed"]);
    expect(written(driver)).toBe(1);
    driver.send("pk-7", two + minutes(4 * hour), aConsent({ version: 2, recordedAt: two + minutes(4 * hour) }));
    driver.tick(two + minutes(5 * hour));
    expect(written(driver)).toBe(1);
  });

  it("is not written by a consent that does not cover its time", () => {
    const driver = waiting();
    driver.send("pk-7", two + minutes(hour), aConsent({ from: two + minutes(30), recordedAt: two + minutes(30) }));
    expect(reasons(driver)).toEqual(["consent-unknown", "consent-not-at-event"]);
    driver.send("pk-7", two + minutes(2 * hour), aConsent({ version: 2 }));
    expect(reasons(driver).at(-1)).toBe("passed");
  });

  it("is given up after a day, with a last word, and no consent brings it back", () => {
    const driver = waiting();
    driver.tick(two + minutes(24 * hour + 5));
    expect(reasons(driver)).toEqual(["consent-unknown"]);
    driver.tick(two + minutes(24 * hour + 7));
    expect(reasons(driver)).toEqual(["consent-unknown", "consent-not-in-time"]);
    driver.send("pk-7", two + minutes(25 * hour), aConsent());
    expect(written(driver)).toBe(0);
  });

  it("is given up when the consent comes in the minute after its time, and written in the one before", () => {
    const late = waiting();
    late.send("pk-7", two + minutes(24 * hour + 7), aConsent());
    expect([written(late), reasons(late).at(-1)]).toEqual([0, "consent-not-in-time"]);
    const inTime = waiting();
    inTime.send("pk-7", two + minutes(24 * hour + 5), aConsent());
    expect([written(inTime), reasons(inTime).at(-1)]).toEqual([1, "passed"]);
  });

  it("waits no longer once it is denied", () => {
    const driver = waiting();
    driver.send("pk-7", two + minutes(hour), aConsent({ decision: "deny", recordedAt: two + minutes(hour) }));
    driver.send("pk-7", two + minutes(2 * hour), aConsent({ version: 2, recordedAt: two + minutes(2 * hour) }));
    expect(reasons(driver)).toEqual(["consent-unknown", "consent-denied"]);
    expect(written(driver)).toBe(0);
  });

  it("is written by an override, and only while that lasts", () => {
    const override = anOverride();
    const driver = waiting();
    driver.send("pk-7", two + minutes(2 * hour), override);
    expect([written(driver), reasons(driver).at(-1)]).toEqual([0, "override-expired"]);
    driver.send("pk-7", two + minutes(3 * hour), { ...override, version: 2, to: two + minutes(4 * hour) });
    expect([written(driver), reasons(driver).at(-1)]).toEqual([1, "passed"]);
  });

  it("is looked at when a period begins, though no record says so", () => {
    const driver = waiting();
    const json = aConsentJson({ provision: { period: { start: at(20) } } });
    driver.send("pk-7", two + minutes(8), aFhirConsent(json));
    expect(reasons(driver)).toEqual(["consent-unknown", "consent-not-now"]);
    driver.tick(two + minutes(19));
    expect(written(driver)).toBe(0);
    driver.tick(two + minutes(26));
    expect(written(driver)).toBe(1);
  });

  it("is kept in its newest form, and over a restart", () => {
    const driver = waiting();
    driver.send("pk-7", two + minutes(10), over());
    driver.restart();
    driver.send("pk-7", two + minutes(hour), aConsent());
    const [intent, ...more] = driver.outputs("outbox");
    expect(more).toEqual([]);
    expect(intent?.body).toMatchObject({ revision: 1 });
  });

  it("waits for nothing where another gate has refused it too", () => {
    const driver = waiting(aPatient({ active: false }));
    driver.send("pk-7", two + minutes(hour), aConsent());
    expect(reasons(driver)).toEqual(["consent-unknown"]);
    driver.tick(two + minutes(26 * hour));
    expect(reasons(driver)).toEqual(["consent-unknown"]);
  });

  it("makes room, the oldest first and with a last word, where too many wait", () => {
    const { driver } = ward({ consents: [], policy });
    for (let i = 0; i < 203; i++)
      driver.send(
        "pk-7",
        two + minutes(6) + i,
        aCandidate({ identity: String(i).padStart(32, "0"), start: (anEpisode().start + i) as never }),
      );
    const all = reasons(driver);
    expect(all.filter((reason) => reason === "consent-not-in-time")).toHaveLength(3);
    expect(all.filter((reason) => reason === "consent-unknown")).toHaveLength(203);
  });
});

describe("an event that passed here and was withheld at the moment of writing", () => {
  const passed = () => {
    const { driver } = ward({ policy });
    driver.send("pk-7", two + minutes(6), aCandidate());
    return driver;
  };
  const revisions = (driver: Driver): number[] =>
    driver.outputs("outbox").map(({ body }) => (body.kind === "intent" ? body.revision : -1));

  it("is offered again when a consent becomes known, in a revision of its own", () => {
    const driver = passed();
    driver.send("pk-7", two + minutes(7), withheld(0));
    expect(revisions(driver)).toEqual([0]);
    driver.send("pk-7", two + minutes(8), aConsent({ version: 2 }));
    expect(revisions(driver)).toEqual([0, 1]);
    driver.send("pk-7", two + minutes(9), aConsent({ version: 3 }));
    driver.tick(two + minutes(60));
    expect(revisions(driver)).toEqual([0, 1]);
  });

  it("is offered again after a while, though no record says why it might pass now", () => {
    const driver = passed();
    driver.send("pk-7", two + minutes(7), withheld(0));
    driver.tick(two + minutes(9));
    expect(revisions(driver)).toEqual([0]);
    driver.tick(two + minutes(10));
    expect(revisions(driver)).toEqual([0, 1]);
  });

  it("is offered again for a day and no longer, however often it is withheld", () => {
    const driver = passed();
    for (let hours = 1; hours < 30; hours++) {
      driver.send("pk-7", two + minutes(hours * hour), withheld(revisions(driver).at(-1) ?? 0));
      driver.tick(two + minutes(hours * hour + 5));
    }
    // at once, and after each of the hours 1 to 24
    expect(revisions(driver)).toHaveLength(25);
  });

  it("is not, where it was the form before that was withheld, or the patient has denied it meanwhile", () => {
    const later = passed();
    later.send("pk-7", two + minutes(7), over());
    later.send("pk-7", two + minutes(8), withheld(0));
    later.tick(two + minutes(30));
    expect(revisions(later)).toEqual([0, 1]);
    const denied = passed();
    denied.send("pk-7", two + minutes(7), withheld(0));
    denied.send("pk-7", two + minutes(8), aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(8) }));
    denied.tick(two + minutes(30));
    expect(revisions(denied)).toEqual([0]);
  });
});

describe("a FHIR Consent that a person has to look at", () => {
  const tasks = (resource: unknown, problem: string | null = null) => {
    return ward({ consents: [aFhirConsent(resource, { problem })], policy }).tasks();
  };

  it("becomes one task for medical records, for each of its versions, and names nobody", () => {
    const json = aConsentJson({ text: narrative("Jane Doe refuses.") });
    const found = ward({ consents: [aFhirConsent(json), aFhirConsent(json, { version: 2 })], policy }).tasks();
    expect(found).toMatchObject([
      { kind: "task", reason: "consent-review", audience: "records", revision: 1, about: ["ehr/c-1"] },
      { kind: "task", reason: "consent-review", audience: "records", revision: 2 },
    ]);
    expect(new Set(found.map(({ identity }) => identity))).toHaveProperty("size", 1);
    expect(JSON.stringify(found)).not.toMatch(/jane|doe/i);
  });

  it("is one that can't be read, one of a policy that nobody knows; not one that is clear, nor one that waits for its source", () => {
    expect(tasks("{")).toHaveLength(1);
    expect(tasks(aConsentJson({ policyRule: policyRule("NOPP") }))).toHaveLength(1);
    expect(tasks(aConsentJson())).toEqual([]);
    expect(tasks(aConsentJson({ policyRule: policyRule("OPTOUT") }))).toEqual([]);
    expect(tasks(aConsentJson({ policyRule: policyRule("NOPP"), status: "entered-in-error" }))).toEqual([]);
    expect(tasks(aConsentJson(), "consent-stale: not heard since 14:00")).toEqual([]);
  });
});
