import { describe, expect, it } from "vitest";
import { clinicalQuarantine, events, raw, rawWaveforms, vitals } from "../schemas/topics.ts";
import { kafkaRetention, sqliteRetention } from "./retention.ts";

const topics = [raw, rawWaveforms, vitals, events, clinicalQuarantine];

describe("how long a topic is kept", () => {
  it("is for ever for what was said and what concerns patients, and hours for what is derived", () => {
    const ms = (name: string, hours?: number) => kafkaRetention(topics, hours)(name)["retention.ms"];
    expect([raw, rawWaveforms, events, clinicalQuarantine].map(({ name }) => ms(name, 1))).toEqual(
      Array.from({ length: 4 }, () => "-1"),
    );
    expect(ms(vitals.name, 0.5)).toBe("1800000");
    expect(ms(vitals.name)).toBe(String(7 * 24 * 3_600_000));
    expect(kafkaRetention(topics)("afferent-state-windows")).toEqual({});
  });

  it("is a count in an embedded log, from which consents are exempt", () => {
    expect([raw, vitals, events].map(({ name }) => sqliteRetention(10)(name))).toEqual([10, 10, undefined]);
    expect(sqliteRetention(undefined)(raw.name)).toBeUndefined();
  });
});
