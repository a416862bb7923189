/** A stage that changed its version: where the old one ends and the new one begins, whoever dies in between. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { body, envelope, int, string } from "../../schemas/avro.ts";
import { quarantined } from "../../schemas/records/quarantine.ts";
import { lifeOf, storedStateOf, storeOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import { HighWaterMarks } from "../core/position.ts";
import { type AnyStage, stage } from "../core/stage.ts";
import { topic } from "../core/topic.ts";
import { topology } from "../core/topology.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import type { Append, Appender, Log, Owner, Subscription } from "./log.ts";
import { memoryLog } from "./memory.ts";
import { runStage } from "./stage-runner.ts";

const tick = body("tick", {});
const step = body("step", { device: string });
const count = body("count", { device: string, n: int, by: int });
const steps = topic("steps", { partitions: 1, key: "device", raw: true, codec: envelope("Steps", [step, tick]) });
const counts = topic("counts", { partitions: 1, key: "device", codec: envelope("Counts", [count, tick]) });
const refused = topic("refused", { partitions: 1, key: "device", codec: envelope("Refused", [quarantined, tick]) });

/** Counts steps and tells each count twice, with the version that counted: an entry told by two versions is torn. */
const counter = (version: number, cell: string, more: Partial<AnyStage> = {}): AnyStage => ({
  ...stage("counter", {
    version,
    reads: steps,
    writes: { counts, refused },
    quarantine: "refused",
    step(state, { key, body: b }, out) {
      if (b.kind !== "step") return;
      const n = ((state.get(cell) as number | undefined) ?? 0) + 1;
      state.set(cell, n);
      for (let twice = 0; twice < 2; twice++) out.emit("counts", key, { kind: "count", device: key, n, by: version });
    },
  }),
  ...more,
});
const first = counter(1, "n");
const second = counter(2, "count", { migrate: { cells: (_from, _key, { n }) => ({ count: n }) } });
const rebuilt = counter(2, "count");

const logs: Log[] = [];
const running: Subscription[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.close().catch(() => undefined);
  for (const log of logs.splice(0)) await log.close();
});

const setUp = async () => {
  const log = memoryLog();
  logs.push(log);
  const { topics } = topology([first]);
  await log.ensure(topics.map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), topics);
  const errors: string[] = [];
  const run = async (of: AnyStage, over: Log = log): Promise<Subscription> => {
    const onError = (_stage: string, _partition: number, error: unknown) =>
      errors.push(`v${of.version} ${error instanceof OperatingError ? error.code : String(error)}`);
    const started = await runStage(of, topology([of]), { log: over, wire, lingerMs: 0, onError });
    started.done.catch(() => undefined);
    running.push(started);
    return started;
  };
  const appender = await log.appender("walker");
  const walk = (times: number): Promise<void> => {
    const value = wire.encode(steps, { position: null, logTime: null, body: { kind: "step", device: "a" } });
    return appender.append(Array.from({ length: times }, () => ({ topic: steps.name, partition: 0, key: "a", value })));
  };
  /** What a reader has, repeats dropped: "count by version". */
  const told = async (): Promise<string[]> => {
    const reader = await log.reader(counts.name, 0, "start");
    const marks = new HighWaterMarks();
    const had: string[] = [];
    for (let more = await reader.next(0); more.length > 0; more = await reader.next(0))
      for (const { value } of more) {
        const decoded = wire.decode(counts, value);
        if (!decoded.ok || decoded.value.position === null || !marks.admit(decoded.value.position)) continue;
        if (decoded.value.body.kind === "count") had.push(`${decoded.value.body.n} by ${decoded.value.body.by}`);
      }
    return had;
  };
  const life = async (version: number) => lifeOf(await log.snapshot(storeOf({ name: "counter", version }), 0));
  return { log, errors, run, walk, told, life };
};

/** Each entry twice, up to and with `last`, by the first version below offset `at`, by the second from there on. */
const split = (at: number, last: number): string[] =>
  Array.from({ length: last }, (_, i) => [1, 2].map(() => `${i + 1} by ${i < at ? 1 : 2}`)).flat();

