/** What each gate refuses, beside its permitted twin, and what becomes of an episode's later revisions. */
import { describe, expect, it } from "vitest";
import {
  aCandidate,
  aConsent,
  anAssociation,
  anEpisode,
  aPatient,
  aRule,
  ended,
  minutes,
  two,
} from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate } from "../schemas/records/clinical.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import type { GatePolicy } from "./gates.ts";
import { answerOf, candidateOf, over, policyOf, reasonsOf, resourceOf, type Ward, ward } from "./gates.fixture.ts";

interface Asked extends Ward {
  readonly candidate?: Candidate;
}

/** What is decided and written of one candidate at 14:05:11. */
const asked = ({ candidate = aCandidate(), ...of }: Asked = {}) => {
  const { hears, decisions, intents } = ward(of);
  hears(candidate);
  const [decision] = decisions();
  if (decision === undefined) throw new Error("no decision");
  return { decision, intents: intents() };
};

const allPassed = {
  approvedThreshold: "passed",
  wellFormed: "passed",
  validatedPatient: "passed",
  consented: "passed",
};

const link = (change: Partial<Association>, episode: Partial<Episode> = {}): Asked => ({
  candidate: aCandidate(episode, anAssociation(change)),
});
const start = two + minutes(5);
const spo2 = { metric: "spo2", ucum: "%", mdc: 150456, loinc: "59408-5" } as const;

describe("what every gate passes", () => {
  it("becomes one decision that names all four answers, and one intent with the resource", () => {
    const { decision, intents } = asked();
    expect(decision).toMatchObject({
      kind: "decision",
      promoted: true,
      destination: "ehr",
      ruleId: "hr-high",
      revision: 0,
    });
    expect(reasonsOf(decision)).toEqual(allPassed);
    expect(intents).toMatchObject([
      { kind: "intent", destination: "ehr", resourceType: "Observation", patientKey: "pk-7" },
    ]);
    const [intent] = intents;
    const resource = resourceOf(intent);
    expect(resource).toMatchObject({ status: "preliminary", subject: { reference: "Patient/p-0007" } });
    expect(intent).toMatchObject({ resourceId: resource?.id });
  });
});

