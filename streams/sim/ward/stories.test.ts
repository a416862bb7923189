import { describe, expect, it } from "vitest";
import { adapter as monitor } from "../../../schemas/devices/sim-monitor.ts";
import { digest } from "../../core/hash.ts";
import { between, decode, deviceOf, full, mean, minutes, sentBy, seriesOf, startMs } from "./ward.fixture.ts";

describe("the stories", () => {
  it("slow desaturation: SpO2 falls smoothly from 96 to 83, then comes back", () => {
    const spo2 = seriesOf(deviceOf("slow desaturation"), "spo2");
    const fall = between(spo2, 25, 195);
    fall.forEach((value, i) => {
      expect(Math.abs(value - (fall[i - 1] ?? value))).toBeLessThanOrEqual(2);
    });
    expect(mean(between(spo2, 0, 15))).toBeGreaterThan(95);
    expect(mean(between(spo2, 180, 200))).toBeLessThan(84);
    expect(mean(between(spo2, 270, 300))).toBeGreaterThan(94);
  });

  it("sepsis: heart rate, breathing and temperature rise while the mean pressure falls", () => {
    const device = deviceOf("septic deterioration");
    const change = (metric: string): number =>
      mean(between(seriesOf(device, metric), 260, 300)) - mean(between(seriesOf(device, metric), 0, 10));
    expect(change("heartRate")).toBeGreaterThan(20);
    expect(change("respiratoryRate")).toBeGreaterThan(8);
    expect(change("temperature")).toBeGreaterThan(0.2);
    expect(change("artMean")).toBeLessThan(-10);
  });

  it("atrial fibrillation: a fifth of the beats does not reach the finger", () => {
    const device = deviceOf("atrial fibrillation with pulse deficit");
    const [hr, pulse] = [seriesOf(device, "heartRate"), seriesOf(device, "pulseRate")];
    expect(mean(between(hr, 60, 260)) - mean(between(pulse, 60, 260))).toBeGreaterThan(20);
    expect(between(hr, 0, 25)).toEqual(between(pulse, 0, 25));
  });

  it("probe off: zeros with the flag, then the sentinels, then values again", () => {
    const said = (fromS: number, toS: number): Set<string> =>
      new Set(
        sentBy(deviceOf("oximeter probe off"), "numerics")
          .filter((m) => m.atMs >= startMs + fromS * 1000 && m.atMs < startMs + toS * 1000)
          .flatMap((m) => decode(m).measurements.filter(({ channel }) => channel === "spo2"))
          .map(({ validity }) => validity),
      );
    expect(said(0, 45)).toEqual(new Set(["valid"]));
    expect(said(45, 75)).toEqual(new Set(["sensorOff"]));
    expect(said(76, 105)).toEqual(new Set(["invalid"]));
    expect(said(106, 300)).toEqual(new Set(["valid"]));
  });

  it("asystole: zero on every channel, called valid by the device; electrodes off: heart rate 0 beside a pulse", () => {
    for (const metric of ["heartRate", "pulseRate", "spo2", "respiratoryRate"])
      expect(new Set(between(seriesOf(deviceOf("asystole"), metric), 71, 104))).toEqual(new Set([0]));
    const off = deviceOf("electrodes off");
    expect(new Set(between(seriesOf(off, "heartRate"), 56, 94))).toEqual(new Set([0]));
    expect(Math.min(...between(seriesOf(off, "pulseRate"), 56, 94))).toBeGreaterThan(50);
  });

  it("silence, a slow clock and repeats are as told", () => {
    const silent = minutes.filter((m) => m.device === deviceOf("silent device")).map((m) => m.atMs - startMs);
    expect(silent.filter((at) => at >= 61_000 && at < 135_000)).toEqual([]);
    for (const m of sentBy(deviceOf("wrong clock"), "numerics"))
      expect(m.atMs - (decode(m).deviceTime ?? 0)).toBeGreaterThanOrEqual(120_000);
    const sent = sentBy(deviceOf("repeated messages"), "numerics");
    expect(sent.length - new Set(sent.map(({ payload }) => digest(payload))).size).toBe(3 * 28);
  });

  it("rubbish: every kind of it is refused, or names somebody else", () => {
    const device = deviceOf("rubbish");
    const reasons = new Set<string>();
    for (const m of sentBy(device, "numerics")) {
      const result = monitor.decode(m.payload, m.stream);
      for (const { reason } of result.ok ? result.value.problems : [result.problem]) reasons.add(reason);
      if (result.ok && result.value.device !== device) reasons.add("identity-mismatch");
    }
    const told = full.truth.find((t) => t.device === device)?.recognise.refusals ?? [];
    expect([...reasons].sort()).toEqual([...told].sort());
  });
});
