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
import type { Association, Candidate, Consent, Episode, Patient } from "../schemas/records.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { gates, type GatePolicy } from "./gates.ts";

const policy: GatePolicy = {
  destinations: [{ name: "ehr", finalAtEnd: true }],
  acceptDemoApprovals: false,
  clockUncertaintyMs: 2_000,
};

interface Ward {
  readonly patient?: Patient | null;
  readonly consents?: readonly Consent[];
  readonly candidate?: Candidate;
  readonly policy?: GatePolicy;
}

/** A ward that knows a patient and a consent, and one candidate at 14:05:11. */
const asked = (ward: Ward = {}) => {
  const driver = drive(gates(ward.policy ?? policy));
  const candidate = ward.candidate ?? aCandidate();
  const key = candidate.patientKey;
  if (ward.patient !== null) driver.send("pk-7", two, ward.patient ?? aPatient());
  for (const consent of ward.consents ?? [aConsent()]) driver.send("pk-7", two, consent);
  driver.send(key, two + minutes(5) + 11_000, candidate);
  const [decision] = driver.outputs("decisions");
  if (decision === undefined) throw new Error("no decision");
  return { driver, decision: decision.body, intents: driver.outputs("outbox").map((o) => o.body) };
};

type Answered = ReturnType<typeof asked>["decision"] & { readonly kind: "decision" };
const reasons = (decision: { kind: string }): Record<string, string> =>
  Object.fromEntries((decision as Answered).answers.map(({ gate, reason }) => [gate, reason]));

const allPassed = {
  approvedThreshold: "passed",
  wellFormed: "passed",
  validatedPatient: "passed",
  consented: "passed",
};

const link = (change: Partial<Association>, episode: Partial<Episode> = {}): Ward => ({
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
    expect(reasons(decision)).toEqual(allPassed);
    expect(intents).toMatchObject([
      { kind: "intent", destination: "ehr", resourceType: "Observation", patientKey: "pk-7" },
    ]);
    const [intent] = intents;
    const resource = JSON.parse(intent?.kind === "intent" ? intent.resource : "") as { id: string; status: string };
    expect(resource).toMatchObject({ status: "preliminary", subject: { reference: "Patient/p-0007" } });
    expect(intent).toMatchObject({ resourceId: resource.id });
  });
});

describe("each refusal, beside its permitted twin", () => {
  const cases: readonly [
    story: string,
    gate: keyof typeof allPassed,
    reason: string,
    refused: Ward,
    permitted: Ward,
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
        policy: { ...policy, acceptDemoApprovals: true },
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
      { consents: [aConsent({ to: start + 270_000 })], candidate: { ...aCandidate(), episode: ended(anEpisode()) } },
      { consents: [aConsent({ to: start + 270_001 })], candidate: { ...aCandidate(), episode: ended(anEpisode()) } },
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
    expect(reasons(no.decision)[gate]).toBe(reason);
    expect(no.intents).toEqual([]);
    const yes = asked(permitted);
    expect(reasons(yes.decision)).toEqual(allPassed);
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
    expect(reasons(decision)).toEqual({
      approvedThreshold: "rule-unapproved",
      wellFormed: "passed",
      validatedPatient: "association-unconfirmed",
      consented: "consent-unknown",
    });
  });

  it("leaves a decision about a device that belongs to nobody", () => {
    const { decision, intents } = asked({ candidate: aCandidate({ association: null }, null) });
    expect(decision).toMatchObject({ patientKey: "unassociated/mon-07", promoted: false });
    expect(reasons(decision)).toEqual({
      approvedThreshold: "population-unknown",
      wellFormed: "not-evaluated",
      validatedPatient: "no-association",
      consented: "consent-unknown",
    });
    expect(intents).toEqual([]);
  });

  it("believes the newest version of a patient, whatever order versions come in", () => {
    const driver = drive(gates(policy));
    driver.send("pk-7", two, aPatient({ version: 2, active: false }));
    driver.send("pk-7", two, aPatient({ version: 1 }));
    driver.send("pk-7", two, aConsent());
    driver.send("pk-7", two + minutes(6), aCandidate());
    expect(driver.outputs("decisions").map(({ body }) => reasons(body)["validatedPatient"])).toEqual([
      "patient-inactive",
    ]);
  });

  it("quarantines what stands under a key that is not its patient's", () => {
    const driver = drive(gates(policy));
    driver.send("pk-8", two, aConsent());
    expect(driver.refusals()).toMatchObject([{ reason: "key-mismatch" }]);
  });
});

