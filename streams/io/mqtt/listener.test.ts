/** The listener over real sockets: acknowledgements, fullness, and who may speak on which topic. */
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { rawWaveforms, raw } from "../../../schemas/topics.ts";
import { OperatingError } from "../../core/failure.ts";
import { realTime } from "../../core/time.ts";
import type { Log } from "../../log/log.ts";
import { memoryLog } from "../../log/memory.ts";
import { addressOf, RawIntake } from "../../log/raw-intake.ts";
import { localRegistry } from "../registry/local.ts";
import { openWire } from "../registry/wire.ts";
import { startListener } from "./listener.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const platformPassword = "correct horse battery staple";

/** A listener before a memory log whose appends can be held up. */
const open = async (most?: { readonly messages: number; readonly bytes: number }) => {
  const log: Log = memoryLog();
  await log.ensure([raw, rawWaveforms].map(({ name, partitions }) => ({ name, partitions })));
  const wire = await openWire(localRegistry(":memory:"), [raw, rawWaveforms]);
  const real = await log.appender("intake");
  const gate = { away: false };
  const errors: unknown[] = [];
  const seen: number[] = [];
  const refused: string[] = [];
  const intake = new RawIntake({
    topic: raw,
    appender: {
      append: async (records) => {
        if (gate.away) throw new OperatingError("log-unavailable", "away", { retry: true });
        await real.append(records);
      },
      close: real.close,
    },
    wire,
    scale: realTime,
    now: Date.now,
    ...(most !== undefined && { most }),
    onError: (error) => errors.push(error),
  });
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    accept: (message, connected) => {
      seen.push(message.payload.length);
      return intake.accept(message, connected);
    },
    onError: (error) => errors.push(error),
    platformPassword,
    onRefused: (why, session) => refused.push(`${why} ${session}`),
  });
  closing.push(
    () => log.close(),
    listener.close,
    async () => intake.close(),
  );
  const client = await connectAsync(`mqtt://127.0.0.1:${listener.port}`, { clientId: "mon-01", reconnectPeriod: 0 });
  client.on("error", () => undefined);
  closing.push(() => client.endAsync(true));
  const stored = async () => {
    const readings = [];
    for (let p = 0; p < raw.partitions; p++) {
      const reader = await log.reader(raw.name, p, "start");
      for (let records = await reader.next(0); records.length > 0; records = await reader.next(0))
        for (const record of records) {
          const decoded = wire.decode(raw, record.value);
          if (decoded.ok && decoded.value.body.kind === "reading") readings.push(decoded.value.body);
        }
      await reader.close();
    }
    return readings;
  };
  return { client, gate, stored, intake, seen, refused, port: listener.port };
};

