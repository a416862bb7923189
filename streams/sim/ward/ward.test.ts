/** The simulated ward: the same seed is the same ward, and what its devices say is sound. */
import { describe, expect, it } from "vitest";
import { digest } from "../../core/hash.ts";
import { readRoster } from "../../io/roster-file.ts";
import type { Ward } from "./messages.ts";
import { rosterOf } from "./roster.ts";
import { ward } from "./ward.ts";
import { decode, deviceOf, full, mean, minutes, samplesOf, sentBy, startMs, until, valuesOf } from "./ward.fixture.ts";

const storied = new Set(full.truth.map(({ device }) => device));
const isRubbish = (device: string): boolean => device === deviceOf("rubbish");

describe("the ward", () => {
  it("has the beds and devices that were asked for, and a roster that its reader accepts", () => {
    const models = full.devices.map(({ model }) => model);
    const count = (model: string): number => models.filter((m) => m === model).length;
    expect([count("sim-monitor"), count("sim-pump"), count("sim-dialysis"), count("sim-cgm")]).toEqual([24, 6, 2, 4]);
    for (const beds of [1, 2, 5, 12, 23, 24, 60]) {
      const roster = readRoster(JSON.stringify(rosterOf(ward({ beds, seed: 7, startMs }))));
      expect(roster.ok ? "ok" : roster.problems, `${beds} beds`).toBe("ok");
    }
  });

  it("links every device but one to a patient, all confirmed and consented but for two stories", () => {
    const { associations, consents, patients } = full.roster;
    expect(full.devices.length - associations.length).toBe(1);
    expect(new Set(associations.filter((a) => a.confirmedBy === null).map((a) => a.bed))).toEqual(
      new Set(full.truth.filter((t) => t.recognise.withheld === "association-unconfirmed").map((t) => t.bed)),
    );
    const consenting = new Set(consents.map((c) => c.patientKey));
    const without = patients.filter((p) => !consenting.has(p.patientKey)).map((p) => p.patientKey);
    const beds = new Set(associations.filter((a) => without.includes(a.patientKey)).map((a) => a.bed));
    expect(beds).toEqual(
      new Set(full.truth.filter((t) => t.recognise.withheld === "consent-unknown").map((t) => t.bed)),
    );
  });

  it("is the same for the same seed, byte for byte, and another for another", () => {
    const fingerprint = (seed: number): string =>
      digest(Buffer.concat(until(ward({ seed, startMs }), 20).map(({ payload }) => payload)));
    expect(fingerprint(5)).toBe(fingerprint(5));
    expect(fingerprint(5)).not.toBe(fingerprint(6));
  });

  it("starts afresh with each call, and leaves numerics alone when there are no waveforms", () => {
    const numericsOf = (of: Ward): string[] =>
      until(of, 30).flatMap(({ stream, device, payload }) =>
        stream === "numerics" && device === "mon-01" ? [digest(payload)] : [],
      );
    const one = ward({ seed: 5, startMs });
    expect(numericsOf(one)).toEqual(numericsOf(one));
    expect(numericsOf(one)).toHaveLength(30);
  });

  it("sends in the order of time, on each device's own topics", () => {
    for (const [i, { atMs, device, stream, mqttTopic }] of minutes.entries()) {
      expect(atMs).toBeGreaterThanOrEqual(minutes[i - 1]?.atMs ?? startMs);
      expect(mqttTopic).toBe(`afferent/${device}/${stream}`);
    }
  });

  it("sends nothing that its adapter refuses, but for the bed of rubbish", () => {
    for (const message of minutes) if (!isRubbish(message.device)) expect(decode(message).problems).toEqual([]);
  });

  it("brings numerics and waveforms of every monitor once a second", () => {
    expect(["numerics", "waveforms"].map((stream) => sentBy("mon-01", stream).length)).toEqual([300, 300]);
  });
});

describe("a quiet bed", () => {
  const quiet = full.devices.filter(({ device, model }) => model === "sim-monitor" && !storied.has(device));
  /** Well inside every limit of the shipped example rules. */
  const calm: readonly (readonly [string, number, number])[] = [
    ["heartRate", 54, 105],
    ["pulseRate", 54, 105],
    ["spo2", 93, 100],
    ["respiratoryRate", 9, 25],
    ["temperature", 35.6, 38],
    ["artSystolic", 96, 165],
    ["artMean", 68, 115],
    ["nibpSystolic", 96, 165],
    ["nibpMean", 68, 115],
  ];

  it("keeps every vital inside the default alarm limits, over hours and seeds", () => {
    expect(quiet).toHaveLength(11);
    for (const seed of [2, 3]) {
      const hours = ward({ seed, startMs: startMs + seed * 7 * 3_600_000, waveforms: false });
      const sent = Map.groupBy(until(hours, 600), ({ device }) => device);
      for (const { device } of quiet)
        for (const [metric, low, high] of calm) {
          const values = samplesOf(sent.get(device) ?? [], metric).map(({ value }) => value ?? Number.NaN);
          expect(
            values.filter((value) => !(value > low && value < high)),
            `${device} ${metric}`,
          ).toEqual([]);
        }
    }
  }, 60_000);

  it("is nobody's copy: rates vary within a bed and between beds", () => {
    expect(new Set(valuesOf("mon-01", "heartRate")).size).toBeGreaterThan(3);
    expect(new Set(quiet.map(({ device }) => Math.round(mean(valuesOf(device, "heartRate"))))).size).toBeGreaterThan(5);
  });

  it("counts the same pulse as heart rate, and has arterial pressure on a third of the beds", () => {
    expect(valuesOf("mon-01", "pulseRate")).toEqual(valuesOf("mon-01", "heartRate"));
    const lines = full.devices.filter(({ device }) => !isRubbish(device) && valuesOf(device, "artMean").length > 0);
    expect(lines).toHaveLength(7);
  });

  it("has a cuff pressure every quarter of an hour, with a time of its own", () => {
    const cuffs = sentBy("mon-01", "numerics").flatMap((m) =>
      decode(m)
        .measurements.filter(({ metric }) => metric === "nibpSystolic")
        .map((n) => ({ m, n })),
    );
    expect(cuffs).toHaveLength(1);
    expect((cuffs[0]?.m.atMs ?? 0) - (cuffs[0]?.n.deviceTime ?? 0)).toBeGreaterThan(3_500);
  });
});
