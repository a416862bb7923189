/** Looking into a stage that runs without touching it, and acts of named persons on its state. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { body, envelope, int, string } from "../../schemas/avro.ts";
import { quarantined } from "../../schemas/records/quarantine.ts";
import { checkpointOf, storedKeys, storedStateOf, storeOf } from "../core/checkpoint.ts";
import { stage } from "../core/stage.ts";
import { logTime } from "../core/time.ts";
import { topic } from "../core/topic.ts";
import { topology } from "../core/topology.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import type { TrimmableLog } from "./log.ts";
import { memoryLog } from "./memory.ts";
import { actsOf, exportState, resetState } from "./stage-acts.ts";
import { runStage } from "./stage-runner.ts";
import { committedView, lagOf, stepAlone, type Viewed, viewBefore } from "./stage-view.ts";

const tick = body("tick", {});
const drop = body("drop", { device: string, ml: int });
const raw = topic("drops.raw", { partitions: 1, key: "device", raw: true, codec: envelope("DropsRaw", [drop, tick]) });
const drops = topic("drops", { partitions: 1, key: "device", codec: envelope("Drops", [drop, tick]) });
const totals = topic("totals", { partitions: 1, key: "device", codec: envelope("Totals", [drop, tick]) });
const refused = topic("refused", { partitions: 1, key: "device", codec: envelope("Refused", [quarantined, tick]) });

const passOn = stage("passOn", {
  version: 1,
  reads: raw,
  writes: { drops, refused },
  quarantine: "refused",
  step: (_state, entry, out) => {
    if (entry.body.kind === "drop") out.emit("drops", entry.key, entry.body);
  },
});
/** Adds up, and tells a minute after the first. */
const total = stage("total", {
  version: 1,
  reads: drops,
  writes: { totals, refused },
  quarantine: "refused",
  step(state, entry) {
    if (entry.body.kind !== "drop") return;
    state.set("ml", ((state.get("ml") as number | undefined) ?? 0) + entry.body.ml);
    state.dueAt ??= logTime(entry.logTime + 60_000);
  },
  due(state, _now, key, out) {
    out.emit("totals", key, { kind: "drop", device: key, ml: state.get("ml") as number });
    state.delete("ml");
  },
});
const pipeline = topology([passOn, total]);

let nowMs = 0;
let log: TrimmableLog;
let viewed: Viewed;
let close: () => Promise<void>;

const send = async (
  key: string,
  atMs: number,
  what: { kind: "tick" } | { kind: "drop"; device: string; ml: number },
) => {
  nowMs = atMs;
  const appender = await log.appender("test");
  const value = viewed.wire.encode(raw, { position: null, logTime: null, body: what });
  await appender.append([{ topic: raw.name, partition: 0, key, value }]);
};
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
};
const drained = () =>
  until(async () => (await committedView(viewed, total, 0)).next === (await log.bounds(drops.name, 0)).end);

beforeEach(async () => {
  log = memoryLog({ now: () => nowMs });
  await log.ensure(pipeline.topics.map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), pipeline.topics);
  viewed = { log, wire, topology: pipeline };
  const options = {
    log,
    wire,
    lingerMs: 0,
    onError: () => {},
  };
  const running = [await runStage(passOn, pipeline, options), await runStage(total, pipeline, options)];
  close = async () => void (await Promise.all(running.map((one) => one.close())));
  await send("a", 1_000, { kind: "drop", device: "a", ml: 5 });
  await send("b", 2_000, { kind: "drop", device: "b", ml: 1 });
  await send("a", 3_000, { kind: "drop", device: "a", ml: 7 });
  await send("", 10_000, { kind: "tick" });
  await until(async () => (await log.bounds(drops.name, 0)).end === 4);
  await drained();
});
afterEach(async () => {
  await close();
  await log.close();
});