const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (let i = 0; i < 800 && !(await holds()); i++) await sleep(10);
  expect(await holds()).toBe(true);
};

/** A process whose appends or commits the test holds back or robs of their answer. */
const through = (
  log: Log,
  change: {
    append?: (real: Appender, records: readonly Append[]) => Promise<void>;
    commit?: (real: Owner, store: string, changes: Parameters<Owner["commit"]>[0]) => Promise<void>;
  },
): Log => {
  const calls = Object.fromEntries(
    (["ensure", "reader", "bounds", "subscribe", "snapshot", "progress", "report", "close"] as const).map((name) => [
      name,
      (log[name] as (...args: unknown[]) => unknown).bind(log),
    ]),
  );
  return {
    ...(calls as unknown as Log),
    appender: async (name) => {
      const real = await log.appender(name);
      return { ...real, append: (records) => change.append?.(real, records) ?? real.append(records) };
    },
    claim: async (store, ...of) => {
      const real = await log.claim(store, ...of);
      return { ...real, commit: (changes) => change.commit?.(real, store, changes) ?? real.commit(changes) };
    },
  };
};

describe("a changed stage", () => {
  it("begins where the old build, beside it, has come to the end of its licence: with its state, and no entry of both", async () => {
    const { log, errors, run, walk, told, life } = await setUp();
    await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await run(second);
    await until(async () => (await life(1)).superseded !== null);
    const at = (await life(1)).superseded?.at ?? 0;
    expect(at).toBeGreaterThanOrEqual(10);
    await walk(60);
    await until(async () => (await told()).length === 140);
    expect(await told()).toEqual(split(at, 70));
    expect(storedStateOf(await log.snapshot("counter.v2", 0), "a").cells).toEqual({ count: 70 });
    expect(errors).toContain("v2 cut-over-pending");
    expect(errors.filter((told) => told === "v1 superseded")).toHaveLength(1);
  }, 20_000);

  it("begins at once where the old build was stopped in order: it gave back the licence that it had not used", async () => {
    const { errors, run, walk, told } = await setUp();
    const old = await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await old.close();
    await walk(5);
    await run(second);
    await until(async () => (await told()).length === 30);
    expect(await told()).toEqual(split(10, 15));
    expect(errors).toEqual([]);
  });

  it("waits where the old build was killed between outputs and checkpoint, until an old one has come to the cut-over", async () => {
    const { log, errors, run, walk, told, life } = await setUp();
    let killed = false;
    const mortal = through(log, {
      append: async (real, records) => {
        // half of an entry gets out, then nothing more comes from this process
        await real.append(records.slice(0, -1));
        killed = true;
        throw new Error("killed");
      },
    });
    await run(first, mortal);
    await walk(10);
    await until(() => killed);
    await run(second);
    await until(() => errors.includes("v2 cut-over-pending"));
    expect((await told()).every((one) => one.endsWith("by 1"))).toBe(true);
    const at = (await life(1)).superseded?.at ?? 0;
    expect(at).toBeGreaterThan(10);
    await walk(70);
    await run(first);
    await until(async () => (await told()).length === 160);
    expect(await told()).toEqual(split(at, 80));
  }, 20_000);

  it("leaves nothing torn when a frozen owner of the old code wakes long after the cut-over", async () => {
    const { log, run, walk, told, life } = await setUp();
    const frozen = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    let appends = 0;
    const zombie = through(log, {
      append: async (real, records) => {
        if (appends++ !== 1) return await real.append(records);
        // half of what twenty entries gave gets out, the last of it torn
        await real.append(records.slice(0, 21));
        frozen.resolve();
        await woken.promise;
        await real.append(records.slice(21));
      },
    });
    await run(first, zombie);
    await walk(4);
    await until(async () => (await told()).length === 8);
    await walk(20);
    await frozen.promise;
    await run(second);
    await until(async () => (await life(1)).superseded !== null);
    const at = (await life(1)).superseded?.at ?? 0;
    // the group has given up the frozen one: another old build takes its place
    const subscribe = log.subscribe.bind(log);
    await run(first, { ...through(log, {}), subscribe: (_group, ...of) => subscribe("another member", ...of) });
    await walk(60);
    await until(async () => (await told()).length === 168);
    expect(await told()).toEqual(split(at, 84));
    woken.resolve();
    await sleep(100);
    await walk(3);
    await until(async () => (await told()).length === 174);
    expect(await told()).toEqual(split(at, 87));
  }, 20_000);

  it("begins once, though it is killed between recording the cut-over and storing what it took over", async () => {
    const { log, run, walk, told } = await setUp();
    const old = await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await old.close();
    let failures = 2;
    const shaky = through(log, {
      commit: async (real, store, changes) => {
        if (store === "counter.v2" && failures-- > 0)
          throw new OperatingError("commit-unsure", "gone", { retry: false });
        await real.commit(changes);
      },
    });
    await run(second, shaky);
    await walk(5);
    await until(async () => (await told()).length === 30);
    expect(await told()).toEqual(split(10, 15));
  }, 20_000);

  it("stays: an old build that comes back says who took over, and steps nothing", async () => {
    const { errors, run, walk, told } = await setUp();
    const old = await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await old.close();
    await run(second);
    await walk(1);
    await until(async () => (await told()).length === 22);
    await run(first);
    await walk(5);
    await until(async () => (await told()).length === 32 && errors.length > 0);
    expect(await told()).toEqual(split(10, 16));
    expect(errors).toEqual(["v1 superseded"]);
  });

  it("is refused to two versions at once: the third ends the second, though that had not begun", async () => {
    const { errors, run, walk, told } = await setUp();
    const old = await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await old.close();
    const third = counter(3, "count", { migrate: { cells: (_from, _key, { n }) => ({ count: n }) } });
    await run(third);
    await walk(2);
    await until(async () => (await told()).length === 24);
    await run(second);
    await walk(2);
    await until(async () => (await told()).length === 28 && errors.length > 0);
    expect((await told()).slice(20)).toEqual(["11", "11", "12", "12", "13", "13", "14", "14"].map((n) => `${n} by 3`));
    expect(errors).toEqual(["v2 superseded"]);
  });

  it("without a migrate is rebuilt by replay beside the old build, silently, and goes live where that one ends", async () => {
    const { log, run, walk, told, life } = await setUp();
    await run(first);
    await walk(2_500);
    await until(async () => (await told()).length === 5_000);
    await run(rebuilt);
    await until(async () => (await life(2)).next === 2_500);
    expect(await life(1)).toMatchObject({ next: 2_500, superseded: null });
    await walk(1);
    await until(async () => (await life(1)).superseded !== null);
    const at = (await life(1)).superseded?.at ?? 0;
    await walk(at - 2_501 + 20);
    await until(async () => (await told()).length === 2 * (at + 20));
    expect(await told()).toEqual(split(at, at + 20));
    expect(storedStateOf(await log.snapshot("counter.v2", 0), "a").cells).toEqual({ count: at + 20 });
    const reader = await log.reader(counts.name, 0, "start");
    let all = 0;
    for (let more = await reader.next(0); more.length > 0; more = await reader.next(0)) all += more.length;
    expect(all).toBe(2 * (at + 20)); // the replay told nothing
  }, 20_000);

  it("can't be rebuilt where the log no longer holds its start, and says what to do", async () => {
    const { log, run, walk, told } = await setUp();
    const old = await run(first);
    await walk(10);
    await until(async () => (await told()).length === 20);
    await old.close();
    await (log as ReturnType<typeof memoryLog>).trim(steps.name, 0, 5);
    const refusedRun = await run(rebuilt);
    await expect(refusedRun.done).rejects.toMatchObject({
      code: "input-trimmed",
      message: expect.stringMatching(/migrate/),
    });
  });

  it("begins at the start where there is no older version, and shuts the door behind it", async () => {
    const { errors, run, walk, told } = await setUp();
    await walk(3);
    await run(rebuilt);
    await until(async () => (await told()).length === 6);
    await run(first);
    await until(() => errors.length > 0);
    expect(errors).toEqual(["v1 superseded"]);
    expect(await told()).toEqual(split(0, 3));
  });
});
