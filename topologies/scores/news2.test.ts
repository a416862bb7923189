/** NEWS2 by the College's chart, and what is said where a part of it is missing. */
import { describe, expect, it } from "vitest";
import type { Observed } from "../../schemas/records/clinical.ts";
import { shippedPrecedence, shippedScores, shippedText } from "../shipped.fixture.ts";
import {
  consciousnessPoints,
  leastSpo2Points,
  oxygenPoints,
  pulsePoints,
  respiratoryRatePoints,
  spo2Points,
  systolicPressurePoints,
  temperaturePoints,
} from "./news2.ts";
import { type News2Of, news2InWords, news2Of } from "./news2-of.ts";
import { parseScores } from "./policy.ts";

/** Written from the College's chart, value by value on either side of every edge. */
describe("the chart's bands", () => {
  it.each([
    [0, 3],
    [8, 3],
    [9, 1],
    [11, 1],
    [12, 0],
    [20, 0],
    [21, 2],
    [24, 2],
    [25, 3],
    [60, 3],
  ])("respiratory rate %d gives %d", (value, points) => expect(respiratoryRatePoints(value)).toBe(points));

  it.each([
    [50, 3],
    [91, 3],
    [92, 2],
    [93, 2],
    [94, 1],
    [95, 1],
    [96, 0],
    [100, 0],
  ])("SpO2 %d on scale 1 gives %d, whatever is breathed", (value, points) => {
    expect(spo2Points(value, "scale1", "air")).toBe(points);
    expect(spo2Points(value, "scale1", "oxygen")).toBe(points);
  });

  it.each([
    [50, 3, 3],
    [83, 3, 3],
    [84, 2, 2],
    [85, 2, 2],
    [86, 1, 1],
    [87, 1, 1],
    [88, 0, 0],
    [92, 0, 0],
    [93, 0, 1],
    [94, 0, 1],
    [95, 0, 2],
    [96, 0, 2],
    [97, 0, 3],
    [100, 0, 3],
  ])("SpO2 %d on scale 2 gives %d on air, %d on oxygen", (value, air, oxygen) => {
    expect(spo2Points(value, "scale2", "air")).toBe(air);
    expect(spo2Points(value, "scale2", "oxygen")).toBe(oxygen);
  });

  it.each([
    [40, 3],
    [90, 3],
    [91, 2],
    [100, 2],
    [101, 1],
    [110, 1],
    [111, 0],
    [219, 0],
    [220, 3],
    [280, 3],
  ])("systolic pressure %d gives %d", (value, points) => expect(systolicPressurePoints(value)).toBe(points));

  it.each([
    [0, 3],
    [40, 3],
    [41, 1],
    [50, 1],
    [51, 0],
    [90, 0],
    [91, 1],
    [110, 1],
    [111, 2],
    [130, 2],
    [131, 3],
    [200, 3],
  ])("pulse %d gives %d", (value, points) => expect(pulsePoints(value)).toBe(points));

  it.each([
    [30, 3],
    [35, 3],
    [35.1, 1],
    [36, 1],
    [36.1, 0],
    [38, 0],
    [38.1, 1],
    [39, 1],
    [39.1, 2],
    [41, 2],
  ])("temperature %d gives %d", (value, points) => expect(temperaturePoints(value)).toBe(points));

  it("a mean between two bands belongs to the one it is rounded to", () => {
    expect(spo2Points(95.4, "scale1", "air")).toBe(1);
    expect(spo2Points(95.6, "scale1", "air")).toBe(0);
    expect(temperaturePoints(38.04)).toBe(0);
    expect(temperaturePoints(38.06)).toBe(1);
  });

  it("oxygen gives 2, all but alert gives 3", () => {
    expect([oxygenPoints("air"), oxygenPoints("oxygen")]).toEqual([0, 2]);
    expect((["A", "C", "V", "P", "U"] as const).map(consciousnessPoints)).toEqual([0, 3, 3, 3, 3]);
  });

  it("of an SpO2 whose scale is not known only the least is certain", () => {
    expect(leastSpo2Points(90, null, null)).toBe(0);
    expect(leastSpo2Points(83, null, null)).toBe(3);
    expect(leastSpo2Points(97, "scale2", null)).toBe(0);
  });
});

const [consciousness] = shippedPrecedence.states;
if (consciousness === undefined) throw new Error("no state");

const t0 = 1_795_269_600_000;
const min = 60_000;
const said = (what: Observed["what"], value: string, at = t0 - min, by = "nurse-4"): Observed => ({
  kind: "observed",
  patientKey: "pk-7",
  what,
  value,
  ucum: null,
  by,
  at,
});
const value = (n: number, ucum: string, at = t0 - min) => ({ value: n, ucum, at, source: "x/mon-07/y" });
const well = {
  respiratoryRate: value(16, "/min"),
  spo2: value(97, "%"),
  systolicPressure: value(125, "mm[Hg]"),
  pulse: value(72, "/min"),
  temperature: value(36.8, "Cel"),
};
const words = [said("oxygen", "air"), said("consciousness", "A"), said("spo2Scale", "1"), said("pregnant", "no")];
const aPatient = (change: Partial<News2Of> = {}): News2Of => ({
  patientKey: "pk-7",
  link: { id: "link-7", revision: 1, subject: "subject-7", ageBand: "adult" },
  birthDate: null,
  values: well,
  observed: words,
  policy: shippedScores.news2,
  consciousness,
  at: t0,
  previous: null,
  ...change,
});
const without = (what: Observed["what"]): readonly Observed[] => words.filter((o) => o.what !== what);

