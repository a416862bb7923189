/** What every schema registry must do; run over the local one and over a real server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SchemaRegistry } from "./registry.ts";

const recordOf = (...fields: object[]): object => ({ type: "record", name: "Sample", namespace: "afferent", fields });
const bpm = { name: "bpm", type: "int" };
const lead = { name: "lead", type: "string", default: "II" };

export const heartRate = recordOf(bpm);
/** Reads `heartRate` by its default. */
const withLead = recordOf(bpm, lead);
/** Reads `withLead`, but not `heartRate`, which has no lead. */
const withBareLead = recordOf(bpm, { name: "lead", type: "string" });
const asText = recordOf({ name: "bpm", type: "string" });

/** Subjects are unique per run, for a real registry keeps what it was told. */
export const registryConformance = (name: string, open: () => Promise<SchemaRegistry>): void => {
  describe(`schema registry: ${name}`, () => {
    let registry: SchemaRegistry;
    let subject = 0;
    const run = process.hrtime.bigint().toString(36);
    const fresh = (): string => `conformance-${run}-${++subject}-value`;
    beforeAll(async () => {
      registry = await open();
    });
    afterAll(() => registry.close());

    it("gives the same schema the same id, however often it is registered", async () => {
      const topic = fresh();
      const id = await registry.register(topic, heartRate);
      expect(await registry.register(topic, heartRate)).toBe(id);
      expect(await registry.all(topic)).toEqual([{ id, schema: heartRate }]);
    });

    it("lists a subject's versions oldest first", async () => {
      const topic = fresh();
      const first = await registry.register(topic, heartRate);
      const second = await registry.register(topic, withLead);
      expect(second).not.toBe(first);
      expect(await registry.all(topic)).toEqual([
        { id: first, schema: heartRate },
        { id: second, schema: withLead },
      ]);
    });

    it("finds a schema by its id and admits when it has none", async () => {
      const id = await registry.register(fresh(), withLead);
      expect(await registry.byId(id)).toEqual(withLead);
      expect(await registry.byId(2_000_000_000)).toBeUndefined();
      expect(await registry.all(fresh())).toEqual([]);
    });

    it("refuses a schema that can't read what was written, and names the subject", async () => {
      const topic = fresh();
      await registry.register(topic, heartRate);
      await expect(registry.register(topic, asText)).rejects.toMatchObject({
        code: "schema-incompatible",
        retry: false,
        message: expect.stringContaining(topic),
      });
      expect(await registry.all(topic)).toHaveLength(1);
    });

    it("compares with every older version, not just the last", async () => {
      const topic = fresh();
      await registry.register(topic, heartRate);
      await registry.register(topic, withLead);
      await expect(registry.register(topic, withBareLead)).rejects.toMatchObject({ code: "schema-incompatible" });
      const twin = fresh();
      await registry.register(twin, withLead);
      await expect(registry.register(twin, withBareLead)).resolves.toBeTypeOf("number");
    });
  });
};
