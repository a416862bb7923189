import { describe, expect, it } from "vitest";
import { decode, deviceOf, mean, sentBy, valuesOf } from "./ward.fixture.ts";

describe("waveforms", () => {
  /** All samples of one channel, end to end, in units. */
  const signal = (device: string, metric: string): number[] =>
    sentBy(device, "waveforms")
      .flatMap((m) => decode(m).waveforms.filter((w) => w.metric === metric))
      .flatMap(({ samples, gain, baseline }) => samples.map((sample) => (sample - baseline) / gain));

  /** Times at which the signal rises through a level, at least 0.25 s apart. */
  const crossings = (values: readonly number[], level: number, rateHz: number): number[] => {
    const at: number[] = [];
    for (let i = 1; i < values.length; i++) {
      const isRise = (values[i - 1] ?? 0) < level && (values[i] ?? 0) >= level;
      if (isRise && i / rateHz - (at.at(-1) ?? -1) > 0.25) at.push(i / rateHz);
    }
    return at;
  };

  it("the ECG beats as often as the heart rate says", () => {
    for (const device of ["mon-01", "mon-04", deviceOf("septic deterioration")]) {
      const beats = crossings(signal(device, "ecgII"), 0.5, 250).length / 5;
      expect(Math.abs(beats - mean(valuesOf(device, "heartRate"))), device).toBeLessThan(2.5);
    }
  });

  it("the pleth has as many waves as the pulse says, and fewer than the ECG in fibrillation", () => {
    const device = deviceOf("atrial fibrillation with pulse deficit");
    const inStory = <T>(values: readonly T[], rateHz: number): T[] => values.slice(60 * rateHz, 260 * rateHz);
    const beats = crossings(inStory(signal(device, "ecgII"), 250), 0.5, 250).length;
    const waves = crossings(inStory(signal(device, "pleth"), 125), 0.5, 125).length;
    expect(waves / beats).toBeGreaterThan(0.7);
    expect(waves / beats).toBeLessThan(0.86);
    const quiet = crossings(signal("mon-01", "pleth"), 0.5, 125).length / 5;
    expect(Math.abs(quiet - mean(valuesOf("mon-01", "pulseRate")))).toBeLessThan(2.5);
  });

  it("the arterial pressure swings between the diastolic and systolic numerics", () => {
    const device = deviceOf("septic deterioration");
    const late = signal(device, "artWave").slice(-20 * 125);
    const [systolic, diastolic] = ["artSystolic", "artDiastolic"].map((m) => mean(valuesOf(device, m).slice(-20)));
    expect(Math.abs(Math.max(...late) - (systolic ?? 0))).toBeLessThan(12);
    expect(Math.abs(Math.min(...late) - (diastolic ?? 0))).toBeLessThan(12);
  });

  it("the ECG is flat while the heart stands still or the electrodes are off", () => {
    const flat = (device: string, fromS: number, toS: number): number =>
      Math.max(
        ...signal(device, "ecgII")
          .slice(fromS * 250, toS * 250)
          .map(Math.abs),
      );
    expect(flat(deviceOf("asystole"), 73, 103)).toBeLessThan(0.1);
    expect(flat(deviceOf("electrodes off"), 57, 94)).toBeLessThan(0.1);
    expect(flat(deviceOf("asystole"), 20, 50)).toBeGreaterThan(0.8);
  });
});