describe("each refusal, beside its permitted twin", () => {
  const cases: readonly [
    story: string,
    gate: keyof typeof allPassed,
    reason: string,
    refused: Asked,
    permitted: Asked,
  ][] = [
    [
      "a rule that nobody approved",
      "approvedThreshold",
      "rule-unapproved",
      { candidate: aCandidate({ rule: aRule({ approval: null }) }) },
      { candidate: aCandidate({ rule: aRule() }) },
    ],
    [
      "an approval by nobody in particular",
      "approvedThreshold",
      "rule-unapproved",
      { candidate: aCandidate({ rule: aRule({ approval: { by: " ", at: two, demo: false } }) }) },
      { candidate: aCandidate({ rule: aRule({ approval: { by: "Dr. B", at: two, demo: false } }) }) },
    ],
    [
      "a rule approved after the episode had begun",
      "approvedThreshold",
      "rule-approved-later",
      { candidate: aCandidate({ rule: aRule({ approval: { by: "Dr. B", at: start + 1, demo: false } }) }) },
      { candidate: aCandidate({ rule: aRule({ approval: { by: "Dr. B", at: start, demo: false } }) }) },
    ],
    [
      "a demo's approval outside a demo",
      "approvedThreshold",
      "approval-demo",
      { candidate: aCandidate({ rule: aRule({ approval: { by: "Demo", at: two, demo: true } }) }) },
      {
        candidate: aCandidate({ rule: aRule({ approval: { by: "Demo", at: two, demo: true } }) }),
        policy: { ...policyOf(), acceptDemoApprovals: true },
      },
    ],
    [
      "a plain limit",
      "approvedThreshold",
      "rule-plain",
      { candidate: aCandidate({ rule: aRule({ plain: true }) }) },
      { candidate: aCandidate({ rule: aRule({ plain: false }) }) },
    ],
    ["an unknown age", "approvedThreshold", "age-unknown", link({ ageBand: null }), link({ ageBand: "adult" })],
    ["a child under an adults' rule", "approvedThreshold", "population-age", link({ ageBand: "child" }), link({})],
    [
      "a bed in another unit",
      "approvedThreshold",
      "population-unit",
      { candidate: aCandidate({ rule: aRule({ units: ["icu-2"] }) }) },
      { candidate: aCandidate({ rule: aRule({ units: [] }) }) },
    ],
    ...(["invalid", "sensorOff", "indeterminate", "test", "demo", "empty"] as const).map(
      (qualifyingValidity): (typeof cases)[number] => [
        `a qualifying sample that is ${qualifyingValidity}`,
        "approvedThreshold",
        `validity-${qualifyingValidity}`,
        { candidate: aCandidate({ qualifyingValidity }) },
        { candidate: aCandidate({ qualifyingValidity: "questionable" }) },
      ],
    ),
    [
      "a value that does not cross",
      "approvedThreshold",
      "not-crossed",
      { candidate: aCandidate({ rule: aRule({ limit: 128 }) }) },
      { candidate: aCandidate({ rule: aRule({ limit: 127.9 }) }) },
    ],
    [
      "an episode of another metric than its rule's",
      "approvedThreshold",
      "rule-metric-mismatch",
      { candidate: aCandidate({ rule: aRule({ metric: "pulseRate" }) }) },
      { candidate: aCandidate({ rule: aRule({ metric: "heartRate" }) }) },
    ],
    [
      "a wrong unit",
      "wellFormed",
      "unit-mismatch",
      { candidate: aCandidate({ ...spo2, ucum: "/min", rule: aRule({ metric: "spo2", ucum: "/min" }) }) },
      { candidate: aCandidate({ ...spo2, rule: aRule({ metric: "spo2", ucum: "%" }) }) },
    ],
    [
      "a wrong code",
      "wellFormed",
      "code-mismatch",
      { candidate: aCandidate({ loinc: "9279-1" }) },
      { candidate: aCandidate({ loinc: "8867-4" }) },
    ],
    [
      "statistics that contradict the value",
      "wellFormed",
      "contradiction",
      { candidate: aCandidate({ max: 127 }) },
      { candidate: aCandidate({ max: 128 }) },
    ],
    [
      "a patient whose FHIR id is none",
      "wellFormed",
      "shape",
      { patient: aPatient({ fhirId: "p 7" }) },
      { patient: aPatient({ fhirId: "p-7" }) },
    ],
    [
      "an association that nobody confirmed",
      "validatedPatient",
      "association-unconfirmed",
      link({ confirmedBy: null, confirmedAt: null }),
      link({ confirmedBy: "Nurse P. Lind", confirmedAt: two }),
    ],
    [
      "one confirmed only after the episode had begun",
      "validatedPatient",
      "association-confirmed-later",
      link({ confirmedAt: start + 1 }),
      link({ confirmedAt: start }),
    ],
    [
      "one that ended before",
      "validatedPatient",
      "association-not-in-force",
      link({ to: start }),
      link({ to: start + minutes(60) }),
    ],
    [
      "one that began after",
      "validatedPatient",
      "association-not-in-force",
      link({ from: start + 1, confirmedAt: two }),
      link({ from: start - 2_000, confirmedAt: two }),
    ],
    [
      "a start within the clock's uncertainty of the link's",
      "validatedPatient",
      "time-ambiguous",
      link({ from: start - 1_999, confirmedAt: two }),
      link({ from: start - 2_000, confirmedAt: two }),
    ],
    [
      "a sample within the clock's uncertainty of the link's end",
      "validatedPatient",
      "time-ambiguous",
      link({ to: start + 12_000 }),
      link({ to: start + 12_001 }),
    ],
    [
      "a start within the uncertainty of a worse clock of the link's",
      "validatedPatient",
      "time-ambiguous",
      link({ from: start - 59_999, confirmedAt: two }, { clockUncertaintyMs: 60_000 }),
      link({ from: start - 60_000, confirmedAt: two }, { clockUncertaintyMs: 60_000 }),
    ],
    [
      "a link of another device",
      "validatedPatient",
      "association-mismatch",
      link({ device: "mon-08" }),
      link({ device: "mon-07" }),
    ],
    [
      "a link of another subject",
      "validatedPatient",
      "association-mismatch",
      link({ subject: "subject-6" }),
      link({ subject: "subject-7" }),
    ],
    [
      "a link of another patient",
      "validatedPatient",
      "association-mismatch",
      { candidate: { ...aCandidate({}, anAssociation({ patientKey: "pk-8" })), patientKey: "pk-7" } },
      { candidate: { ...aCandidate({}, anAssociation({ patientKey: "pk-7" })), patientKey: "pk-7" } },
    ],
    [
      "an episode that was measured under another link",
      "validatedPatient",
      "association-mismatch",
      link({}, { association: "link-6" }),
      link({}, { association: "link-7" }),
    ],
    [
      "an episode that reaches beyond the link",
      "validatedPatient",
      "association-not-in-force",
      { candidate: { ...aCandidate({}, anAssociation({ to: start + 270_000 })), episode: ended(anEpisode()) } },
      { candidate: { ...aCandidate({}, anAssociation({ to: start + 270_001 })), episode: ended(anEpisode()) } },
    ],
    ["a patient whom nobody knows", "validatedPatient", "patient-unknown", { patient: null }, { patient: aPatient() }],
    [
      "a patient who is no longer active",
      "validatedPatient",
      "patient-inactive",
      { patient: aPatient({ active: false }) },
      { patient: aPatient({ active: true }) },
    ],
    ["no consent at all", "consented", "consent-unknown", { consents: [] }, { consents: [aConsent()] }],
    [
      "a consent for somebody else",
      "consented",
      "consent-unknown",
      { consents: [aConsent({ destination: "research" })] },
      { consents: [aConsent({ destination: "ehr" })] },
    ],
    [
      "a denial newer than the permit",
      "consented",
      "consent-denied",
      { consents: [aConsent(), aConsent({ id: "c-2", decision: "deny", recordedAt: two })] },
      { consents: [aConsent({ recordedAt: two }), aConsent({ id: "c-2", decision: "deny", recordedAt: two - 1 })] },
    ],
    [
      "a consent withdrawn by its own next version",
      "consented",
      "consent-denied",
      { consents: [aConsent({ version: 2, decision: "deny" }), aConsent({ version: 1 })] },
      { consents: [aConsent({ version: 1, decision: "deny" }), aConsent({ version: 2 })] },
    ],
    [
      "a permit that is dated in the future, over a denial",
      "consented",
      "consent-denied",
      { consents: [aConsent({ decision: "deny" }), aConsent({ id: "c-2", recordedAt: two + minutes(60) })] },
      { consents: [aConsent({ decision: "deny" }), aConsent({ id: "c-2", recordedAt: two })] },
    ],
    [
      "a permit and a denial recorded at once",
      "consented",
      "consent-denied",
      { consents: [aConsent({ id: "c-1" }), aConsent({ id: "c-2", decision: "deny" })] },
      { consents: [aConsent({ id: "c-1", recordedAt: two }), aConsent({ id: "c-2", decision: "deny" })] },
    ],
    [
      "an episode that outlasted the consent",
      "consented",
      "consent-not-at-event",
      { consents: [aConsent({ to: start + 270_000 })], candidate: over() },
      { consents: [aConsent({ to: start + 270_001 })], candidate: over() },
    ],
    [
      "data from before the consent",
      "consented",
      "consent-not-at-event",
      { consents: [aConsent({ from: start + 1 })] },
      { consents: [aConsent({ from: start })] },
    ],
    [
      "a consent that has run out meanwhile",
      "consented",
      "consent-not-now",
      { consents: [aConsent({ to: start + 11_000 })] },
      { consents: [aConsent({ to: start + 11_001 })] },
    ],
  ];

  it.each(cases)("%s: %s refuses as %s", (_, gate, reason, refused, permitted) => {
    const no = asked(refused);
    expect(no.decision).toMatchObject({ promoted: false });
    expect(reasonsOf(no.decision)[gate]).toBe(reason);
    expect(no.intents).toEqual([]);
    const yes = asked(permitted);
    expect(reasonsOf(yes.decision)).toEqual(allPassed);
    expect(yes.intents).toHaveLength(1);
  });

  it("names every gate's answer, though the first has refused already", () => {
    const { decision } = asked({
      candidate: aCandidate(
        { rule: aRule({ approval: null }) },
        anAssociation({ confirmedBy: null, confirmedAt: null }),
      ),
      consents: [],
    });
    expect(reasonsOf(decision)).toEqual({
      approvedThreshold: "rule-unapproved",
      wellFormed: "passed",
      validatedPatient: "association-unconfirmed",
      consented: "consent-unknown",
    });
  });

  it("leaves a decision about a device that belongs to nobody", () => {
    const { decision, intents } = asked({ candidate: aCandidate({ association: null }, null) });
    expect(decision).toMatchObject({ patientKey: "unassociated/mon-07", promoted: false });
    expect(reasonsOf(decision)).toEqual({
      approvedThreshold: "population-unknown",
      wellFormed: "not-evaluated",
      validatedPatient: "no-association",
      consented: "consent-unknown",
    });
    expect(intents).toEqual([]);
  });

  it("believes the newest version of a patient, whatever order versions come in", () => {
    const { hears, decisions } = ward({ patient: aPatient({ version: 2, active: false }) });
    hears(aPatient({ version: 1 }));
    hears(aCandidate());
    expect(decisions().map((decision) => answerOf(decision, "validatedPatient")?.reason)).toEqual(["patient-inactive"]);
  });

  it("quarantines what stands under a key that is not its patient's", () => {
    const { driver } = ward();
    driver.send("pk-8", two, aConsent());
    expect(driver.refusals()).toMatchObject([{ reason: "key-mismatch" }]);
  });
});