describe("a patient's score", () => {
  it("is 0 for one who is well", () => {
    expect(news2Of(aPatient())).toMatchObject({
      total: 0,
      atLeast: 0,
      missing: [],
      objections: [],
      spo2Scale: "scale1",
    });
  });

  it("a pneumonia: RR 26, SpO2 92 on oxygen, BP 98, pulse 118, alert, 38.6 make 12", () => {
    const values = {
      respiratoryRate: value(26, "/min"),
      spo2: value(92, "%"),
      systolicPressure: value(98, "mm[Hg]"),
      pulse: value(118, "/min"),
      temperature: value(38.6, "Cel"),
    };
    const score = news2Of(aPatient({ values, observed: [...without("oxygen"), said("oxygen", "oxygen")] }));
    expect(score.parts.map(({ part, score: points }) => [part, points])).toEqual([
      ["respiratoryRate", 3],
      ["spo2", 2],
      ["oxygen", 2],
      ["systolicPressure", 2],
      ["pulse", 2],
      ["consciousness", 0],
      ["temperature", 1],
    ]);
    expect(score.total).toBe(12);
  });

  it("COPD: SpO2 89 on 2 l of oxygen is on target by scale 2 and 5 points worse by scale 1", () => {
    const observed = (scale: string) => [
      ...without("oxygen").filter((o) => o.what !== "spo2Scale"),
      said("oxygen", "oxygen"),
      said("spo2Scale", scale),
    ];
    const values = { ...well, spo2: value(89, "%") };
    expect(news2Of(aPatient({ values, observed: observed("2") })).total).toBe(2);
    expect(news2Of(aPatient({ values, observed: observed("1") })).total).toBe(5);
  });

  it.each([
    ["respiratoryRate", 11],
    ["spo2", 11],
    ["systolicPressure", 66],
    ["pulse", 11],
    ["temperature", 481],
  ] as const)("is partial while %s is %d min old; a minute younger it is whole", (part, oldMin) => {
    const aged = (minutes: number) => ({ ...well, [part]: { ...well[part], at: t0 - minutes * min } });
    const score = news2Of(aPatient({ values: aged(oldMin) }));
    expect(score).toMatchObject({ total: null, missing: [part] });
    expect(news2InWords(score)).toBe(`partial, at least 0, missing ${part}`);
    expect(news2Of(aPatient({ values: aged(oldMin - 1) })).total).toBe(0);
  });

  it.each(["oxygen", "consciousness"] as const)("is partial where nobody said of %s, or four hours ago", (what) => {
    expect(news2Of(aPatient({ observed: without(what) })).missing).toContain(what);
    const old = [...without(what), said(what, what === "oxygen" ? "air" : "A", t0 - 241 * min)];
    expect(news2Of(aPatient({ observed: old })).missing).toContain(what);
  });

  it("without an order for a scale SpO2 is missing, and only what is certain of it counts", () => {
    const score = news2Of(aPatient({ observed: without("spo2Scale"), values: { ...well, spo2: value(83, "%") } }));
    expect(score).toMatchObject({ total: null, atLeast: 3, missing: ["spo2", "spo2Scale"], spo2Scale: null });
  });

  it.each([
    ["age unknown", { link: { id: "link-7", revision: 1, subject: "subject-7", ageBand: null } }, "age unknown"],
    [
      "a child of unknown age",
      { link: { id: "link-7", revision: 1, subject: "subject-7", ageBand: "child" } },
      "younger than 16, or age unknown",
    ],
    ["fifteen, sixteen tomorrow", { birthDate: "2010-11-22" }, "younger than 16"],
    ["born in the year of sixteen, no day known", { birthDate: "2010" }, "younger than 16"],
    ["pregnant", { observed: [...without("pregnant"), said("pregnant", "yes")] }, "pregnant"],
    ["pregnancy not asked", { observed: without("pregnant") }, "pregnancy not recorded"],
  ] as const)("%s: all parts are there, and it is no NEWS2", (_, change, objection) => {
    const score = news2Of(aPatient(change));
    expect(score).toMatchObject({ total: null, missing: [], objections: [objection] });
  });

  it("sixteen today is old enough, whatever the age band", () => {
    const link = { id: "link-7", revision: 1, subject: "subject-7", ageBand: "child" } as const;
    expect(news2Of(aPatient({ birthDate: "2010-11-21", link })).total).toBe(0);
  });

  it("of two who looked, the more severe holds; whoever looks again takes his own word back", () => {
    const seen = [...without("consciousness"), said("consciousness", "V", t0 - 3 * min, "nurse-4")];
    expect(news2Of(aPatient({ observed: [...seen, said("consciousness", "A", t0 - min, "nurse-5")] })).total).toBe(3);
    expect(news2Of(aPatient({ observed: [...seen, said("consciousness", "A", t0 - min, "nurse-4")] })).total).toBe(0);
  });

  it("says the same whatever order the words came in", () => {
    const all = [...words, said("oxygen", "oxygen", t0 - min), said("consciousness", "P", t0 - min)];
    expect(news2Of(aPatient({ observed: all.toReversed() }))).toEqual(news2Of(aPatient({ observed: all })));
  });
});

describe("the score policy's reader", () => {
  it("refuses a quantity that the precedence policy does not know", () => {
    const json = JSON.parse(shippedText("scores/adult-example.json"));
    json.news2.quantities.pulse = ["pulsation"];
    const refused = parseScores(JSON.stringify(json), shippedPrecedence);
    expect(refused).toMatchObject({ ok: false, problem: { reason: "scores-invalid" } });
    expect(refused.ok ? "" : refused.problem.detail).toContain("no quantity is called pulsation");
  });

  it("refuses where no order of A, C, V, P, U is known, and what is no JSON", () => {
    expect(parseScores(shippedText("scores/adult-example.json"), { ...shippedPrecedence, states: [] }).ok).toBe(false);
    expect(parseScores("nothing", shippedPrecedence).ok).toBe(false);
  });
});
