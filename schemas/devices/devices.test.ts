/**
 * Every adapter in this folder against its samples, and against rubbish. A sample's payload is text, JSON (sent as its text) or
 * `{ "base64": ... }`; it expects either what is decoded (the fields that it names, and exactly as many measurements, waveforms
 * and problems) or the reason and place of a refusal.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadAdapters } from "../../streams/io/device-adapters.ts";
import type { Result } from "../../streams/core/failure.ts";
import { alarmEventOf, isAlarmEvent } from "../alarm-events.ts";
import { isMetric, toMetricUnit } from "../terminology.ts";
import type { DecodedAlarm, DecodedReading } from "./adapter.ts";

interface Sample {
  readonly name: string;
  readonly stream: string;
  readonly payload: unknown;
  readonly decoded?: Partial<DecodedReading>;
  /** Reasons and places of the parts that were refused. */
  readonly refusedParts?: readonly { readonly reason: string; readonly place: string }[];
  readonly refused?: { readonly reason: string; readonly place: string };
}

const text = new TextEncoder();

const bytesOf = (payload: unknown): Uint8Array => {
  if (typeof payload === "string") return text.encode(payload);
  if (typeof payload === "object" && payload !== null && "base64" in payload)
    return Uint8Array.fromBase64(String(payload.base64));
  return text.encode(JSON.stringify(payload));
};

const streams = ["numerics", "waveforms", "status", "alarms"];
const adapters = [...(await loadAdapters()).values()];

const samplesOf = async (model: string): Promise<readonly Sample[]> =>
  JSON.parse(await readFile(join(import.meta.dirname, `${model}.samples.json`), "utf8")) as Sample[];

const alarmsIn = (result: Result<DecodedReading>): readonly DecodedAlarm[] => {
  if (!result.ok || result.value.alarms === undefined) return [];
  const { alarms } = result.value;
  return "all" in alarms ? alarms.all : alarms.changes;
};

it("finds the shipped models", () => {
  expect(adapters.map(({ model }) => model)).toContain("sim-monitor");
});

for (const adapter of adapters) {
  const samples = await samplesOf(adapter.model);
  describe(adapter.model, () => {
    it.each(samples.map((sample) => [sample.name, sample] as const))("%s", (_name, sample) => {
      const result = adapter.decode(bytesOf(sample.payload), sample.stream);
      if (sample.refused !== undefined) {
        const { reason, place } = sample.refused;
        expect(result).toMatchObject({ ok: false, problem: { reason, detail: expect.stringContaining(place) } });
        return;
      }
      expect(result).toMatchObject({ ok: true });
      if (!result.ok || sample.decoded === undefined) throw new Error("a sample expects something");
      const parts = sample.refusedParts ?? [];
      expect(result.value).toMatchObject({ measurements: [], waveforms: [], ...sample.decoded });
      expect(result.value.problems).toMatchObject(
        parts.map(({ reason, place }) => ({ reason, detail: expect.stringContaining(place) })),
      );
    });

    it("has samples of good, partly refused and wholly refused payloads", () => {
      expect(samples.some((s) => s.decoded !== undefined && s.refusedParts === undefined)).toBe(true);
      expect(samples.some((s) => s.refusedParts !== undefined)).toBe(true);
      expect(samples.some((s) => s.refused !== undefined)).toBe(true);
    });

    it("says only what terminology knows, in units that convert", () => {
      for (const sample of samples) {
        const result = adapter.decode(bytesOf(sample.payload), sample.stream);
        for (const { metric, value, ucum } of result.ok ? result.value.measurements : []) {
          expect(isMetric(metric)).toBe(true);
          expect(toMetricUnit(metric, value ?? 0, ucum)).toMatchObject({ ok: true });
        }
      }
    });

    it("names alarms by the vocabulary or not at all, and calls unmapped ones physiological", () => {
      for (const alarm of samples.flatMap((sample) =>
        alarmsIn(adapter.decode(bytesOf(sample.payload), sample.stream)),
      )) {
        expect(alarm.event === null || isAlarmEvent(alarm.event)).toBe(true);
        expect(alarm.alertType).toBe(alarmEventOf(alarm.event ?? "unmapped").alertType);
        expect(alarm.code).not.toBe("");
      }
    });

    it("refuses any bytes without throwing", () => {
      return fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...streams), (bytes, stream) => {
          const result = adapter.decode(bytes, stream);
          if (!result.ok) expect(result.problem.reason).toMatch(/^[a-z]+(-[a-z]+)*$/);
        }),
        { numRuns: 300 },
      );
    });

    it("takes a good payload with bytes changed or cut off without throwing", () => {
      const good = samples.filter((s) => s.decoded !== undefined);
      return fc.assert(
        fc.property(fc.constantFrom(...good), fc.nat(), fc.nat(255), fc.boolean(), (sample, at, byte, cut) => {
          const bytes = Uint8Array.from(bytesOf(sample.payload));
          const place = at % bytes.length;
          bytes[place] = byte;
          const result = adapter.decode(cut ? bytes.subarray(0, place) : bytes, sample.stream);
          for (const { value, validity } of result.ok ? result.value.measurements : [])
            expect(value === null ? validity !== "valid" : Number.isFinite(value)).toBe(true);
        }),
        { numRuns: 300 },
      );
    });

    it("takes JSON of any shape without throwing", () => {
      return fc.assert(
        fc.property(fc.json(), fc.constantFrom(...streams), (json, stream) => {
          adapter.decode(text.encode(json), stream);
        }),
        { numRuns: 200 },
      );
    });
  });
}
