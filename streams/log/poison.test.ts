/** Outputs that no log takes, and errors that close a partition. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { body, bytes, envelope, int, string, type TypeOf } from "../../schemas/avro.ts";
import { type Quarantined, quarantined } from "../../schemas/records/quarantine.ts";
import { OperatingError } from "../core/failure.ts";
import { HighWaterMarks } from "../core/position.ts";
import type { Sink } from "../core/sink.ts";
import { type AnyTopic, stage } from "../core/stage.ts";
import { type Body, topic } from "../core/topic.ts";
import { topology } from "../core/topology.ts";
import type { Wire } from "../core/wire.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import type { Log, LogRecord } from "./log.ts";
import { memoryLog } from "./memory.ts";
import { recordBytesMax } from "./refusal.ts";
import { runSink } from "./sink-runner.ts";
import { runStage } from "./stage-runner.ts";

const tick = body("tick", {});
const wish = body("wish", { device: string, size: int, times: int, payload: bytes });
const grant = body("grant", { device: string, payload: bytes, n: int });
type Wish = TypeOf<typeof wish>;
const wishes = topic("wishes", { partitions: 1, key: "device", raw: true, codec: envelope("Wishes", [wish, tick]) });
const grants = topic("grants", { partitions: 2, key: "device", codec: envelope("Grants", [grant, quarantined, tick]) });
const refused = topic("refused", { partitions: 1, key: "device", codec: envelope("Refused", [quarantined, tick]) });

/** Emits as many grants as wished for: the first as large as wished for; of a size below zero, something that is no grant. */
const grantor = stage("grantor", {
  version: 1,
  reads: wishes,
  writes: { grants, refused },
  quarantine: "refused",
  step(_state, { key, body: b }, out) {
    if (b.kind !== "wish") return;
    for (let n = 0; n < b.times; n++) {
      const whole: TypeOf<typeof grant> = {
        kind: "grant",
        device: key,
        payload: new Uint8Array(n === 0 ? Math.max(b.size, 0) : 1),
        n,
      };
      out.emit("grants", key, n === 0 && b.size < 0 ? ({ ...whole, n: "many" } as never) : whole);
    }
  },
});
const line = topology([grantor]);
const small = new Uint8Array([7]);

const logs: Log[] = [];
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
});
const setUp = async () => {
  const log = memoryLog();
  logs.push(log);
  await log.ensure(line.topics.map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), line.topics);
  const reasons: string[] = [];
  const errors: string[] = [];
  const options = {
    log,
    wire,
    lingerMs: 0,
    onQuarantined: (_stage: string, reason: string) => reasons.push(reason),
    onError: (_stage: string, _partition: number, error: unknown) =>
      errors.push(error instanceof OperatingError ? error.code : String(error)),
    onUnreadable: () => undefined,
  };
  const appender = await log.appender("test");
  const send = (device: string, size: number, times: number, payload = small): Promise<void> => {
    const value = wire.encode(wishes, {
      position: null,
      logTime: null,
      body: { kind: "wish", device, size, times, payload },
    });
    return appender.append([{ topic: wishes.name, partition: 0, key: device, value }]);
  };
  return { log, wire, reasons, errors, options, send };
};

const all = async (log: Log, of: AnyTopic): Promise<LogRecord[]> => {
  const records: LogRecord[] = [];
  for (let p = 0; p < of.partitions; p++) {
    const reader = await log.reader(of.name, p, "start");
    for (let more = await reader.next(0); more.length > 0; more = await reader.next(0)) records.push(...more);
    await reader.close();
  }
  return records;
};
const bodies = async <B extends Body>(log: Log, wire: Wire, of: AnyTopic) =>
  (await all(log, of)).flatMap(({ value }) => {
    const decoded = wire.decode(of, value);
    return decoded.ok ? [{ position: decoded.value.position, body: decoded.value.body as B }] : [];
  });
const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (let i = 0; i < 500 && !(await holds()); i++) await sleep(10);
  expect(await holds()).toBe(true);
};

