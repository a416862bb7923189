/** The listener between its two durable places: the alert circuit's intake and the raw log, either of which may be away. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { describeTopology, openPlatform, type Platform } from "../compose.ts";
import { checkConfig, type Config } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import type { Received } from "../core/received.ts";
import type { Body } from "../core/topic.ts";
import { localRegistry } from "../io/registry/local.ts";
import { rememberedRegistry } from "../io/registry/remembered.ts";
import { openWire } from "../io/registry/wire.ts";
import { startTapEndpoint } from "../io/tap/endpoint.ts";
import { eventually } from "../log/conformance-fixtures.ts";
import type { Appender, Log } from "../log/log.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import { raw } from "../../schemas/topics.ts";
import { emptyRoster, smallConfig } from "../small-config.fixture.ts";
import { openFrontDoor } from "./intake.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const freshData = async (): Promise<string> => {
  const data = await mkdtemp(join(tmpdir(), "afferent-listener-"));
  closing.push(() => rm(data, { recursive: true, force: true }));
  await writeFile(join(data, "roster.json"), JSON.stringify(emptyRoster));
  return data;
};

const configOf = (data: string, alertTap: string): Config =>
  checkConfig(smallConfig(data, { intake: { kind: "listener", host: "127.0.0.1", port: 0, alertTap } }), "of a test");

const noKafka = (): Promise<never> =>
  Promise.reject(new OperatingError("log-unavailable", "no Kafka", { retry: true }));

/** What a listener sees of Kafka: the appends of its intakes go to SQLite here, or nowhere while `isAway`. */
const beforeKafka = async (data: string, alertTap: string, kafka: { isAway: boolean }): Promise<Platform> => {
  const platform = await openPlatform(configOf(data, alertTap), "listen");
  closing.push(platform.close);
  const appender = async (name: string): Promise<Appender> => {
    const real = await platform.log.appender(name);
    const append: Appender["append"] = (records) =>
      kafka.isAway && name.startsWith("intake.") ? noKafka() : real.append(records);
    return { append, close: () => real.close() };
  };
  const log = new Proxy(platform.log, {
    get(target, property) {
      if (property === "appender") return appender;
      if (property === "ensure" && kafka.isAway) return noKafka;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) satisfies Log;
  return { ...platform, log, config: { ...platform.config, log: { kind: "kafka", brokers: ["nowhere:1"] } } };
};

const openDoor = async (platform: Platform) => {
  const door = await openFrontDoor(platform);
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await door.close();
    open = false;
  };
  closing.push(close);
  return { port: door.port, close };
};

const startCircuit = async (port = 0) => {
  const messages: Received[] = [];
  const accept = async (message: Received): Promise<void> => void messages.push(message);
  const endpoint = await startTapEndpoint({ host: "127.0.0.1", port, accept, onError: () => undefined });
  closing.push(endpoint.close);
  return { ...endpoint, url: `http://127.0.0.1:${endpoint.port}`, messages };
};

const connectTo = async (port: number | undefined, clientId: string): Promise<MqttClient> => {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId, reconnectPeriod: 0 });
  client.on("error", () => undefined);
  closing.push(() => client.endAsync(true));
  return client;
};

/** All that the raw log of vitals holds, partition after partition. */
const rawBodies = async ({ log, wire }: Platform): Promise<readonly Body[]> => {
  const bodies: Body[] = [];
  for (let partition = 0; partition < raw.partitions; partition++) {
    const reader = await log.reader(raw.name, partition, "start");
    for (let records = await reader.next(0); records.length > 0; records = await reader.next(0))
      for (const { value } of records) {
        const decoded = wire.decode(raw, value);
        if (decoded.ok) bodies.push(decoded.value.body);
      }
    await reader.close();
  }
  return bodies;
};

/** All readings of the raw log's vitals, by device, in their order. */
const rawReadings = async (platform: Platform): Promise<ReadonlyMap<string, readonly Reading[]>> => {
  const readings = (await rawBodies(platform)).filter((body): body is Reading => body.kind === "reading");
  return Map.groupBy(readings, ({ device }) => device);
};

const textOf = ({ payload }: { readonly payload: Uint8Array }): string => Buffer.from(payload).toString();
const messages = 60_000;
const devices = 20;

