/** The fifth answer: whether a source is the one that the chart shows, at the beginning of its episode. */
import { describe, expect, it } from "vitest";
import { anAssociation, anEpisode, aRule, ended, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate, Decision, WindowValue } from "../schemas/records/clinical.ts";
import { type Association, undisputed } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { type MetricName, metricOf } from "../schemas/terminology.ts";
import { eventTime } from "../streams/core/time.ts";
import type { GatePolicy } from "./gates.ts";
import { answerOf, candidateOf, minuteValue, policyOf, ward } from "./gates.fixture.ts";
import { shippedPrecedence } from "./shipped.fixture.ts";

const policy: GatePolicy = { ...policyOf(), precedence: shippedPrecedence };

const pressure = { artSystolic: "art", nibpSystolic: "nibp" } as const;
type Pressure = keyof typeof pressure;
const start = two + minutes(30);

/** A low systolic pressure, from `at` on. */
const low = (metric: Pressure, at: number, change: Partial<Episode> = {}): Candidate => {
  const { mdc, loinc, ucum } = metricOf(metric satisfies MetricName);
  const rule = aRule({ id: `${metric}-low`, metric, ucum, when: "below", limit: 90, clear: 95, title: "Systolic low" });
  const episode = anEpisode({
    ...{ identity: `${metric}${at}`.padEnd(32, "0"), metric, mdc, loinc, ucum, rule, channel: pressure[metric] },
    ...{ start: eventTime(at), qualifyingAt: eventTime(at + 10_000), qualifyingValue: 82 },
    ...{ extreme: 80, min: 80, max: 88, mean: 84 },
    ...change,
  });
  return candidateOf(episode);
};

const minute = (metric: Pressure, at: number, mean: number): WindowValue => {
  const source = metric === "artSystolic" ? "arterialLine" : "cuff";
  return minuteValue({ metric, ucum: "mm[Hg]", channel: pressure[metric], source }, at, mean);
};

const bedside = (its: GatePolicy = policy) => {
  const { driver, decisions } = ward({ policy: its });
  const offer = (candidate: Candidate, at = candidate.episode.qualifyingAt + 1_000): Decision => {
    driver.send("pk-7", at, candidate);
    const last = decisions().at(-1);
    if (last === undefined) throw new Error("no decision");
    return last;
  };
  /** A line that has told a value each minute until `at`. */
  const lineUntil = (at: number, mean = 118): void => {
    for (let m = two; m + 60_000 <= at; m += 60_000) driver.send("pk-7", m + 62_000, minute("artSystolic", m, mean));
  };
  return { driver, offer, lineUntil };
};
const precedence = (decision: Decision) => answerOf(decision, "precedence");

