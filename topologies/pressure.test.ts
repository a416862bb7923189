/** The way of a blood pressure from the cuff to the episode: its partners of the same measurement go with it, and nobody else's. */
import { describe, expect, it } from "vitest";
import type { DecodedMeasurement, DeviceAdapter } from "../schemas/devices/adapter.ts";
import { aRule } from "../schemas/fhir/clinical.fixture.ts";
import type { Episode, Measurement } from "../schemas/records/telemetry.ts";
import type { MetricName } from "../schemas/terminology.ts";
import { ok } from "../streams/core/failure.ts";
import { deviceTime, eventTime, logTime, receivedTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { link, monitorOf, t0 } from "../streams/sim/said.ts";
import { normalise } from "./normalise.ts";
import { thresholds } from "./thresholds.ts";

const adapter: DeviceAdapter = {
  model: "test-monitor",
  vendor: "test",
  decode: (payload) =>
    ok({
      device: null,
      boot: "b",
      sequence: null,
      deviceTime: deviceTime(t0),
      waveforms: [],
      problems: [],
      ...(JSON.parse(new TextDecoder().decode(payload)) as object),
    } as never),
};

const pressure = (metric: MetricName, value: number | null, more: Partial<DecodedMeasurement> = {}) => ({
  channel: metric.startsWith("nibp") ? "nibp" : "art",
  metric,
  value,
  ucum: "mm[Hg]",
  validity: value === null ? "invalid" : "valid",
  evidence: null,
  periodMs: null,
  ...more,
});

const measured = (measurements: readonly object[]): Measurement[] => {
  const d = drive(normalise(new Map([[adapter.model, adapter]])));
  d.send("mon-1", t0, monitorOf({ model: adapter.model }));
  d.send("mon-1", t0, link());
  d.send("mon-1", t0 + 100, {
    kind: "reading",
    device: "mon-1",
    stream: "numerics",
    mqttTopic: "ward/icu/mon-1/numerics",
    payload: new TextEncoder().encode(JSON.stringify({ measurements })),
    receivedTime: receivedTime(t0 + 100),
    session: "s",
    dup: false,
    retained: false,
    truncated: null,
  });
  return d
    .outputs("vitals")
    .map(({ body }) => body)
    .filter((b) => b.kind === "measurement");
};

const companionsOf = (all: readonly Measurement[]): Record<string, string[]> =>
  Object.fromEntries(all.map((m) => [m.metric, m.companions.map((c) => `${c.metric} ${c.value} ${c.validity}`)]));

describe("pressures of one measurement", () => {
  it("know each other, with their validity; a heart rate beside them knows nobody", () => {
    const found = measured([
      pressure("nibpSystolic", 84),
      pressure("nibpDiastolic", null),
      pressure("nibpMean", 58),
      { ...pressure("nibpMean", 80), metric: "heartRate", ucum: "/min", channel: "nibp" },
    ]);
    expect(companionsOf(found)).toEqual({
      nibpSystolic: ["nibpDiastolic null invalid", "nibpMean 58 valid"],
      nibpDiastolic: ["nibpSystolic 84 valid", "nibpMean 58 valid"],
      nibpMean: ["nibpSystolic 84 valid", "nibpDiastolic null invalid"],
      heartRate: [],
    });
  });

  it.each([
    ["another vessel", pressure("artDiastolic", 50)],
    ["another channel", pressure("nibpDiastolic", 50, { channel: "nibp-2" })],
    ["another time", pressure("nibpDiastolic", 50, { deviceTime: deviceTime(t0 - 60_000) })],
  ])("are no partners where one is of %s", (_, other) => {
    expect(companionsOf(measured([pressure("nibpSystolic", 84), other]))).toMatchObject({ nibpSystolic: [] });
  });

  it("go with the episode of the one that crosses, from its start to its end", () => {
    const low = aRule({
      id: "nibp-low",
      metric: "nibpSystolic",
      ucum: "mm[Hg]",
      when: "below",
      limit: 90,
      clear: 95,
      minimumMs: 0,
      clearMs: 0,
      units: [],
    });
    const d = drive(thresholds);
    d.send("", t0, { kind: "rules", version: 1, effectiveFrom: logTime(t0), rules: [low] });
    const [systolic] = measured([pressure("nibpSystolic", 84), pressure("nibpDiastolic", 46)]);
    if (systolic === undefined) throw new Error("no pressure was measured");
    d.send("subject-1", t0 + 200, systolic);
    const later = {
      eventTime: eventTime(systolic.eventTime + 300_000),
      receivedTime: receivedTime(systolic.receivedTime + 300_000),
    };
    d.send("subject-1", t0 + 300_200, { ...systolic, ...later, value: 120, companions: [] });
    const episodes = d
      .outputs("episodes")
      .map(({ body }) => body)
      .filter((b): b is Episode => b.kind === "episode");
    expect(episodes.map(({ phase }) => phase)).toEqual(["start", "end"]);
    for (const { companions } of episodes)
      expect(companions).toEqual([{ metric: "nibpDiastolic", value: 46, validity: "valid" }]);
  });
});
