import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { body, double, envelope, string, withDefault } from "../../../schemas/avro.ts";
import { tick } from "../../../schemas/records/broadcast.ts";
import { waveformChunk } from "../../../schemas/records/telemetry.ts";
import * as topics from "../../../schemas/topics.ts";
import type { VitalsBody } from "../../../schemas/topics.ts";
import { logTime } from "../../core/time.ts";
import { topic, type Envelope } from "../../core/topic.ts";
import { schemaIdOf } from "../../core/wire.ts";
import { localRegistry } from "./local.ts";
import { openWire } from "./wire.ts";

const all = Object.values(topics);
const memory = () => localRegistry(":memory:");
const ticked: Envelope<VitalsBody> = {
  position: { writer: "normalise", topic: "telemetry.raw", partition: 3, offset: 41, n: 0 },
  logTime: logTime(1_700_000_000_000),
  body: { kind: "tick" },
};
const pulse = {
  body: body("pulse", { bpm: double }),
  later: body("pulse", { bpm: double, site: withDefault(string, "?") }),
};
const pulses = topic("pulses", { partitions: 1, key: "subject", codec: envelope("Pulses", [pulse.body, tick]) });
const laterPulses = topic("pulses", { partitions: 1, key: "subject", codec: envelope("Pulses", [pulse.later, tick]) });
const seventy = { position: null, logTime: null, body: { kind: "pulse", bpm: 70 } } as const;

describe("the wire", () => {
  it("carries an envelope there and back, under the id that the registry gave", async () => {
    const registry = memory();
    const wire = await openWire(registry, all);
    const bytes = wire.encode(topics.vitals, ticked);
    expect(wire.decode(topics.vitals, bytes)).toEqual({ ok: true, value: ticked });
    const versions = await registry.all("telemetry.vitals-value");
    expect(versions).toEqual([{ id: schemaIdOf(bytes), schema: topics.vitals.codec.schema }]);
  });

  it("reads what an older version of the program wrote", async () => {
    const registry = memory();
    const old = (await openWire(registry, [pulses])).encode(pulses, seventy);
    const wire = await openWire(registry, [laterPulses]);
    expect(wire.decode(laterPulses, old)).toEqual({
      ok: true,
      value: { ...seventy, body: { ...seventy.body, site: "?" } },
    });
  });

  it("does not know what a newer version wrote until it has asked the registry", async () => {
    const registry = memory();
    const wire = await openWire(registry, [pulses]);
    const newer = (await openWire(registry, [laterPulses])).encode(laterPulses, {
      ...seventy,
      body: { ...seventy.body, site: "left ear" },
    });
    expect(wire.decode(pulses, newer)).toMatchObject({ ok: false, problem: { reason: "unknown-schema-id" } });
    expect(await wire.learn(schemaIdOf(newer) ?? 0)).toBe(true);
    expect(wire.decode(pulses, newer)).toEqual({ ok: true, value: seventy });
  });

  it("refuses an id that the registry does not have, by its number", async () => {
    const wire = await openWire(memory(), all);
    expect(await wire.learn(4711)).toBe(false);
    const refused = wire.decode(topics.vitals, Uint8Array.of(0, 0, 0, 0x12, 0x67, 1));
    expect(refused).toMatchObject({
      ok: false,
      problem: { reason: "unknown-schema-id", detail: expect.stringContaining("4711") },
    });
  });

  it("refuses a record of another topic", async () => {
    const wire = await openWire(memory(), all);
    const bytes = wire.encode(topics.vitals, ticked);
    await wire.learn(schemaIdOf(bytes) ?? 0);
    expect(wire.decode(topics.windows, bytes)).toMatchObject({ ok: false, problem: { reason: "unreadable-schema" } });
  });

  it("refuses what has no header", async () => {
    const wire = await openWire(memory(), all);
    for (const bytes of [new Uint8Array(), Uint8Array.of(0, 0, 0, 0), new TextEncoder().encode('{"hr":70}')])
      expect(wire.decode(topics.raw, bytes)).toMatchObject({ ok: false, problem: { reason: "not-avro" } });
  });

  it("refuses every torn record and never throws on rubbish", async () => {
    const wire = await openWire(memory(), all);
    const bytes = wire.encode(topics.vitals, ticked);
    for (let end = 0; end < bytes.length; end++)
      expect(wire.decode(topics.vitals, bytes.subarray(0, end))).toMatchObject({ problem: { reason: "not-avro" } });
    for (const t of all) {
      const header = wire
        .encode(t as typeof topics.vitals, { position: null, logTime: null, body: { kind: "tick" } })
        .subarray(0, 5);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (rubbish) => {
          const decoded = wire.decode(t as typeof topics.vitals, Buffer.concat([header, rubbish]));
          if (!decoded.ok) expect(decoded.problem.reason).toBe("not-avro");
        }),
        { numRuns: 300 },
      );
    }
  });

  it("is not hung by an array that claims 2^48 items", async () => {
    const chunks = topic("chunks", { partitions: 1, key: "device", codec: envelope("Chunks", [waveformChunk, tick]) });
    const wire = await openWire(memory(), [chunks]);
    const chunk = { identity: "i", subject: null, device: "d", channel: "ecg", metric: "ecg", mdc: null, ucum: "mV" };
    const times = { deviceTime: null, receivedTime: 0, eventTime: 0 };
    const samples = { rateHz: 250, gain: 1, baseline: 0, samples: [7, 7, 7] };
    const body = { kind: "waveformChunk", ...chunk, ...samples, ...times } as never;
    const bytes = wire.encode(chunks, { position: null, logTime: null, body });
    const at = Buffer.from(bytes).indexOf(Uint8Array.of(6, 14, 14, 14, 0));
    const many = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1);
    const hostile = Buffer.concat([bytes.subarray(0, at), many, bytes.subarray(at + 1)]);
    expect(wire.decode(chunks, hostile)).toMatchObject({
      ok: false,
      problem: { reason: "not-avro", detail: expect.stringContaining("longer than its bytes") },
    });
  });
});