describe("an episode's later revisions", () => {
  const written = (destination: GatePolicy["destinations"][number]): string[] => {
    const { hears, intents } = ward({ policy: { ...policyOf(), destinations: [destination] } });
    const first = anEpisode();
    const second = ended(first);
    for (const episode of [first, second, { ...second, revision: 2, max: 141 }])
      hears(candidateOf(episode), minutes(5));
    return intents().map((intent) => `${intent.revision} ${resourceOf(intent)?.status}`);
  };

  it("are written as final and then amended where the destination says that an end is final", () => {
    expect(written({ name: "ehr", finalAtEnd: true })).toEqual(["0 preliminary", "1 final", "2 amended"]);
  });

  it("stay preliminary where a person has to validate them first", () => {
    expect(written({ name: "ehr", finalAtEnd: false })).toEqual(["0 preliminary", "1 preliminary", "2 preliminary"]);
  });

  it("are refused once the patient has taken the consent back, and the earlier decision stands in the log", () => {
    const { hears, decisions, intents } = ward();
    hears(aCandidate());
    hears(aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(6) }), minutes(1));
    hears(over(), minutes(4));
    expect(decisions().map((decision) => answerOf(decision, "consented")?.reason)).toEqual([
      "passed",
      "consent-denied",
    ]);
    expect(intents()).toHaveLength(1);
  });
});