describe("an episode's later revisions", () => {
  const written = (destination: GatePolicy["destinations"][number]): string[] => {
    const driver = drive(gates({ ...policy, destinations: [destination] }));
    driver.send("pk-7", two, aPatient());
    driver.send("pk-7", two, aConsent({ destination: destination.name }));
    const first = anEpisode();
    const second = ended(first);
    for (const episode of [first, second, { ...second, revision: 2, max: 141 }])
      driver.send("pk-7", two + minutes(10), { ...aCandidate(), episode });
    return driver.outputs("outbox").map(({ body }) => {
      if (body.kind !== "intent") throw new Error(body.kind);
      return `${body.revision} ${(JSON.parse(body.resource) as { status: string }).status}`;
    });
  };

  it("are written as final and then amended where the destination says that an end is final", () => {
    expect(written({ name: "ehr", finalAtEnd: true })).toEqual(["0 preliminary", "1 final", "2 amended"]);
  });

  it("stay preliminary where a person has to validate them first", () => {
    expect(written({ name: "ehr", finalAtEnd: false })).toEqual(["0 preliminary", "1 preliminary", "2 preliminary"]);
  });

  it("are refused once the patient has taken the consent back, and the earlier decision stands in the log", () => {
    const { driver } = asked();
    driver.send("pk-7", two + minutes(6), aConsent({ version: 2, decision: "deny", recordedAt: two + minutes(6) }));
    driver.send("pk-7", two + minutes(10), { ...aCandidate(), episode: ended(anEpisode()) });
    expect(driver.outputs("decisions").map(({ body }) => reasons(body)["consented"])).toEqual([
      "passed",
      "consent-denied",
    ]);
    expect(driver.outputs("outbox")).toHaveLength(1);
  });
});

