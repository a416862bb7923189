import { describe, expect, it } from "vitest";
import { body, envelope, int, string } from "../../schemas/avro.ts";
import type { InputRecord } from "./task.ts";
import { storedStateOf } from "./checkpoint.ts";
import { Task } from "./task.ts";
import { ok, refuse } from "./failure.ts";
import type { Position } from "./position.ts";
import { stage } from "./stage.ts";
import { logTime } from "./time.ts";
import { topic, type Body } from "./topic.ts";

const beat = body("beat", { device: string, count: int });
const tick = body("tick", {});
const limits = body("limits", { version: int, highest: int });
const codec = envelope("TestEntry", [beat, tick, limits]);
const source = topic("beats.raw", { partitions: 2, key: "device", raw: true, codec });
const beats = topic("beats", { partitions: 2, key: "device", codec });
const sums = topic("sums", { partitions: 3, key: "device", codec });
const refused = topic("refused", { partitions: 1, key: "device", codec });

/** Adds up a device's beats and reports the sum five seconds after the first. */
const sum = stage("sum", {
  version: 1,
  reads: beats,
  writes: { sums, refused },
  quarantine: "refused",
  shared: {
    empty: 100,
    kinds: ["limits"],
    apply: (highest: number, b) => (b.kind === "limits" ? b.highest : highest),
  },
  step(state, entry, out, highest) {
    if (entry.body.kind !== "beat") return;
    const total = ((state.get("total") as number | undefined) ?? 0) + entry.body.count;
    state.set("total", total);
    if (entry.body.count === 13) throw new Error("unlucky");
    if (total > highest) out.emit("sums", entry.key, { kind: "beat", device: entry.key, count: -total });
    state.dueAt ??= logTime(entry.logTime + 5000);
  },
  due(state, _now, key, out) {
    out.emit("sums", key, { kind: "beat", device: key, count: (state.get("total") as number | undefined) ?? 0 });
    state.delete("total");
  },
});

let offset = 0;
const record = (key: string, b: Body, position: Position | null, at: number): InputRecord => ({
  offset: offset++,
  key,
  value: new Uint8Array([1]),
  stampMs: at,
  decoded: ok({ position, logTime: logTime(at), body: b }),
});
const from = (partition: number, upstreamOffset: number, n = 0): Position => ({
  writer: "count",
  topic: "beats.raw",
  partition,
  offset: upstreamOffset,
  n,
});
const beatOf = (device: string, count: number): Body => ({ kind: "beat", device, count }) as Body;
const tickBody = { kind: "tick" };
const upstreams = ["count:beats.raw/0", "count:beats.raw/1"];

