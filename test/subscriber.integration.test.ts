/**
 * Ingest at the real mosquitto, with MQTT 3.1.1 and 5: the broker is acknowledged only what the raw log has, so that a killed ingest loses
 * nothing: what it had taken and not acknowledged comes again to its successor, and so does what came while nobody was there.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import type { Reading } from "../schemas/records/telemetry.ts";
import { raw } from "../schemas/topics.ts";
import type { Received } from "../streams/core/received.ts";
import { startSubscriber } from "../streams/io/mqtt/subscriber.ts";
import { forgetSessions } from "./platform/broker.ts";
import { monitorReading, twoMonitors } from "./platform/two-monitors.ts";
import { entriesOf, until } from "./platform/watch.ts";
import { startPlatform } from "./platform.ts";
import { sharedStack } from "./stack.ts";

const versions = [4, 5] as const;
const story = { timeout: 120_000 };
const url = (): string => sharedStack().server("mosquitto").url;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const publisher = async (protocolVersion: 4 | 5): Promise<MqttClient> => {
  const client = await connectAsync(url(), { protocolVersion });
  closing.push(() => client.endAsync());
  return client;
};

describe.each(versions)("a subscriber at mosquitto, MQTT version %i", story, (protocolVersion) => {
  /** A subscriber that has each message at hand and acknowledges those that `durable` says yes to, as the raw log would. */
  const subscribe = async (name: string, durable: (text: string) => boolean) => {
    const had: { readonly text: string; readonly dup: boolean; readonly retained: boolean }[] = [];
    const subscriber = await startSubscriber({
      url: url(),
      clientId: `${name}-vitals`,
      filters: [`${name}/#`],
      protocolVersion,
      receiveMaximum: 100,
      accept: (message: Received) => {
        const text = Buffer.from(message.payload).toString();
        had.push({ text, dup: message.dup, retained: message.retained });
        return durable(text) ? Promise.resolve() : new Promise(() => undefined);
      },
      onState: () => undefined,
    });
    return { had, close: subscriber.close };
  };

  it("acknowledges what is durable and nothing else: the rest, and only that, comes again", async () => {
    const name = `ack-${protocolVersion}-${randomUUID()}`;
    closing.push(() => forgetSessions(url(), name));
    const first = await subscribe(name, (text) => Number(text) % 2 === 0);
    const client = await publisher(protocolVersion);
    const all = Array.from({ length: 20 }, (_, i) => String(i));
    for (const text of all) await client.publishAsync(`${name}/x`, text, { qos: 1 });
    await until("all to have come", () => first.had.length === all.length);
    // the broker has had the acknowledgements once it answers what was sent after them
    await client.publishAsync(`${name}/x`, "100", { qos: 1 });
    await until("the last to have come", () => first.had.length === all.length + 1);
    await first.close();

    const second = await subscribe(name, () => true);
    closing.push(second.close);
    await client.publishAsync(`${name}/x`, "200", { qos: 1 });
    await until("what comes after", () => second.had.some(({ text }) => text === "200"));
    const again = second.had.filter(({ text }) => text !== "200");
    expect(again.map(({ text }) => text)).toEqual(all.filter((text) => Number(text) % 2 === 1));
    expect(again.every(({ dup }) => dup)).toBe(true);
  });

  it("marks what the broker had retained, which MQTT 5 is sent once and 3.1.1 with each connection", async () => {
    const name = `retained-${protocolVersion}-${randomUUID()}`;
    closing.push(() => forgetSessions(url(), name));
    const client = await publisher(protocolVersion);
    closing.push(() => client.publishAsync(`${name}/x`, "", { qos: 1, retain: true }));
    await client.publishAsync(`${name}/x`, "old", { qos: 1, retain: true });
    const first = await subscribe(name, () => true);
    await until("what was retained", () => first.had.length === 1);
    await client.publishAsync(`${name}/x`, "new", { qos: 1, retain: true });
    await until("what is published now", () => first.had.length === 2);
    await first.close();
    const second = await subscribe(name, () => true);
    closing.push(second.close);
    await client.publishAsync(`${name}/x`, "last", { qos: 1 });
    await until("what comes after", () => second.had.some(({ text }) => text === "last"));
    const said = (of: typeof first) => of.had.map(({ text, retained }) => [text, retained]);
    expect(said(first)).toEqual([
      ["old", true],
      ["new", false],
    ]);
    expect(said(second)).toEqual([...(protocolVersion === 4 ? [["new", true]] : []), ["last", false]]);
  });

  it("ingest killed in mid-stream, and started again, loses nothing", async () => {
    const [device, quiet] = ["mon-killed", "mon-quiet"];
    const platform = await startPlatform({
      stack: sharedStack(),
      roster: twoMonitors([device, quiet], Date.now()),
      protocolVersion,
    });
    closing.push(platform.stop);
    const client = await publisher(protocolVersion);
    const stop = new AbortController();
    const acknowledged: number[] = [];
    const streaming = (async () => {
      for (let sequence = 0; !stop.signal.aborted; sequence++) {
        const { topic, payload } = monitorReading(device, sequence, Date.now());
        void client.publishAsync(topic, payload, { qos: 1 }).then(() => acknowledged.push(sequence));
        if (sequence % 5 === 0) await sleep(2);
      }
    })();
    const readings = async (): Promise<Reading[]> =>
      (await entriesOf(platform.log, platform.wire, raw)).flatMap(({ body }) =>
        body.kind === "reading" ? [body] : [],
      );

    for (let times = 0; times < 2; times++) {
      const before = (await readings()).length;
      await until("the stream to flow", async () => (await readings()).length > before + 500);
      await platform.role("ingest").kill();
      const sent = acknowledged.length;
      await until("some to come while nobody is there", () => acknowledged.length > sent + 500);
      await platform.start("ingest");
    }
    stop.abort();
    await streaming;
    await platform.settle();

    const sequences = (await readings()).map(
      ({ payload }) => (JSON.parse(Buffer.from(payload).toString()) as { seq: number }).seq,
    );
    const kept = new Set(sequences);
    expect(acknowledged.filter((sequence) => !kept.has(sequence))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(2_000);
    // one value each, for a redelivery is dropped by its sequence, and its row is the same
    expect(await platform.series.count("vitals")).toBe(kept.size);
  });
});