describe("looking at a stage that runs", () => {
  it("shows a key's state as committed, and as it was before any entry", async () => {
    const committed = await committedView(viewed, total, 0);
    expect(storedStateOf(committed.stored, "a")).toEqual({ cells: { ml: 12 }, dueAt: 61_000 });
    expect(storedKeys(committed.stored)).toEqual(["a", "b"]);
    const before = await viewBefore(viewed, total, 0, 2);
    expect(before).toMatchObject({ next: 2, from: "replayed" });
    expect(storedStateOf(before.stored, "a")).toEqual({ cells: { ml: 5 }, dueAt: 61_000 });
    expect(storedStateOf((await viewBefore(viewed, total, 0, 0)).stored, "a").cells).toEqual({});
  });

  it("steps one entry alone and fences nobody by it", async () => {
    const { input, before, after, outputs } = await stepAlone(viewed, total, 0, 2);
    expect(input.decoded).toMatchObject({ ok: true, value: { body: { device: "a", ml: 7 } } });
    expect([before.cells, after.cells, outputs]).toEqual([{ ml: 5 }, { ml: 12 }, []]);
    expect((await stepAlone(viewed, passOn, 0, 1)).outputs.map(({ topic: to, key }) => [to.name, key])).toEqual([
      ["drops", "b"],
    ]);
    await send("a", 11_000, { kind: "drop", device: "a", ml: 1 });
    await until(async () => (await log.bounds(drops.name, 0)).end === 5);
    await drained();
    expect(storedStateOf((await committedView(viewed, total, 0)).stored, "a").cells).toEqual({ ml: 13 });
  });

  it("says that the past is gone where the log no longer holds its start", async () => {
    await log.trim(drops.name, 0, 2);
    await expect(viewBefore(viewed, total, 0, 2)).rejects.toMatchObject({ code: "input-trimmed" });
    await expect(stepAlone(viewed, total, 0, 99)).rejects.toMatchObject({ code: "offset-out-of-range" });
  });

  it("tells how far it is behind in log time and whose ticks a window waits for", async () => {
    await send("a", 70_000, { kind: "drop", device: "a", ml: 1 });
    await until(async () => (await log.bounds(drops.name, 0)).end === 5);
    await drained();
    expect(await lagOf(viewed, total, 0)).toEqual({
      partition: 0,
      next: 5,
      end: 5,
      behindMs: 0,
      streamTime: 10_000,
      heldMs: 60_000,
      heldBy: "passOn:drops.raw/0",
    });
    await close();
    await send("a", 90_000, { kind: "drop", device: "a", ml: 1 });
    await send("a", 95_000, { kind: "drop", device: "a", ml: 1 });
    expect(await lagOf(viewed, passOn, 0)).toMatchObject({ next: 5, end: 7, behindMs: 5_000, heldBy: null });
  });
});

describe("an act of a named person", () => {
  const act = (kind: "export" | "reset") =>
    ({ kind, stage: "total", version: 1, by: "A. Engineer", reason: "test", at: "2026-11-21T08:00:00Z" }) as const;

  it("exports the state and says so", async () => {
    const [stored] = await exportState(log, total, act("export"));
    expect(storedStateOf(stored ?? new Map(), "b").cells).toEqual({ ml: 1 });
    expect(await actsOf(log)).toEqual([act("export")]);
  });

  it("resets a running stage, which begins again and comes to the same state", async () => {
    expect(await resetState(log, total, act("reset"))).toEqual([5]);
    // how far it may have stepped stays true
    expect([...(await log.snapshot(storeOf(total), 0)).keys()]).toEqual(["licence", "reset"]);
    await send("a", 11_000, { kind: "drop", device: "a", ml: 1 });
    await until(async () => checkpointOf(await log.snapshot(storeOf(total), 0))?.next === 5);
    const { stored } = await committedView(viewed, total, 0);
    expect(storedStateOf(stored, "a")).toEqual({ cells: { ml: 13 }, dueAt: 61_000 });
    expect(await actsOf(log)).toEqual([act("reset")]);
  });

  it("is refused without a name or a reason", async () => {
    await expect(resetState(log, total, { ...act("reset"), by: " " })).rejects.toMatchObject({ code: "act-unnamed" });
  });
});