describe("a poison output", () => {
  it("gives its position to a quarantine record with its input, and stops nothing", async () => {
    const { log, wire, reasons, errors, options, send } = await setUp();
    await send("a", recordBytesMax + 1, 3);
    await send("b", -1, 2);
    await send("c", 1, 1);
    const running = await runStage(grantor, line, options);
    await until(async () => (await all(log, grants)).length === 4);
    const granted = await bodies<TypeOf<typeof grant>>(log, wire, grants);
    expect(
      granted.map(({ position, body: { device } }) => `${device} ${position?.offset}.${position?.n}`).sort(),
    ).toEqual(["a 0.1", "a 0.2", "b 1.1", "c 2.0"]);
    const [large, odd] = await bodies<Quarantined>(log, wire, refused);
    expect(large).toMatchObject({
      position: { writer: "grantor", offset: 0, n: 0 },
      body: {
        reason: "poison-output",
        detail: expect.stringMatching(/at most 1500000 fit/),
        device: "a",
        offset: 0,
        key: "a",
      },
    });
    expect(odd).toMatchObject({
      position: { offset: 1, n: 0 },
      body: { reason: "poison-output", detail: expect.stringMatching(/can't be encoded/) },
    });
    const [first] = await all(log, wishes);
    expect(large?.body.value).toEqual(Buffer.from(first?.value ?? []));
    expect([reasons, errors]).toEqual([["poison-output", "poison-output"], []]);
    await running.close();
  });

  it("keeps of an input that is too large to quarantine whole its beginning, and says so", async () => {
    const { log, wire, options, send } = await setUp();
    const payload = new Uint8Array(recordBytesMax - 100);
    await send("a", -1, 1, payload);
    const running = await runStage(grantor, line, options);
    await until(async () => (await all(log, refused)).length === 1);
    const [kept] = await bodies<Quarantined>(log, wire, refused);
    expect(kept?.body.value).toHaveLength(64 * 1024);
    expect(kept?.body.detail).toMatch(/of 1499\d+ bytes the first 65536 are kept$/);
    await running.close();
  });

  it("is decided alike by a replay: a reader that had it drops it", async () => {
    const { log, wire, options, send } = await setUp();
    await send("a", recordBytesMax + 1, 2);
    for (let run = 0; run < 2; run++) {
      const running = await runStage(grantor, line, options);
      await until(async () => (await all(log, refused)).length === 1 + run);
      await running.close();
      // as if its checkpoint had been lost with it
      const owner = await log.claim("grantor.v1", 0, 1);
      const stored = await owner.load();
      await owner.confirm();
      await owner.commit(new Map([...stored.keys()].map((key) => [key, null])));
    }
    const marks = new HighWaterMarks();
    const had = (await bodies(log, wire, refused)).filter(({ position }) => position !== null && marks.admit(position));
    expect(had).toHaveLength(1);
  });

  it("is no reason to quarantine where the registry is away: the batch is tried again", async () => {
    const { log, reasons, errors, options, send } = await setUp();
    let away = 2;
    const wire: Wire = {
      decode: (...of) => options.wire.decode(...of),
      learn: (id) => options.wire.learn(id),
      encode: (...of) => {
        if (away-- > 0) throw new OperatingError("registry-unavailable", "away", { retry: true });
        return options.wire.encode(...of);
      },
    };
    await send("a", 1, 1);
    const running = await runStage(grantor, line, { ...options, wire });
    await until(async () => (await all(log, grants)).length === 1);
    expect([reasons, errors]).toEqual([[], ["registry-unavailable", "registry-unavailable"]]);
    await running.close();
  });

  it("of a sink's answer is quarantined too, or only told where the sink has no quarantine", async () => {
    const { log, wire, reasons, errors, options, send } = await setUp();
    const sink = (
      name: string,
      quarantine: { quarantine?: "refused" },
    ): Sink<Wish | Body, { grants: typeof grants; refused: typeof refused }> => ({
      name,
      reads: wishes as never,
      writes: { grants, refused },
      ...quarantine,
      write: async (entries) =>
        entries.map(({ offset, key }) => ({
          offset,
          to: "grants",
          key,
          body: { kind: "grant", device: key, payload: new Uint8Array(recordBytesMax), n: 0 },
        })),
    });
    await send("a", 1, 1);
    const careful = await runSink(sink("careful", { quarantine: "refused" }), options);
    const plain = await runSink(sink("plain", {}), options);
    await until(() => reasons.length === 2);
    await until(
      async () => (await log.snapshot("plain", 0)).size === 1 && (await log.snapshot("careful", 0)).size === 1,
    );
    expect(await bodies<Quarantined>(log, wire, refused)).toMatchObject([
      { position: { writer: "careful" }, body: { stage: "careful", reason: "poison-output", offset: 0, key: "a" } },
    ]);
    expect(errors).toEqual(["poison-output", "poison-output"]);
    await careful.close();
    await plain.close();
  });
});

describe("an error that closes a partition", () => {
  it("is told once each, whether it comes of claiming, loading, looking at the log or reading", async () => {
    const { log, errors, options, send } = await setUp();
    const fail: string[] = ["claim", "bounds", "report"];
    const failing = new Proxy(log, {
      get: (of, name: keyof Log) => {
        const call = of[name] as (...args: unknown[]) => unknown;
        return async (...args: unknown[]) => {
          if (fail.includes(name)) {
            fail.splice(fail.indexOf(name), 1);
            throw new OperatingError(`no-${name}`, "away", { retry: true });
          }
          return await call.apply(of, args);
        };
      },
    });
    await send("a", 1, 1);
    const running = await runStage(grantor, line, { ...options, log: failing });
    await until(() => errors.length === 3);
    await send("a", 1, 1);
    await until(async () => (await log.progress("grantor", wishes.name))[0] === 2);
    expect(errors).toEqual(["no-claim", "no-bounds", "no-report"]);
    await running.close();
    fail.push("claim");
    const sink = await runSink(
      { name: "sink", reads: wishes as never, writes: {}, write: async () => [] },
      { ...options, log: failing },
    );
    await until(async () => (await log.progress("sink", wishes.name))[0] === 2);
    expect(errors.slice(3)).toEqual(["no-claim"]);
    await sink.close();
  }, 20_000);
});