describe("a listener whose raw log is away", () => {
  it("goes on taking vitals and the circuit gets each; a later run drains what it left, in order", {
    timeout: 60_000,
  }, async () => {
    const [data, circuit, kafka] = [await freshData(), await startCircuit(), { isAway: true }];
    const platform = await beforeKafka(data, circuit.url, kafka);
    const door = await openDoor(platform);
    const clients = await Promise.all(Array.from({ length: devices }, (_, i) => connectTo(door.port, `mon-${i}`)));
    const each = Array.from({ length: messages / devices }, (_, n) => String(n));
    await Promise.all(
      clients.flatMap((client, i) => each.map((n) => client.publishAsync(`afferent/mon-${i}/numerics`, n, { qos: 1 }))),
    );
    // all acknowledged: each is at the circuit and on the listener's own disk
    expect(circuit.messages).toHaveLength(messages);
    expect((await rawReadings(platform)).size).toBe(0);
    const metrics = await platform.metrics.metrics();
    expect(metrics).toContain(`afferent_spool_records ${messages}`);
    expect(metrics).toContain("afferent_tap_pending_messages 0");
    await door.close();

    // the next run finds the spool; what comes meanwhile is behind it
    const again = await openDoor(platform);
    const late = await connectTo(again.port, "mon-0");
    await late.publishAsync("afferent/mon-0/numerics", "late", { qos: 1 });
    kafka.isAway = false;
    await eventually(
      async () => expect(await platform.metrics.metrics()).toContain("afferent_spool_records 0"),
      20_000,
    );
    const readings = await rawReadings(platform);
    for (let i = 0; i < devices; i++)
      expect(readings.get(`mon-${i}`)?.map(textOf)).toEqual(i === 0 ? [...each, "late"] : each);
    // when each was received is as it was, at the circuit and in the raw log
    const told = circuit.messages.filter(({ session }) => session === "mon-3").map(({ receivedMs }) => receivedMs);
    expect(readings.get("mon-3")?.map(({ receivedTime }) => receivedTime)).toEqual(told);
  });

  it("holds waveforms, which have a connection of their own, and nothing else for them", async () => {
    const [data, circuit, kafka] = [await freshData(), await startCircuit(), { isAway: true }];
    const platform = await beforeKafka(data, circuit.url, kafka);
    const door = await openDoor(platform);
    const [waves, vitals] = [await connectTo(door.port, "mon-1-waves"), await connectTo(door.port, "mon-1")];
    let waveDone = false;
    const wave = waves.publishAsync("afferent/mon-1/waveforms", "w", { qos: 1 }).then(() => (waveDone = true));
    for (const stream of ["numerics", "alarms", "status"])
      await vitals.publishAsync(`afferent/mon-1/${stream}`, stream, { qos: 1 });
    expect(waveDone).toBe(false);
    expect(circuit.messages.map(textOf)).toEqual(["numerics", "alarms", "status"]);
    kafka.isAway = false;
    await wave;
  });
});

describe("a listener that starts while Kafka and the schema registry are away", () => {
  const nothing = {
    log: { kind: "kafka", brokers: ["127.0.0.1:1"] },
    registry: { kind: "confluent", url: "http://127.0.0.1:1" },
  };

  it("opens its door with what the registry once said: what comes is at the circuit, and on its own disk", {
    timeout: 60_000,
  }, async () => {
    const [data, circuit] = [await freshData(), await startCircuit()];
    const config = { ...configOf(data, circuit.url), ...nothing } as Config;
    await expect(openPlatform(config, "listen")).rejects.toMatchObject({ code: "registry-unavailable" });
    const earlier = rememberedRegistry(localRegistry(":memory:"), join(data, "schema-ids.json"), () => undefined);
    await openWire(earlier, (await describeTopology(config)).topics);
    await expect(openPlatform(config, "process")).rejects.toMatchObject({ code: "log-unavailable" });

    const platform = await openPlatform(config, "listen");
    closing.push(platform.close);
    const device = await connectTo((await openDoor(platform)).port, "mon-1");
    await device.publishAsync("afferent/mon-1/alarms", "asystole", { qos: 1 });
    expect(circuit.messages.map(textOf)).toEqual(["asystole"]);
    expect(await platform.metrics.metrics()).toContain("afferent_spool_records 1");
  });

  it("tells roster and rules, and what it spooled, when they are back", async () => {
    const [data, circuit, kafka] = [await freshData(), await startCircuit(), { isAway: true }];
    const platform = { ...(await beforeKafka(data, circuit.url, kafka)), logAway: true };
    const device = await connectTo((await openDoor(platform)).port, "mon-1");
    await device.publishAsync("afferent/mon-1/alarms", "asystole", { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await rawBodies(platform)).map(({ kind }) => kind)).toEqual([]);
    kafka.isAway = false;
    await eventually(async () => {
      const kinds = new Set((await rawBodies(platform)).map(({ kind }) => kind));
      expect(kinds).toEqual(new Set(["reading", "rules", "tick"]));
    }, 5_000);
  });
});

describe("a listener whose alert circuit is away", () => {
  it("gives the raw log each message at once, its sender no acknowledgement, and the circuit all when it is back", async () => {
    const [data, gone] = [await freshData(), await startCircuit()];
    await gone.close();
    const platform = await beforeKafka(data, gone.url, { isAway: false });
    const door = await openDoor(platform);
    const [patient, leaves] = [await connectTo(door.port, "mon-1"), await connectTo(door.port, "mon-2")];
    let acknowledged = 0;
    const sent = Array.from({ length: 50 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, 10 * n));
      await patient.publishAsync("afferent/mon-1/numerics", String(n), { qos: 1 }).then(() => acknowledged++);
    });
    leaves.publishAsync("afferent/mon-2/alarms", "asystole", { qos: 1 }).catch(() => undefined);
    await eventually(async () => {
      const readings = await rawReadings(platform);
      expect([readings.get("mon-1")?.length, readings.get("mon-2")?.length]).toEqual([50, 1]);
    }, 5_000);
    await leaves.endAsync(true);
    expect(acknowledged).toBe(0);
    expect(await platform.metrics.metrics()).toContain("afferent_tap_pending_messages 51");

    const back = await startCircuit(gone.port);
    await Promise.all(sent);
    expect(back.messages.map(textOf).toSorted()).toEqual(
      ["asystole", ...Array.from({ length: 50 }, (_, n) => String(n))].toSorted(),
    );
  });

  it("keeps a payload that is too large as its size and digest, once for both", async () => {
    const [data, circuit] = [await freshData(), await startCircuit()];
    const platform = await beforeKafka(data, circuit.url, { isAway: false });
    const client = await connectTo((await openDoor(platform)).port, "mon-1");
    await client.publishAsync("afferent/mon-1/numerics", Buffer.alloc(2_000_000), { qos: 1 });
    const [told] = circuit.messages;
    const kept = (await rawReadings(platform)).get("mon-1")?.[0];
    expect([told?.payload.length, told?.truncated?.size]).toEqual([64 * 1024, 2_000_000]);
    expect(kept?.truncated).toEqual(told?.truncated);
  });
});
