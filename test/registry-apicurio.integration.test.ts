/** The schema registry over a real Apicurio: its conformance, every topic's schema, and ids that outlive a kill. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isFree } from "../deploy/ports.ts";
import * as topics from "../schemas/topics.ts";
import { logTime } from "../streams/core/time.ts";
import { heartRate, registryConformance } from "../streams/io/registry/conformance.ts";
import { confluentRegistry } from "../streams/io/registry/confluent.ts";
import type { SchemaRegistry } from "../streams/io/registry/registry.ts";
import { openWire } from "../streams/io/registry/wire.ts";
import { sharedStack } from "./stack.ts";

const open = (): SchemaRegistry => confluentRegistry({ url: sharedStack().server("apicurio").url });

registryConformance("Apicurio", async () => open());

describe("a real Apicurio", () => {
  it("takes every topic's schema, and two processes write under the same ids", async () => {
    const all = Object.values(topics);
    const [one, other] = [await openWire(open(), all), await openWire(open(), all)];
    const envelope = { position: null, logTime: logTime(1_700_000_000_000), body: { kind: "tick" } } as const;
    for (const topic of [topics.raw, topics.vitals, topics.episodes] as (typeof topics.vitals)[]) {
      const bytes = one.encode(topic, envelope);
      expect(other.encode(topic, envelope)).toEqual(bytes);
      expect(other.decode(topic, bytes)).toEqual({ ok: true, value: envelope });
    }
  });

  it("gives the same id to processes that register a subject's first version at once", async () => {
    for (let round = 0; round < 5; round++) {
      const ids = await Promise.all(
        Array.from({ length: 6 }, () => open().register(`at-once-${round}-value`, heartRate)),
      );
      expect(new Set(ids).size).toBe(1);
    }
  });

  it("has the same ids after it was killed, so that what was written can be read", async () => {
    const id = await open().register("outlives-value", heartRate);
    const server = sharedStack().server("apicurio");
    await server.kill("SIGKILL");
    await expect(open().byId(id)).rejects.toMatchObject({ code: "registry-unavailable", retry: true });
    // The threads of a killed process may hold its port a little longer than its id.
    while (!(await isFree(server.port))) await sleep(20);
    await server.start();
    expect(await open().byId(id)).toEqual(heartRate);
    expect(await open().register("outlives-value", heartRate)).toBe(id);
  });
});