describe("a task", () => {
  it("waits for the slowest upstream before it steps due keys, and forwards that time", () => {
    const task = new Task(sum, 0, upstreams);
    const outputs = task.process([
      record("a", beatOf("a", 3), from(0, 1), 1000),
      record("", tickBody, from(0, 2), 9000),
      record("", tickBody, from(1, 7), 5000),
    ]);
    // stream time is 5000: the key is due at 6000, so only the tick goes on, to every partition of every output
    expect(outputs.map((o) => [o.topic.name, o.partition, o.envelope.body.kind])).toEqual([
      ["sums", 0, "tick"],
      ["sums", 1, "tick"],
      ["sums", 2, "tick"],
      ["refused", 0, "tick"],
    ]);
    const later = task.process([record("", tickBody, from(1, 8), 6000)]);
    expect(later[0]?.envelope).toMatchObject({ logTime: 6000, body: { kind: "beat", count: 3 } });
  });

  it("drops repeats of a position and gives its outputs gapless positions of their own", () => {
    const task = new Task(sum, 0, upstreams);
    const first = record("a", beatOf("a", 200), from(0, 5), 0);
    const outputs = task.process([
      first,
      { ...first, offset: offset++ },
      record("a", beatOf("a", 1), from(0, 5, 1), 0),
    ]);
    expect(task.counts.repeats).toBe(1);
    expect(outputs.map((o) => (o.envelope.body as Body & { count: number }).count)).toEqual([-200, -201]);
    expect(outputs[0]?.envelope.position).toMatchObject({ topic: "beats", partition: 0, offset: first.offset, n: 0 });
  });

  it("quarantines a step that throws, whole, and leaves the key as it was", () => {
    const task = new Task(sum, 0, upstreams);
    task.process([record("a", beatOf("a", 150), from(0, 1), 0)]);
    const outputs = task.process([
      record("a", beatOf("a", 13), from(0, 2), 0),
      record("a", beatOf("a", 1), from(0, 3), 0),
    ]);
    expect(outputs[0]).toMatchObject({
      topic: refused,
      key: "a",
      envelope: { body: { kind: "quarantined", reason: "stage-defect", device: "a" } },
    });
    expect(outputs[1]?.envelope.body).toMatchObject({ count: -151 });
  });

  it("keeps the appointment of a due step that throws, and tries again after a minute, two, four and at most an hour of log time", () => {
    let broken = true;
    const throwing = {
      ...sum,
      due: (...of: Parameters<NonNullable<typeof sum.due>>) => {
        if (broken) throw new Error("unlucky");
        sum.due?.(...of);
      },
    };
    let task = new Task(throwing, 0, []);
    task.process([record("a", beatOf("a", 3), from(0, 1), 1000)]);
    const triedAt: number[] = [];
    const stored = new Map<string, Uint8Array>();
    const keep = (): void => {
      for (const [key, value] of task.checkpoint())
        if (value === null) stored.delete(key);
        else stored.set(key, value);
    };
    let second = 2;
    const tickTo = (last: number): Body[] => {
      const told: Body[] = [];
      for (; second <= last; second++) {
        const outputs = task.process([record("", tickBody, null, second * 1000)]).map((o) => o.envelope.body);
        if (outputs.some(({ kind }) => kind === "quarantined")) triedAt.push(second);
        told.push(...outputs.filter(({ kind }) => kind !== "tick"));
      }
      return told;
    };
    expect(tickTo(300)[0]).toMatchObject({
      reason: "stage-defect",
      device: null,
      key: "a",
      offset: expect.any(Number),
    });
    // what it had asked for stands, and a step sees it so
    keep();
    expect(storedStateOf(stored, "a")).toEqual({ cells: { total: 3 }, dueAt: 6000 });
    task = new Task(throwing, 0, []);
    task.restore(stored);
    // data that comes meanwhile neither hastens nor forgets it
    task.process([record("a", beatOf("a", 4), from(0, 2), 300_000)]);
    tickTo(8000);
    expect(triedAt).toEqual([6, 66, 186, 426, 906, 1866, 3786, 7386]);
    broken = false;
    expect(tickTo(11_000)).toEqual([{ kind: "beat", device: "a", count: 7 }]);
    keep();
    expect([...stored.keys()]).toEqual(["checkpoint"]);
  });

  it("quarantines what the wire could not read, with its bytes", () => {
    const task = new Task(sum, 0, upstreams);
    const torn = { ...record("a", tickBody, null, 0), decoded: refuse("not-avro", "torn") };
    expect(task.process([torn])[0]?.envelope.body).toMatchObject({ reason: "not-avro", value: torn.value });
  });

  it("applies and forwards each version of shared data once, though it comes from every upstream", () => {
    const task = new Task(sum, 0, upstreams);
    const newLimit = { kind: "limits", version: 2, highest: 1 } as Body;
    const outputs = task.process([record("", newLimit, from(0, 1), 0), record("", newLimit, from(1, 1), 0)]);
    expect(outputs).toHaveLength(4);
    expect(task.process([record("a", beatOf("a", 2), from(0, 2), 0)])).toHaveLength(1);
  });

  it("goes on from a checkpoint exactly as it would have gone on without one", () => {
    const records = [
      record("a", beatOf("a", 60), from(0, 10), 1000),
      record("b", beatOf("b", 70), from(1, 10), 1000),
      record("", tickBody, from(0, 11), 2000),
      record("a", beatOf("a", 60), from(0, 12), 2000),
      record("", tickBody, from(1, 11), 7000),
      record("", tickBody, from(0, 13), 7000),
    ];
    const straight = new Task(sum, 0, upstreams).process(records);
    for (let cut = 0; cut <= records.length; cut++) {
      const before = new Task(sum, 0, upstreams);
      const outputs = before.process(records.slice(0, cut));
      const after = new Task(sum, 0, upstreams);
      const stored = [...before.checkpoint()].filter((change): change is [string, Uint8Array] => change[1] !== null);
      after.restore(new Map(stored));
      expect([...outputs, ...after.process(records.slice(cut))], `cut after ${cut}`).toEqual(straight);
    }
  });

  it("scales log time of a raw topic by the speed that its first record fixes", () => {
    const raw = stage("raw", {
      version: 1,
      reads: source,
      writes: { sums, refused },
      quarantine: "refused",
      step: (_state, entry, out) => out.emit("sums", entry.key, { kind: "beat", device: "x", count: 1 }),
    });
    const task = new Task(raw, 0, []);
    const origin = { kind: "origin", originMs: 10_000, speed: 60 } as Body;
    const outputs = task.process([record("", origin, null, 10_000), record("a", beatOf("a", 1), null, 11_000)]);
    expect(outputs[0]?.envelope.logTime).toBe(70_000);
    const later = task.process([
      record("", { ...origin, speed: 5 } as Body, null, 12_000),
      record("a", beatOf("a", 1), null, 12_000),
    ]);
    expect(later[0]?.envelope.body).toMatchObject({ reason: "origin-not-first" });
    expect(later[1]?.envelope.logTime).toBe(130_000);
  });

  it("lists a few of a reading's problems, the first with its bytes, however many there are", () => {
    const fussy = stage("fussy", {
      version: 1,
      reads: beats,
      writes: { sums, refused },
      quarantine: "refused",
      step(_state, _entry, out) {
        for (let i = 0; i < 10_000; i++) out.quarantine({ reason: "bad", detail: "x".repeat(900_000) });
      },
    });
    const outputs = new Task(fussy, 0, upstreams).process([record("a", beatOf("a", 1), from(0, 1), 0)]);
    const listed = outputs.map((o) => o.envelope.body as Body & { value: Uint8Array; detail: string });
    expect(listed.map(({ value }) => value.length)).toEqual([1, ...Array.from({ length: 15 }, () => 0)]);
    for (const { detail } of listed) expect(detail.length).toBeLessThan(600);
  });

  it("refuses shared data that has no version", () => {
    const task = new Task(sum, 0, upstreams);
    const outputs = task.process([record("", { kind: "limits" }, from(0, 1), 0)]);
    expect(outputs[0]?.envelope.body).toMatchObject({ reason: "broadcast-without-version" });
  });

  it("refuses a key that its state could not be stored under", () => {
    const task = new Task(sum, 0, upstreams);
    const outputs = task.process([record("a\u0000b", beatOf("a", 1), from(0, 1), 0)]);
    expect(
      outputs.map(({ topic: to, key, envelope: { body: b } }) => [to.name, key, (b as { reason?: string }).reason]),
    ).toEqual([["refused", "a", "key-not-storable"]]);
    expect([...task.checkpoint().keys()]).toEqual(["checkpoint"]);
  });
});
