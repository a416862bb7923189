/** Inputs that are not what a checkpoint counts on any more: each stops its task with a code of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { body, envelope, string } from "../../schemas/avro.ts";
import { quarantined } from "../../schemas/records/quarantine.ts";
import { type Checkpoint, checkpointOf } from "../core/checkpoint.ts";
import { stage } from "../core/stage.ts";
import { topic } from "../core/topic.ts";
import { topology } from "../core/topology.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import type { TrimmableLog } from "./log.ts";
import { memoryLog } from "./memory.ts";
import { runSink } from "./sink-runner.ts";
import { sqliteLog } from "./sqlite.ts";
import { resetState } from "./stage-acts.ts";
import { runStage } from "./stage-runner.ts";

const tick = body("tick", {});
const beep = body("beep", { device: string });
const beeps = topic("beeps.raw", {
  partitions: 2,
  key: "device",
  raw: true,
  codec: envelope("BeepsRaw", [beep, tick]),
});
const heard = topic("heard", { partitions: 2, key: "device", codec: envelope("Heard", [beep, tick]) });
const refused = topic("refused", { partitions: 1, key: "device", codec: envelope("Refused", [quarantined, tick]) });
const echo = stage("echo", {
  version: 1,
  reads: heard,
  writes: { refused },
  quarantine: "refused",
  step: () => undefined,
});

const folders: string[] = [];
const logs: TrimmableLog[] = [];
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const onDisk = (): TrimmableLog => {
  const folder = mkdtempSync(join(tmpdir(), "lost-input-"));
  folders.push(folder);
  return sqliteLog({ file: join(folder, "log.sqlite") });
};

/** Ten records upstream, ten in what the stage reads, and a checkpoint of its first partition. */
const setUp = async (open: () => TrimmableLog, checkpoint: Partial<Checkpoint>, store = "echo.v1", partitions = 2) => {
  const log = open();
  logs.push(log);
  await log.ensure([beeps, heard, refused].map(({ name, partitions: count }) => ({ name, partitions: count })));
  const wire = await openWire(localRegistry(":memory:"), [beeps, heard, refused]);
  const appender = await log.appender("test");
  const value = wire.encode(beeps, { position: null, logTime: null, body: { kind: "beep", device: "a" } });
  for (const { name } of [beeps, heard])
    await appender.append(Array.from({ length: 10 }, () => ({ topic: name, partition: 0, key: "a", value })));
  const owner = await log.claim(store, 0, partitions);
  await owner.load();
  await owner.confirm();
  const whole: Checkpoint = {
    next: 4,
    marks: [],
    times: [],
    streamTime: null,
    scale: { originMs: 0, speed: 1 },
    shared: null,
    forwarded: [],
    ...checkpoint,
  };
  await owner.commit(new Map([["checkpoint", new TextEncoder().encode(JSON.stringify(whole))]]));
  await owner.close();
  const errors: unknown[] = [];
  const options = {
    log,
    wire,
    lingerMs: 0,
    onError: (_name: string, _partition: number, error: unknown) => errors.push(error),
    onUnreadable: () => undefined,
  };
  return { log, errors, options };
};

describe.each([
  ["memory", memoryLog],
  ["SQLite", onDisk],
] as const)("a task on a %s log that lost something stops, and says what to do:", (_name, open) => {
  it.each([
    [
      "the log starts above its checkpoint",
      { next: 4 },
      7,
      "checkpoint-below-log-start",
      /reset the stage by name or restore/,
    ],
    ["the log ends below its checkpoint", { next: 11 }, 0, "log-ends-below-checkpoint", /replaced or truncated/],
    [
      "what its upstream had read was replaced by something shorter",
      { marks: [["beep:beeps.raw/0", { offset: 10, n: 0 }]] },
      0,
      "upstream-ends-below-mark",
      /beeps.raw\/0 ends at 10.*restore it, or give the new one a new name/,
    ],
  ] as const)("%s", async (_what, checkpoint, trimmedTo, code, says) => {
    for (const store of ["echo.v1", "sink"]) {
      const { log, errors, options } = await setUp(open, checkpoint, store);
      await log.trim(heard.name, 0, trimmedTo);
      const running =
        store === "sink"
          ? await runSink({ name: "sink", reads: heard, writes: {}, write: async () => [] }, options)
          : await runStage(echo, topology([echo]), options);
      await expect(running.done).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
      expect(errors).toMatchObject([{ code }]);
    }
  });

  it("its state was kept for another number of partitions", async () => {
    const { errors, options } = await setUp(open, {}, "echo.v1", 3);
    const running = await runStage(echo, topology([echo]), options);
    await expect(running.done).rejects.toMatchObject({
      code: "partition-count-changed",
      message: expect.stringMatching(/a new count is a new topic/),
    });
    expect(errors[0]).toMatchObject({ code: "partition-count-changed" });
  });

  it("its log was trimmed before its first checkpoint, though it may have told something; a reset lets it begin again", async () => {
    const { log, options } = await setUp(open, {});
    const stored = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const change = async (changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> => {
      const owner = await log.claim("echo.v1", 0, 2);
      await owner.load();
      await owner.confirm();
      await owner.commit(changes);
      await owner.close();
    };
    await change(new Map([["checkpoint", null] as const, ["licence", stored(32)] as const]));
    await log.trim(heard.name, 0, 3);
    const refusing = await runStage(echo, topology([echo]), options);
    await expect(refusing.done).rejects.toMatchObject({ code: "checkpoint-below-log-start" });
    await resetState(log, echo, { kind: "reset", stage: "echo", version: 1, by: "A", reason: "B", at: "2026-11-21" });
    const running = await runStage(echo, topology([echo]), options);
    while (checkpointOf(await log.snapshot("echo.v1", 0))?.next !== 10) await new Promise((r) => setTimeout(r, 10));
    await running.close();
  });

  it("other stages write what it reads, though its version is the same", async () => {
    const { options } = await setUp(open, { upstreams: ["somebody:else/0"] });
    const running = await runStage(echo, topology([echo]), options);
    await expect(running.done).rejects.toMatchObject({
      code: "upstreams-changed",
      message: expect.stringMatching(/raise its version/),
    });
  });

  it("it came of another topic, whether by the same version or an earlier one", async () => {
    for (const version of [1, 2]) {
      const { errors, options } = await setUp(open, { reads: "heard.of.old" });
      const changed = { ...echo, version };
      const running = await runStage(changed, topology([changed]), options);
      await expect(running.done).rejects.toMatchObject({
        code: "input-changed",
        message: expect.stringMatching(/give it a new name/),
      });
      expect(errors).toMatchObject([{ code: "input-changed" }]);
    }
  });

  it("but not where an upstream ends right after its mark, or stands no more in the topology", async () => {
    const marks: Checkpoint["marks"] = [
      ["beep:beeps.raw/0", { offset: 9, n: 3 }],
      ["gone:gone.raw/0", { offset: 70, n: 0 }],
    ];
    const { log, errors, options } = await setUp(open, { marks });
    const running = await runStage(echo, topology([echo]), options);
    await expect.poll(async () => (await log.progress("echo", heard.name))[0]).toBe(10);
    expect(errors).toEqual([]);
    await running.close();
  });
});
