/** The raw intake while its log is away, and when it refuses. */
import { describe, expect, it } from "vitest";
import { raw } from "../../schemas/topics.ts";
import { InvariantError, OperatingError } from "../core/failure.ts";
import type { Received } from "../core/received.ts";
import { realTime } from "../core/time.ts";
import { localRegistry } from "../io/registry/local.ts";
import { openWire } from "../io/registry/wire.ts";
import { RawIntake } from "./raw-intake.ts";

const away = new OperatingError("log-unavailable", "away", { retry: true });
const refusal = new OperatingError("record-too-large", "no", { retry: false });

/** An intake with room for three messages before a log that says `trouble` until it is taken away. */
const open = async (trouble?: unknown) => {
  const log = { trouble, records: 0 };
  const told = { shed: [] as string[], full: [] as boolean[], errors: [] as unknown[] };
  const intake = new RawIntake({
    topic: raw,
    appender: {
      append: async (records) => {
        if (log.trouble !== undefined) throw log.trouble;
        log.records += records.length;
      },
      close: async () => undefined,
    },
    wire: await openWire(localRegistry(":memory:"), [raw]),
    scale: realTime,
    now: Date.now,
    most: { messages: 3, bytes: 1_000_000 },
    onError: (error) => told.errors.push(error),
    onFull: (full) => told.full.push(full),
    onShed: ({ mqttTopic }) => told.shed.push(mqttTopic),
  });
  return { log, told, intake };
};

const message = (name: string | number, more: Partial<Received> = {}): Received => ({
  mqttTopic: `afferent/${name}/numerics`,
  payload: Buffer.from("{}"),
  session: "s",
  dup: false,
  qos: 1,
  retained: false,
  ...more,
});
const durable = async (promises: readonly Promise<void>[]): Promise<number> => {
  const settled = await Promise.allSettled(
    promises.map((p) => Promise.race([p, Promise.reject(new Error("not yet"))])),
  );
  return settled.filter(({ status }) => status === "fulfilled").length;
};

describe("an intake whose log is away", () => {
  it("takes no more than it has room for, keeps the order, and takes the rest once there is room", async () => {
    const { log, told, intake } = await open(away);
    const order: number[] = [];
    const all = Array.from({ length: 10 }, (_, i) => intake.accept(message(i)).then(() => void order.push(i)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([intake.pending, await durable(all), told.full]).toEqual([3, 0, [true]]);
    log.trouble = undefined;
    await Promise.all(all);
    expect([order, log.records, told.full, intake.pending]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      10,
      [true, false],
      0,
    ]);
  });

  it("is full by bytes too, though one message alone is always taken", async () => {
    const { intake } = await open(away);
    const large = { payload: Buffer.alloc(900_000) };
    for (let i = 0; i < 3; i++) intake.accept(message(i, large)).catch(() => undefined);
    expect(intake.pending).toBe(2);
    intake.close();
  });

  it("lets go of those who left before there was room, and of what they would send again", async () => {
    const { log, intake } = await open(away);
    const taken = [1, 2, 3].map((i) => intake.accept(message(i)));
    const connection = new AbortController();
    const outside = Array.from({ length: 500 }, (_, i) => intake.accept(message(i), connection.signal));
    connection.abort();
    for (const one of outside) await expect(one).rejects.toMatchObject({ code: "sender-gone", retry: true });
    await expect(intake.accept(message(4), connection.signal)).rejects.toMatchObject({ code: "sender-gone" });
    log.trouble = undefined;
    await Promise.all(taken);
    await intake.accept(message(5), connection.signal);
    expect(log.records).toBe(4);
  });

  it("drops what comes at QoS 0 only when full, and says each", async () => {
    const { log, told, intake } = await open(away);
    const taken = [1, 2, 3].map((i) => intake.accept(message(i, { qos: 0 })));
    await intake.accept(message("late", { qos: 0 }));
    expect(told.shed).toEqual(["afferent/late/numerics"]);
    log.trouble = undefined;
    await Promise.all(taken);
    await intake.accept(message("after", { qos: 0 }));
    expect([log.records, told.shed.length]).toEqual([4, 1]);
  });
});

describe("an intake whose log refuses", () => {
  it.each([
    ["what no repetition cures", refusal, "record-too-large"],
    ["by contradicting itself", new InvariantError("no"), "raw-log-defect"],
  ])("%s ends, and everybody is told", async (_, trouble, code) => {
    const { intake } = await open(trouble);
    const all = Array.from({ length: 5 }, (__, i) => intake.accept(message(i)));
    const rejected = await Promise.allSettled(all);
    expect(rejected.every((one) => one.status === "rejected" && one.reason.code === code)).toBe(true);
    await expect(intake.failed).rejects.toMatchObject({ code, retry: false });
    await expect(intake.accept(message(6))).rejects.toMatchObject({ code });
  });

  it("only for now goes on", async () => {
    const { log, told, intake } = await open(away);
    const sent = intake.accept(message(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    log.trouble = undefined;
    await sent;
    expect([told.errors, log.records]).toEqual([[away], 1]);
  });
});
