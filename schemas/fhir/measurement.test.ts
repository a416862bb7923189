import { describe, expect, it } from "vitest";
import { aPatient } from "./clinical.fixture.ts";
import { aChunk, aMeasurement, everyMeasurement, numerics, validities, waves } from "./every-kind.fixture.ts";
import { measurementObservation, waveformObservation } from "./measurement.ts";

const mapped = (metric: (typeof numerics)[number], validity: (typeof validities)[number]) => {
  const result = measurementObservation(aMeasurement(metric, validity), aPatient());
  if (!result.ok) throw new Error(result.problem.detail);
  return result.value;
};

describe("every kind of measurement that Avro carries", () => {
  it("is an Observation in FHIR, or refused by name: what a pump gives is an event and no value (clinical.md 24)", () => {
    const refused = everyMeasurement.filter(({ result }) => !result.ok);
    expect(everyMeasurement.length).toBe(numerics.length * validities.length + waves.length);
    expect([...new Set(refused.map(({ metric }) => metric))]).toEqual(["infusionRate", "infusedVolume"]);
    for (const { result } of refused) expect(result).toMatchObject({ problem: { reason: "no-clinical-shape" } });
  });

  it("has a coding, a subject, a time, and either a value or the reason why there is none", () => {
    for (const { what, result } of everyMeasurement) {
      if (!result.ok) continue;
      const { code, subject, effectiveDateTime, effectivePeriod, valueQuantity, valueSampledData, dataAbsentReason } =
        result.value;
      expect(code.coding?.[0]?.code, what).toBeTruthy();
      expect(subject?.reference, what).toBe("Patient/p-0007");
      expect(effectiveDateTime ?? effectivePeriod?.start, what).toBe("2026-11-21T14:00:00.000Z");
      const told = [valueQuantity, valueSampledData, dataAbsentReason].filter((one) => one !== undefined);
      expect(told.length, what).toBe(1);
    }
  });

  // As uv-pocd maps the flags; a zero that nothing explains is told as neither a value nor a fault.
  it.each([
    ["valid", 175, undefined, undefined, undefined],
    ["questionable", 175, undefined, "UNCERTREL", "questionable"],
    ["invalid", undefined, "error", "UNRELIABLE", undefined],
    ["empty", undefined, "unknown", undefined, undefined],
    ["sensorOff", undefined, "not-performed", undefined, undefined],
    ["indeterminate", undefined, "unknown", "UNCERTREL", undefined],
    ["test", 175, undefined, "HTEST", undefined],
    ["demo", 175, undefined, "HTEST", undefined],
  ] as const)("a heart rate that is %s keeps its value %s, or says %s", (validity, value, absent, security, status) => {
    const written = mapped("heartRate", validity);
    expect(written.valueQuantity?.value).toBe(value);
    expect(written.dataAbsentReason?.coding?.[0]?.code).toBe(absent);
    expect(written.meta?.security?.map((s) => s.code)).toEqual(security === undefined ? undefined : [security]);
    expect(written.interpretation?.map((i) => i.coding?.[0]?.code)).toEqual(
      status === undefined ? undefined : [status],
    );
  });

  it("is never told as reviewed by a person: nobody has", () => {
    for (const { result } of everyMeasurement)
      expect(JSON.stringify(result)).not.toMatch(/HRELIABLE|validated-data|"final"/);
  });

  it("of a waveform gives its values back: origin + sample x factor", () => {
    const result = waveformObservation(aChunk("ecgII"), aPatient());
    const sampled = result.ok ? result.value.valueSampledData : undefined;
    const values = (sampled?.data ?? "")
      .split(" ")
      .map((sample) => (sampled?.origin.value ?? 0) + Number(sample) * (sampled?.factor ?? 0));
    expect(values.map((v) => Math.round(v * 1e9) / 1e9)).toEqual([0, 1, -1]);
    expect(sampled?.period).toBe(8);
  });

  it("of a metric that nobody knows is refused by name", () => {
    const unknown = { ...aMeasurement("heartRate", "valid"), metric: "bilirubin" };
    expect(measurementObservation(unknown, aPatient())).toMatchObject({ problem: { reason: "metric-unknown" } });
  });
});
