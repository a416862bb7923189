/** Codes and units against sources of their own: the shared tables of recorded facts, and the NLM's UCUM implementation. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isMetric, type MetricName, metricOf, metrics, toMetricUnit, ucumFor } from "./terminology.ts";

interface Ucum {
  convertUnitTo(
    from: string,
    value: number,
    to: string,
    options: { readonly molecularWeight?: number | undefined },
  ): { toVal: number | null };
  validateUnitString(unit: string): { status: string };
}
const { UcumLhcUtils } = createRequire(import.meta.url)("@lhncbc/ucum-lhc") as {
  UcumLhcUtils: { getInstance(): Ucum };
};
const ucum = UcumLhcUtils.getInstance();

const tables = join(process.env["RECORDINGS"] ?? join(import.meta.dirname, "../../shared/data"), "terminology");
const table = await readFile(join(tables, "mdc_terms.csv"), "utf8").catch(() => null);
const names = Object.keys(metrics).filter(isMetric);

describe("codes", () => {
  /** Not in the table of terms; their sources are in docs/terminology.md. */
  const elsewhere: readonly MetricName[] = ["pulseRate", "glucoseInterstitial"];

  it.skipIf(table === null)("every MDC code stands in the table of terms, or its other source is named", async () => {
    const codes = new Set(table?.split("\n").map((line) => line.split(",")[4]));
    const doc = await readFile(join(import.meta.dirname, "../docs/terminology.md"), "utf8");
    for (const name of names) {
      const { mdc } = metricOf(name);
      if (mdc === null) continue;
      expect(codes.has(String(mdc)), `${name} ${mdc}`).toBe(!elsewhere.includes(name));
      expect(doc).toContain(String(mdc));
    }
  });

  it("no two metrics share an MDC code, and a reference id goes with each code", () => {
    const codes = names.flatMap((name) => metricOf(name).mdc ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    for (const name of names) expect(metricOf(name).mdc === null).toBe(metricOf(name).mdcRefId === null);
  });

  it("every LOINC code has a right check digit (Mod 10) and is named in the documentation", async () => {
    const doc = await readFile(join(import.meta.dirname, "../docs/terminology.md"), "utf8");
    for (const name of names) {
      const { loinc } = metricOf(name);
      if (loinc === null) continue;
      expect(checkDigit(loinc.slice(0, -2)), loinc).toBe(Number(loinc.slice(-1)));
      expect(doc).toContain(loinc);
    }
  });
});

/** LOINC User's Guide, appendix C: every second digit from the right doubled, all digits added, up to the next ten. */
const checkDigit = (number: string): number => {
  const digits = [...number].reverse().map(Number);
  const odd = Number(digits.filter((_, i) => i % 2 === 0).join("")) * 2;
  const even = digits.filter((_, i) => i % 2 === 1).join("");
  const sum = [...`${even}${odd}`].reduce((total, digit) => total + Number(digit), 0);
  return (10 - (sum % 10)) % 10;
};

describe("units", () => {
  it("every metric's unit is UCUM", () => {
    for (const name of names) expect(ucum.validateUnitString(metricOf(name).ucum).status, name).toBe("valid");
  });

  const glucoseMolarMass = 180.182;
  it.each<[MetricName, number, string, number | undefined]>([
    ["temperature", 98.6, "[degF]", undefined],
    ["temperature", 104.1, "[degF]", undefined],
    ["artMean", 12, "kPa", undefined],
    ["glucoseInterstitial", 5.5, "mmol/L", glucoseMolarMass],
    ["infusionRate", 0.25, "L/h", undefined],
    ["infusionRate", 2, "mL/min", undefined],
    ["dialysisBloodFlow", 0.3, "L/min", undefined],
    ["dialysisBloodFlow", 18_000, "mL/h", undefined],
    ["infusedVolume", 1.25, "L", undefined],
    ["ecgII", 850, "uV", undefined],
  ])("%s: %d %s is what UCUM says", (metric, value, unit, molarMass) => {
    const expected = ucum.convertUnitTo(unit, value, metricOf(metric).ucum, { molecularWeight: molarMass }).toVal;
    const converted = toMetricUnit(metric, value, unit);
    expect(expected).not.toBeNull();
    expect(converted.ok && Math.abs(converted.value - (expected ?? 0))).toBeLessThan(1e-3);
  });

  it("37 degrees stay exactly 37 over Fahrenheit, and a value in its own unit is untouched", () => {
    expect(toMetricUnit("temperature", 98.6, "degF")).toEqual({ ok: true, value: 37 });
    expect(toMetricUnit("spo2", 97.123456789, "%")).toEqual({ ok: true, value: 97.123456789 });
  });

  it.each([
    ["heartRate", "bpm", "/min"],
    ["respiratoryRate", "pm", "/min"],
    ["temperature", "degC", "Cel"],
    ["nibpMean", "mmHg", "mm[Hg]"],
    ["pleth", "NU", "{NU}"],
  ] as const)("%s in %s is %s", (metric, unit, code) => {
    expect(ucumFor(metric, unit)).toEqual({ ok: true, value: code });
  });

  it.each([
    ["heartRate", "furlong"],
    ["heartRate", "mmHg"],
    ["infusedVolume", "mmol/L"],
    ["spo2", "toString"],
    ["spo2", ""],
  ] as const)("%s is not measured in %j", (metric, unit) => {
    expect(toMetricUnit(metric, 1, unit)).toMatchObject({ ok: false, problem: { reason: "unknown-unit" } });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("%d is no value", (value) => {
    expect(toMetricUnit("heartRate", value, "bpm")).toMatchObject({ ok: false, problem: { reason: "not-a-number" } });
  });
});