describe("the listener", () => {
  it("acknowledges only what the raw log has", async () => {
    const { client, gate, stored } = await open();
    gate.away = true;
    let acknowledged = false;
    const sent = client.publishAsync("afferent/mon-01/numerics", "{}", { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(acknowledged).toBe(false);
    expect(await stored()).toEqual([]);
    gate.away = false;
    await sent;
    expect(await stored()).toMatchObject([
      { device: "mon-01", stream: "numerics", session: "mon-01", truncated: null },
    ]);
  });

  it("tells nobody what another device said", async () => {
    const { client, port } = await open();
    const other = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: "eavesdropper" });
    closing.push(() => other.endAsync(true));
    const heard: string[] = [];
    other.on("message", (topic) => heard.push(topic));
    await other.subscribeAsync("#", { qos: 1 }).catch(() => undefined);
    await client.publishAsync("afferent/mon-01/numerics", "{}", { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([]);
  });

  it("keeps many messages of one device waiting for one append, in order", async () => {
    const { client, stored } = await open();
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => client.publishAsync("afferent/mon-01/numerics", String(i), { qos: 1 })),
    );
    const order = (await stored()).map(({ payload }) => Number(new TextDecoder().decode(payload)));
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it("keeps a 10 MB payload as its size, digest and first 64 KiB", async () => {
    const { client, stored } = await open();
    await client.publishAsync("afferent/mon-01/numerics", Buffer.alloc(10_000_000, 7), { qos: 1 });
    const [reading] = await stored();
    expect(reading?.truncated).toMatchObject({ size: 10_000_000 });
    expect(reading?.truncated?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(reading?.payload).toHaveLength(65_536);
  });

  it("keeps what came on a topic that is nobody's", async () => {
    const { client, stored } = await open();
    await client.publishAsync("somewhere/else", "x", { qos: 1 });
    expect(await stored()).toMatchObject([{ device: "?", stream: "?", mqttTopic: "somewhere/else" }]);
  });
});

describe("a listener whose intake is full", () => {
  it("reads no more from a sender than its socket had handed over, and loses nothing that it acknowledged", async () => {
    const { client, gate, stored, intake, seen } = await open({ messages: 5, bytes: 1_000_000 });
    gate.away = true;
    const kilobyte = "x".repeat(1_000);
    const all = Array.from({ length: 5_000 }, () =>
      client.publishAsync("afferent/mon-01/numerics", kilobyte, { qos: 1 }),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(intake.pending).toBe(5);
    expect(seen.length).toBeLessThan(500);
    gate.away = false;
    await Promise.all(all);
    expect(await stored()).toHaveLength(5_000);
  });

  it("does not fill up with what senders that come and go repeat", async () => {
    const { gate, stored, intake, port } = await open({ messages: 5, bytes: 1_000_000 });
    gate.away = true;
    for (let times = 0; times < 20; times++) {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: "mon-02", reconnectPeriod: 0 });
      client.on("error", () => undefined);
      for (let i = 0; i < 20; i++)
        client.publishAsync("afferent/mon-02/numerics", String(i), { qos: 1 }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await client.endAsync(true);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(intake.pending).toBe(5);
    gate.away = false;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await stored()).length).toBe(5);
  });
});

describe("addressOf", () => {
  it.each([
    ["afferent/mon-01/numerics", "mon-01", "numerics"],
    ["afferent/mon-01/numerics/more", "?", "?"],
    ["afferent//numerics", "?", "?"],
    ["other/mon-01/numerics", "?", "?"],
    ["", "?", "?"],
  ])("%s", (mqttTopic, device, stream) => {
    expect(addressOf(mqttTopic)).toEqual({ device, stream });
  });
});

describe("the platform's own topics", () => {
  const beat = "afferent-platform/beat-01/alarms";
  const as = (port: number, username: string, password: string) =>
    connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: "heart", username, password, reconnectPeriod: 0 }, false);

  it("are written by who has the platform's password", async () => {
    const { port, stored, refused } = await open();
    const heart = await as(port, "platform", platformPassword);
    closing.push(() => heart.endAsync(true));
    await heart.publishAsync(beat, "{}", { qos: 1 });
    await heart.publishAsync("afferent/mon-01/numerics", "{}", { qos: 1 });
    expect((await stored()).map((r) => [r.device, r.stream, r.mqttTopic])).toEqual([
      ["beat-01", "alarms", beat],
      ["mon-01", "numerics", "afferent/mon-01/numerics"],
    ]);
    expect(refused).toEqual([]);
  });

  it("refuse its name without its password, which would be a mute button", async () => {
    const { port, refused } = await open();
    await expect(as(port, "platform", "guess")).rejects.toThrow("Not authorized");
    await expect(as(port, "platform", "")).rejects.toThrow("Not authorized");
    expect(refused).toEqual(["platform-password heart", "platform-password heart"]);
  });

  it("are those of people's answers too: who can send a message accepts no page in a nurse's name", async () => {
    const { port, client, stored, refused } = await open();
    const answer = "afferent-answers/nurse-1";
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publishAsync(answer, "{}", { qos: 1 }).catch(() => undefined);
    await closed;
    const trusted = await as(port, "platform", platformPassword);
    closing.push(() => trusted.endAsync(true));
    await trusted.publishAsync(answer, "{}", { qos: 1 });
    expect((await stored()).map((r) => r.mqttTopic)).toEqual([answer]);
    expect(refused).toEqual(["platform-topic mon-01"]);
  });

  it("refuse a device, under whatever name it connects; it has no acknowledgement, and its own topics stay its own", async () => {
    const { port, client, stored, refused } = await open();
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publishAsync(beat, "{}", { qos: 1 }).catch(() => undefined);
    await closed;
    const named = await as(port, "mon-02", platformPassword);
    closing.push(() => named.endAsync(true));
    await named.publishAsync("afferent/mon-02/numerics", "{}", { qos: 1 });
    const gone = new Promise<void>((resolve) => named.once("close", () => resolve()));
    named.publishAsync(beat, "{}", { qos: 0 }).catch(() => undefined);
    await gone;
    expect((await stored()).map((r) => r.device)).toEqual(["mon-02"]);
    expect(refused).toEqual(["platform-topic mon-01", "platform-topic heart"]);
  });
});
