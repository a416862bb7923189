/** Stages and sinks as they run on a log in memory. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { body, envelope, int, string } from "../../schemas/avro.ts";
import { quarantined } from "../../schemas/records/quarantine.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { HighWaterMarks } from "../core/position.ts";
import type { Sink } from "../core/sink.ts";
import { stage } from "../core/stage.ts";
import { topic, type Body } from "../core/topic.ts";
import { topology } from "../core/topology.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import type { Append, Log } from "./log.ts";
import { memoryLog } from "./memory.ts";
import { runSink } from "./sink-runner.ts";
import type { RunnerOptions } from "./runner-options.ts";
import { runStage } from "./stage-runner.ts";

const tick = body("tick", {});
const drop = body("drop", { device: string, ml: int });
const raw = topic("drops.raw", {
  partitions: 2,
  key: "device",
  raw: true,
  codec: envelope("DropsRaw", [drop, tick]),
});
const totals = topic("totals", { partitions: 3, key: "device", codec: envelope("Totals", [drop, tick]) });
const refused = topic("refused", { partitions: 1, key: "device", codec: envelope("Refused", [quarantined, tick]) });

const total = stage("total", {
  version: 1,
  reads: raw,
  writes: { totals, refused },
  quarantine: "refused",
  step(state, entry, out) {
    if (entry.body.kind !== "drop") return;
    const ml = ((state.get("ml") as number | undefined) ?? 0) + entry.body.ml;
    state.set("ml", ml);
    out.emit("totals", entry.key, { kind: "drop", device: entry.key, ml });
  },
});
const pipeline = topology([total]);

const setUp = async (log: Log) => {
  await log.ensure(pipeline.topics.map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), pipeline.topics);
  const errors: unknown[] = [];
  const options: RunnerOptions = { log, wire, lingerMs: 0, onError: (_stage, _partition, error) => errors.push(error) };
  const appender = await log.appender("test");
  const send = (device: string, ml: number): Append => ({
    topic: raw.name,
    partition: partitionOf(device, raw.partitions),
    key: device,
    value: wire.encode(raw, { position: null, logTime: null, body: { kind: "drop", device, ml } }),
  });
  return { log, wire, options, errors, appender, send };
};

/** What a reader of the topic sees: repeats dropped by position. */
const readDeduplicated = async (log: Log, wire: Awaited<ReturnType<typeof openWire>>): Promise<string[]> => {
  const seen: string[] = [];
  for (let p = 0; p < totals.partitions; p++) {
    const reader = await log.reader(totals.name, p, "start");
    const marks = new HighWaterMarks();
    for (const record of await reader.next(0)) {
      const decoded = wire.decode(totals, record.value);
      if (!decoded.ok || decoded.value.position === null || !marks.admit(decoded.value.position)) continue;
      if (decoded.value.body.kind === "drop") seen.push(`${record.key}=${decoded.value.body.ml}`);
    }
    await reader.close();
  }
  return seen.sort();
};

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 300; i++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error("it did not come to hold within 3 s");
};

const logs: Log[] = [];
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
});
const open = (): Log => {
  const log = memoryLog();
  logs.push(log);
  return log;
};

describe("a running stage", () => {
  it("keeps its state over a restart and gives each output once", async () => {
    const { log, wire, options, appender, send } = await setUp(open());
    const first = await runStage(total, pipeline, options);
    await appender.append([send("a", 1), send("b", 10), send("a", 2)]);
    await until(async () => (await readDeduplicated(log, wire)).length === 3);
    await first.close();
    await appender.append([send("a", 3)]);
    const second = await runStage(total, pipeline, options);
    await until(async () => (await readDeduplicated(log, wire)).length === 4);
    expect(await readDeduplicated(log, wire)).toEqual(["a=1", "a=3", "a=6", "b=10"]);
    await second.close();
  });

  it("loses and repeats nothing when appending fails after the records were stored", async () => {
    const log = open();
    const { wire, options, appender, send } = await setUp(log);
    let failures = 3;
    const unsure: Log = Object.assign(Object.create(log) as Log, {
      appender: async (name: string) => {
        const real = await log.appender(name);
        return {
          ...real,
          append: async (records: readonly Append[]) => {
            await real.append(records);
            if (failures-- > 0) throw new OperatingError("log-unavailable", "the answer got lost", { retry: true });
          },
        };
      },
      subscribe: log.subscribe.bind(log),
      claim: log.claim.bind(log),
      bounds: log.bounds.bind(log),
      report: log.report.bind(log),
      snapshot: log.snapshot.bind(log),
    });
    const running = await runStage(total, pipeline, { ...options, log: unsure });
    await appender.append([send("a", 1), send("a", 2), send("b", 5)]);
    await until(async () => failures < 0 && (await readDeduplicated(log, wire)).length === 3);
    expect(await readDeduplicated(log, wire)).toEqual(["a=1", "a=3", "b=5"]);
    await running.close();
  }, 15_000);

  it("quarantines bytes that are no record and goes on", async () => {
    const { log, wire, options, appender, send } = await setUp(open());
    const reasons: string[] = [];
    const running = await runStage(total, pipeline, {
      ...options,
      onQuarantined: (_s, reason) => reasons.push(reason),
    });
    const rubbish = { ...send("a", 1), value: new Uint8Array([0, 0, 0, 9, 9, 1, 2]) };
    await appender.append([rubbish, send("a", 4)]);
    await until(async () => (await readDeduplicated(log, wire)).length === 1);
    expect(reasons).toEqual(["unknown-schema-id"]);
    await running.close();
  });
});

describe("a running sink", () => {
  it("writes again after a retryable error, records progress after the answer, and says back what happened", async () => {
    const { log, wire, options, appender, send } = await setUp(open());
    const written: string[] = [];
    let down = 2;
    const sink: Sink<Body & { kind: "drop" | "tick" }, { totals: typeof totals }> = {
      name: "writer",
      reads: raw,
      writes: { totals },
      write: async (entries) => {
        if (down-- > 0) throw new OperatingError("store-unavailable", "away", { retry: true });
        for (const { body: b } of entries) if (b.kind === "drop") written.push(JSON.stringify(b));
        return entries.map(({ offset, key }) => ({
          offset,
          to: "totals",
          key,
          body: { kind: "drop", device: key, ml: 0 },
        }));
      },
    };
    const running = await runSink(sink, { ...options, onUnreadable: () => undefined });
    await appender.append([send("a", 7)]);
    await until(async () => (await readDeduplicated(log, wire)).length === 1);
    expect(written).toEqual(['{"kind":"drop","device":"a","ml":7}']);
    await running.close();
    const again = await runSink(sink, { ...options, onUnreadable: () => undefined });
    await appender.append([send("a", 8)]);
    await until(async () => written.length === 2);
    expect(written[1]).toContain('"ml":8');
    await again.close();
  }, 15_000);
});