describe("the ceiling (clinical.md 22)", () => {
  const episodeAt = (n: number, day = 0): Episode =>
    anEpisode({
      identity: `${day}${n}`.padStart(32, "0"),
      start: eventTime(start + minutes(n) + minutes(1440 * day)),
      qualifyingAt: eventTime(start + minutes(n) + minutes(1440 * day) + 10_000),
      rule: aRule({ ceilingPerDay: 2 }),
      qualifyingValue: 125 + n,
      min: 121,
      max: 130 + n,
    });
  const ward = () => {
    const driver = drive(gates(policy));
    driver.send("pk-7", two, aPatient());
    driver.send("pk-7", two, aConsent());
    return driver;
  };
  const play = (driver: ReturnType<typeof ward>, episode: Episode): void =>
    driver.send("pk-7", episode.qualifyingAt + 1000, { ...aCandidate(), episode });
  const written = (driver: ReturnType<typeof ward>) =>
    driver.outputs("outbox").map(({ body }) => {
      if (body.kind !== "intent") throw new Error(body.kind);
      const resource = JSON.parse(body.resource) as { note?: { text: string }[]; status: string };
      return { identity: body.identity, revision: body.revision, note: resource.note?.[0]?.text ?? null };
    });

  it("folds what goes beyond it into the day's last Observation, which says so once, and with the count when the day is over", () => {
    const driver = ward();
    for (const n of [0, 1, 2, 3, 4]) play(driver, episodeAt(n));
    expect(written(driver).map(({ identity, revision }) => [identity, revision])).toEqual([
      [episodeAt(0).identity, 0],
      [episodeAt(1).identity, 0],
      [episodeAt(1).identity, 1],
    ]);
    expect(written(driver)[2]?.note).toContain(
      "1 further episode so far since 2026-11-21T14:07:00.000Z (121 to 132 /min)",
    );
    driver.restart();
    driver.tick(two + minutes(24 * 60));
    expect(written(driver).at(-1)).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    expect(written(driver).at(-1)?.note).toContain(
      "3 further episodes so far since 2026-11-21T14:07:00.000Z (121 to 134 /min)",
    );
  });

  it("leaves a decision for each folded episode and counts it once, though it ends later", () => {
    const driver = ward();
    for (const n of [0, 1, 2]) play(driver, episodeAt(n));
    driver.send("pk-7", start + minutes(8), { ...aCandidate(), episode: ended(episodeAt(2)) });
    const folded = driver
      .outputs("decisions")
      .filter(({ body }) => reasons(body)["approvedThreshold"] === "ceiling-folded");
    expect(folded.map(({ body }) => body.kind === "decision" && [body.revision, body.promoted])).toEqual([
      [0, false],
      [1, false],
    ]);
    expect(written(driver)).toHaveLength(3);
    driver.tick(two + minutes(24 * 60));
    expect(written(driver)).toHaveLength(3);
  });

  it("lets the last one's own end go above the amendment, with the note kept", () => {
    const driver = ward();
    for (const n of [0, 1, 2]) play(driver, episodeAt(n));
    driver.send("pk-7", start + minutes(8), { ...aCandidate(), episode: ended(episodeAt(1)) });
    expect(written(driver).at(-1)).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    expect(written(driver).at(-1)?.note).toContain("1 further episode");
  });

  it("folds into the last one as it stands at its end, which is an amendment of what was final", () => {
    const driver = ward();
    for (const n of [0, 1]) play(driver, episodeAt(n));
    driver.send("pk-7", start + minutes(8), { ...aCandidate(), episode: ended(episodeAt(1)) });
    play(driver, episodeAt(2));
    const last = driver.outputs("outbox").at(-1)?.body;
    expect(last).toMatchObject({ identity: episodeAt(1).identity, revision: 2 });
    const resource = JSON.parse(last?.kind === "intent" ? last.resource : "{}") as {
      status: string;
      component: object[];
    };
    expect(resource.status).toBe("amended");
    expect(resource.component[1]).toMatchObject({ valueQuantity: { value: 139 } });
  });

  it("begins anew each day and for each rule, and does not count what was refused", () => {
    const driver = ward();
    for (const n of [0, 1]) play(driver, { ...episodeAt(n), qualifyingValidity: "indeterminate" });
    for (const n of [2, 3]) play(driver, episodeAt(n));
    play(driver, { ...episodeAt(4), rule: aRule({ id: "hr-very-high", ceilingPerDay: 2 }) });
    play(driver, episodeAt(5, 1));
    expect(written(driver).map(({ identity }) => identity)).toEqual(
      [episodeAt(2), episodeAt(3), episodeAt(4), episodeAt(5, 1)].map(({ identity }) => identity),
    );
  });

  it("forgets a day after a week, and keeps only who the patient is and what he consents to", () => {
    const driver = ward();
    for (const n of [0, 1, 2, 3]) play(driver, episodeAt(n));
    for (const n of [0, 1, 2, 3])
      driver.send("pk-7", start + minutes(20), { ...aCandidate(), episode: ended(episodeAt(n)) });
    for (const day of [1, 9]) driver.tick(two + minutes(1440 * day));
    const cells = [...driver.stored().keys()].filter((key) => key.startsWith("c\u0000pk-7"));
    expect(cells.map((cell) => cell.split("\u0000")[2])).toEqual(["patient", "consent/consent-7"]);
  });
});
