import { describe, expect, it } from "vitest";
import { logConformance } from "./conformance.ts";
import { append, numbers, readAll, record, Subscriber, values } from "./conformance-fixtures.ts";
import { memoryLog } from "./memory.ts";

logConformance(
  "memory",
  () => {
    const log = memoryLog();
    return async () => log;
  },
  { durable: false, patienceMs: 3_000 },
);

describe("memory log on a virtual clock", () => {
  it("stamps by the clock that it was given, but never goes back", async () => {
    const clock = [1_000, 5_000, 3_000, 6_000];
    const log = memoryLog({ now: () => clock.shift() ?? 0 });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    for (let i = 0; i < 4; i++) await append(log, [record("telemetry.raw", 0, String(i))]);
    expect((await readAll(log, "telemetry.raw", 0)).map(({ stampMs }) => stampMs)).toEqual([
      1_000, 5_000, 5_000, 6_000,
    ]);
  });

  it("asks for no timer but where a reader waits for a limited time, or a partition was rejected", async () => {
    const asked: number[] = [];
    const log = memoryLog({
      timer: (ms, fire) => {
        asked.push(ms);
        queueMicrotask(fire);
        return () => {};
      },
    });
    await log.ensure([{ name: "telemetry.raw", partitions: 1 }]);
    const subscriber = new Subscriber();
    const subscription = await log.subscribe("normalise", "telemetry.raw", subscriber.handler);
    await append(log, numbers("telemetry.raw", 0, 0, 3));
    await new Promise((resolve) => setImmediate(resolve));
    expect(subscriber.values(0)).toEqual(["0", "1", "2"]);
    await subscription.close();
    expect(asked).toEqual([]);
    expect(await (await log.reader("telemetry.raw", 0, "end")).next(700)).toEqual([]);
    expect(asked).toEqual([700]);
  });

  it("keeps no more than its retention, give or take a tenth", async () => {
    const log = memoryLog({ retain: (topic) => (topic === "telemetry.raw" ? 100 : undefined) });
    await log.ensure([
      { name: "telemetry.raw", partitions: 1 },
      { name: "clinical.audit", partitions: 1 },
    ]);
    await append(log, [...numbers("telemetry.raw", 0, 0, 1000), ...numbers("clinical.audit", 0, 0, 1000)]);
    const kept = values(await readAll(log, "telemetry.raw", 0));
    expect(kept.at(-1)).toBe("999");
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length).toBeLessThanOrEqual(111);
    expect(await readAll(log, "clinical.audit", 0)).toHaveLength(1000);
  });
});
