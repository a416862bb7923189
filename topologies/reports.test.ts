/** Reports: NEWS2 and dialysis sessions, their refusals beside permitted twins, and what is taken back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aConsent, anAssociation, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import { aConsentJson, aFhirConsent, ofClass } from "../schemas/fhir/consent.fixture.ts";
import type { Decision, Observed } from "../schemas/records/clinical.ts";
import { approval, ill, policy, said, scores, session, type Ward, ward, well, words } from "./reports.fixture.ts";
import { reasonsOf } from "./gates.fixture.ts";

describe("a deterioration", () => {
  it("is scored each time that it changes and reported once, when it rises", () => {
    const patient = ward();
    patient.lives(0, well);
    patient.lives(1, well);
    for (let m = 2; m < 10; m++) patient.lives(m, ill);
    expect(patient.scored().map(({ total, previous }) => [total, previous])).toEqual([
      [0, null],
      [10, 0],
    ]);
    expect(patient.decided()).toMatchObject([{ promoted: true, metric: "news2", ruleId: "report-news2" }]);
    const [intent] = patient.intents();
    expect(patient.intents()).toHaveLength(1);
    expect(intent).toMatchObject({ resourceType: "DiagnosticReport", action: "write", patientKey: "pk-7" });
    const report = JSON.parse(intent?.resource ?? "{}");
    expect(report).toMatchObject({ status: "final", subject: { reference: "Patient/p-0007" } });
    expect(report.conclusion).toContain("NEWS2 10 (before it 0)");
    expect(intent?.beside.map((one) => JSON.parse(one).resourceType)).toEqual(["Observation", "Provenance"]);
    expect(intent?.audit).not.toBeNull();
  });

  it("that goes up and down across the limit is one; after half an hour of calm it is another", () => {
    const patient = ward();
    for (let m = 0; m < 20; m++) patient.lives(m, m % 2 === 0 ? ill : well);
    expect(patient.intents()).toHaveLength(1);
    for (let m = 20; m < 55; m++) patient.lives(m, well);
    patient.lives(55, ill);
    expect(patient.intents()).toHaveLength(2);
  });

  it("from medium to high risk is told once more", () => {
    const patient = ward();
    patient.lives(0, { ...well, respiratoryRate: 26, temperature: 39.2 });
    patient.lives(1, ill);
    expect(patient.intents()).toHaveLength(2);
  });

  it("of which a part is missing is recorded as partial and never written", () => {
    const patient = ward({ words: words.filter(({ what }) => what !== "oxygen") });
    patient.lives(0, ill);
    expect(patient.scored()).toMatchObject([{ total: null, atLeast: 10, missing: ["oxygen"] }]);
    expect(patient.decided()).toEqual([]);
    expect(patient.intents()).toEqual([]);
  });

  it("beyond the day's ceiling is refused", () => {
    const tight = { ...scores, news2: { ...scores.news2, ceilingPerDay: 1, calmMs: 60_000 } };
    const patient = ward({ policy: { ...policy, scores: tight } });
    for (let m = 0; m < 12; m++) patient.lives(m, m % 4 === 0 ? ill : well);
    expect(patient.intents()).toHaveLength(1);
    expect(reasonsOf(patient.decided()[1] as Decision)).toMatchObject({ approvedThreshold: "ceiling-folded" });
  });
});

describe("whatever order one minute's values and words come in", () => {
  const metrics = Object.keys(well) as (keyof typeof well)[];
  const any = fc.record({
    minutes: fc.array(fc.tuple(fc.boolean(), fc.shuffledSubarray(metrics, { minLength: metrics.length })), {
      minLength: 1,
      maxLength: 8,
    }),
    words: fc.shuffledSubarray(words, { minLength: words.length }),
  });

  it("the scores, the decisions and what is written are the same", () => {
    let written = 0;
    fc.assert(
      fc.property(any, ({ minutes: all, words: said }) => {
        const [inOrder, shuffled] = [ward(), ward({ words: said })];
        all.forEach(([isIll, order], m) => {
          const values = isIll ? ill : well;
          inOrder.lives(m, values);
          shuffled.lives(m, Object.fromEntries(order.map((metric) => [metric, values[metric]])) as typeof well);
        });
        expect(shuffled.scored()).toEqual(inOrder.scored());
        expect(shuffled.decided()).toEqual(inOrder.decided());
        expect(shuffled.intents()).toEqual(inOrder.intents());
        written += inOrder.intents().length;
      }),
      { numRuns: 40 },
    );
    expect(written).toBeGreaterThan(10);
  });
});

describe("each refusal of a report; the same, permitted, was written above", () => {
  const unapproved = { ...scores, news2: { ...scores.news2, approval: null } };
  const demo = { ...scores, news2: { ...scores.news2, approval: { ...approval, demo: true } } };
  const later = { ...scores, news2: { ...scores.news2, approval: { ...approval, at: two + minutes(60) } } };
  it.each<[string, Ward, keyof ReturnType<typeof reasonsOf>, string]>([
    ["nobody approved", { policy: { ...policy, scores: unapproved } }, "approvedThreshold", "report-unapproved"],
    ["a demo's approval", { policy: { ...policy, scores: demo } }, "approvedThreshold", "approval-demo"],
    ["approved later", { policy: { ...policy, scores: later } }, "approvedThreshold", "report-approved-later"],
    ["consent denied", { consents: [aConsent({ decision: "deny" })] }, "consented", "consent-denied"],
    ["no consent", { consents: [] }, "consented", "consent-unknown"],
    [
      "nobody confirmed the link",
      { link: { confirmedBy: null, confirmedAt: null } },
      "validatedPatient",
      "association-unconfirmed",
    ],
    ["a link in conflict", { link: { conflict: "two in the bed" } }, "validatedPatient", "association-in-conflict"],
  ])("%s", (_, of, gate, reason) => {
    const patient = ward(of);
    patient.lives(0, ill);
    expect(patient.intents()).toEqual([]);
    expect(reasonsOf(patient.decided()[0] as Decision)[gate]).toBe(reason);
    const permitted = ward();
    permitted.lives(0, ill);
    expect(permitted.intents()).toHaveLength(1);
  });

  it("a denial of the Observations that it brings along", () => {
    const except = (kind: string) =>
      aFhirConsent(aConsentJson({ provision: { provision: [{ type: "deny", class: [ofClass(kind)] }] } }));
    const toTreat = { ...policy, destinations: [{ name: "ehr", finalAtEnd: true, purpose: "TREAT" }] };
    const told = (kind: string) => {
      const patient = ward({ policy: toTreat, consents: [except(kind)] });
      patient.lives(0, ill);
      return patient;
    };
    expect(told("Observation").intents()).toEqual([]);
    expect(reasonsOf(told("Observation").decided()[0] as Decision)["consented"]).toBe("consent-denied");
    expect(told("Condition").intents()).toHaveLength(1);
  });
});

describe("a report that only consent kept back", () => {
  const consents = (patient: ReturnType<typeof ward>, at: number): void => patient.driver.send("pk-7", at, aConsent());

  it("is written when a consent becomes known within the day, once, and not after it", () => {
    const patient = ward({ consents: [] });
    patient.lives(0, ill);
    consents(patient, two + minutes(30));
    expect(patient.intents()).toHaveLength(1);
    expect(patient.decided().map((d) => [d.promoted, reasonsOf(d)["consented"]])).toEqual([
      [false, "consent-unknown"],
      [true, "passed"],
    ]);
    consents(patient, two + minutes(40));
    expect(patient.intents()).toHaveLength(1);

    const late = ward({ consents: [] });
    late.lives(0, ill);
    late.driver.tick(two + minutes(60 * 25));
    consents(late, two + minutes(60 * 25) + 1);
    expect(late.intents()).toEqual([]);
    expect(reasonsOf(late.decided().at(-1) as Decision)["consented"]).toBe("consent-not-in-time");
  });

  it("waits for nothing once consent is denied", () => {
    const patient = ward({ consents: [aConsent({ decision: "deny" })] });
    patient.lives(0, ill);
    consents(patient, two + minutes(30));
    expect(patient.intents()).toEqual([]);
  });
});

describe("a link that never held", () => {
  it("takes back what was made under it, and people are told", () => {
    const patient = ward();
    patient.lives(0, ill);
    patient.driver.send(
      "pk-7",
      two + minutes(30),
      anAssociation({ revision: 2, voided: true, cause: "wrong wristband" }),
    );
    expect(patient.intents().map(({ action, revision }) => [action, revision])).toEqual([
      ["write", 0],
      ["retract", 1],
    ]);
    expect(JSON.parse(patient.intents()[1]?.resource ?? "{}")).toMatchObject({ status: "entered-in-error" });
    expect(patient.tasks()).toMatchObject([
      { audience: "careTeam", reason: "association-corrected" },
      { audience: "privacy", reason: "possible-breach" },
    ]);
    // a revision that changes nothing about whose it is takes nothing back
    const other = ward();
    other.lives(0, ill);
    other.driver.send("pk-7", two + minutes(30), anAssociation({ revision: 2, to: two + minutes(30) }));
    expect(other.intents()).toHaveLength(1);
  });
});

describe("a dialysis session", () => {
  const over = two + minutes(275);

  it("is written without a Kt/V where the blood's urea is not known, and amended with one when it is", () => {
    const patient = ward();
    patient.driver.send("pk-7", over, session);
    expect(patient.intents()).toMatchObject([{ resourceType: "DiagnosticReport", revision: 0 }]);
    expect(JSON.parse(patient.intents()[0]?.resource ?? "{}").conclusion).toContain("Kt/V not known");
    patient.driver.send("pk-7", over + 1, said("ureaBefore", "25", two, "mmol/L"));
    patient.driver.send("pk-7", over + 2, said("ureaAfter", "7.5", two + minutes(245), "mmol/L"));
    expect(patient.intents()).toHaveLength(1);
    patient.driver.send("pk-7", over + 3, said("weightAfter", "72", two + minutes(250), "kg"));
    expect(patient.intents()).toHaveLength(2);
    const [, amended] = patient.intents();
    expect(amended).toMatchObject({ revision: 1 });
    const report = JSON.parse(amended?.resource ?? "{}");
    expect(report.status).toBe("amended");
    expect(report.conclusion).toContain("Daugirdas");
    const ktv = amended?.beside.map((one) => JSON.parse(one)).find(({ code }) => code?.coding?.[0]?.code === "70965-9");
    expect(ktv.valueQuantity).toMatchObject({ value: 1.44, code: "1" });
  });

  it("takes no laboratory value of another treatment, and none without its unit", () => {
    const patient = ward();
    patient.driver.send("pk-7", over, session);
    patient.driver.send("pk-7", over + 1, said("ureaBefore", "25", two - minutes(600), "mmol/L"));
    patient.driver.send("pk-7", over + 2, said("ureaAfter", "7.5", two + minutes(245)));
    patient.driver.send("pk-7", over + 3, said("weightAfter", "72", two + minutes(250), "kg"));
    expect(patient.intents()).toHaveLength(1);
  });

  it("is refused without a confirmed link that covers it, or without an approval", () => {
    const nobody = ward();
    nobody.driver.send("pk-7", over, { ...session, association: null });
    expect(reasonsOf(nobody.decided()[0] as Decision)).toMatchObject({ validatedPatient: "no-association" });
    const unapproved = ward({
      policy: { ...policy, scores: { ...scores, dialysis: { ...scores.dialysis, approval: null } } },
    });
    unapproved.driver.send("pk-7", over, session);
    expect(reasonsOf(unapproved.decided()[0] as Decision)).toMatchObject({ approvedThreshold: "report-unapproved" });
    expect([...nobody.intents(), ...unapproved.intents()]).toEqual([]);
  });
});

describe("what people say", () => {
  it("a minute ahead of the log is quarantined; a little ahead counts as now", () => {
    const patient = ward();
    patient.driver.send("pk-7", two + 1, said("oxygen", "oxygen", two + minutes(2)));
    expect(patient.driver.refusals()).toMatchObject([{ reason: "observed-ahead" }]);
    patient.driver.send("pk-7", two + 2, said("oxygen", "oxygen", two + 30_000));
    patient.lives(0, well);
    expect(patient.scored()[0]).toMatchObject({ total: 2 });
  });

  it.each<[string, Partial<Observed>, string]>([
    ["by nobody", { by: " " }, "observed-nobody"],
    ["in no word of its kind", { value: "some" }, "observed-value"],
    ["with a unit that it has not", { ucum: "mmol/L" }, "observed-unit"],
  ])("%s is quarantined", (_, change, reason) => {
    const patient = ward();
    patient.driver.send("pk-7", two, { ...said("oxygen", "oxygen"), ...change });
    expect(patient.driver.refusals()).toMatchObject([{ reason }]);
    patient.driver.send("pk-7", two, said("oxygen", "oxygen"));
    expect(patient.driver.refusals()).toHaveLength(1);
  });

  it("of another patient under this key is quarantined", () => {
    const patient = ward();
    patient.driver.send("pk-7", two, { ...said("oxygen", "oxygen"), patientKey: "pk-8" });
    expect(patient.driver.refusals()).toMatchObject([{ reason: "key-mismatch" }]);
  });
});