describe("a cuff beside an arterial line", () => {
  it("is refused, with the line named; the line's own episode passes, and so does the cuff's without a line", () => {
    const beside = bedside();
    beside.lineUntil(start);
    const refused = beside.offer(low("nibpSystolic", start));
    expect(refused.promoted).toBe(false);
    expect(precedence(refused)).toMatchObject({ passed: false, reason: "source-not-preferred" });
    expect(precedence(refused)?.detail).toContain("artSystolic/mon-07/art");
    // all the others passed: it is precedence alone that refuses
    expect(refused.answers.filter(({ passed }) => !passed)).toHaveLength(1);
    expect(beside.offer(low("artSystolic", start + 60_000)).promoted).toBe(true);
    expect(bedside().offer(low("nibpSystolic", start)).promoted).toBe(true);
  });

  it("passes once the line has been stale for longer than the policy waits", () => {
    const { offer, lineUntil } = bedside();
    lineUntil(start);
    expect(precedence(offer(low("nibpSystolic", start + minutes(3))))).toMatchObject({ passed: false });
    expect(precedence(offer(low("nibpSystolic", start + minutes(5))))).toMatchObject({ passed: true });
  });

  it("an episode that began while the cuff was charted is told to its end, though a line is charted by then", () => {
    const { driver, offer, lineUntil } = bedside();
    const begun = low("nibpSystolic", two - minutes(1));
    expect(offer(begun, two + 1_000).promoted).toBe(true);
    lineUntil(start);
    expect(precedence(offer(low("nibpSystolic", start)))).toMatchObject({ reason: "source-not-preferred" });
    const over = { ...begun, episode: ended(begun.episode, { end: eventTime(start), extreme: 80, max: 88, mean: 84 }) };
    const told = offer(over, start + minutes(1));
    expect(told.promoted).toBe(true);
    expect(precedence(told)?.detail).toContain("when the episode began");
    expect(driver.outputs("outbox")).toHaveLength(2);
  });

  it("an episode that comes late is judged by what was charted at its own time", () => {
    const { driver, offer, lineUntil } = bedside();
    offer(low("nibpSystolic", two - minutes(9)), two - minutes(8));
    lineUntil(start);
    expect(driver.outputs("decisions").map(({ body }) => body.kind)).toContain("sourceChosen");
    const whileCuff = offer(low("nibpSystolic", two - minutes(3)), start + minutes(1));
    expect(precedence(whileCuff)).toMatchObject({ passed: true });
    expect(precedence(whileCuff)?.detail).toContain("at that time");
    expect(precedence(offer(low("nibpSystolic", two + minutes(15)), start + minutes(1)))).toMatchObject({
      passed: false,
    });
    // of before anything was known of sources nothing is refused
    expect(precedence(offer(low("nibpSystolic", two - minutes(60)), start + minutes(1)))).toMatchObject({
      passed: true,
    });
  });

  it("the change of what is charted is recorded once", () => {
    const { driver, offer, lineUntil } = bedside();
    offer(low("nibpSystolic", two - minutes(1)), two + 1_000);
    lineUntil(start);
    const chosen = driver.outputs("decisions").flatMap(({ body }) => (body.kind === "sourceChosen" ? [body] : []));
    expect(chosen).toMatchObject([
      {
        quantity: "systolicPressure",
        source: "artSystolic/mon-07/art",
        previous: "nibpSystolic/mon-07/nibp",
        reason: "preferred-steady",
      },
    ]);
  });

  it("values that contradict each other for ten minutes become one task for a person", () => {
    const { driver } = bedside();
    for (let m = two; m < two + minutes(40); m += 60_000) {
      driver.send("pk-7", m + 62_000, minute("artSystolic", m, 60));
      driver.send("pk-7", m + 62_000, minute("nibpSystolic", m, 120));
    }
    expect(driver.outputs("tasks").map(({ body }) => body)).toMatchObject([
      { kind: "task", reason: "values-irreconcilable", audience: "records", patientKey: "pk-7" },
    ]);
  });

  it.each<[string, Partial<Association>, boolean]>([
    ["whose link never held", { voided: true }, true],
    ["whose link is another patient's by now", { patientKey: "pk-8" }, true],
    ["whose link ends", { to: start + 3_600_000 }, false],
  ])("a line %s is charted no more, or as before", (_, change, passed) => {
    const { driver, offer, lineUntil } = bedside();
    lineUntil(start);
    driver.send("pk-7", start + 3_000, anAssociation({ revision: 2, ...change }));
    expect(driver.refusals()).toEqual([]);
    expect(precedence(offer(low("nibpSystolic", start)))).toMatchObject({ passed });
  });

  it("a line that nobody confirmed keeps no cuff off the chart", () => {
    const { offer } = bedside();
    const unconfirmed: Association = { ...anAssociation(), ...undisputed, confirmedBy: null, confirmedAt: null };
    offer({ ...low("artSystolic", start - minutes(2)), association: unconfirmed });
    expect(offer(low("nibpSystolic", start)).promoted).toBe(true);
  });

  it("without a policy the gate is not asked", () => {
    const { precedence: _, ...none } = policy;
    expect(precedence(bedside(none).offer(low("nibpSystolic", start)))).toBeUndefined();
  });

  it("is the same after a restart", () => {
    const straight = bedside();
    straight.lineUntil(start);
    const broken = bedside();
    broken.lineUntil(start);
    broken.driver.restart();
    expect(broken.offer(low("nibpSystolic", start))).toEqual(straight.offer(low("nibpSystolic", start)));
  });
});
