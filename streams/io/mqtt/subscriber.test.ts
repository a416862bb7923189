/** The subscriber against a broker that answers packet by packet. */
import type { IPublishPacket, Packet } from "mqtt-packet";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Received } from "../../core/received.ts";
import { type ScriptedBroker, scriptedBroker } from "./scripted-broker.fixture.ts";
import { startSubscriber, type SubscriberOptions } from "./subscriber.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const publish = (messageId: number, more: Partial<IPublishPacket> = {}): IPublishPacket => ({
  cmd: "publish",
  topic: "afferent/mon-1/numerics",
  payload: Buffer.from(String(messageId)),
  qos: 1,
  dup: false,
  retain: false,
  messageId,
  ...more,
});
const pubacks = (packets: readonly Packet[] = []): (number | undefined)[] =>
  packets.filter(({ cmd }) => cmd === "puback").map(({ messageId }) => messageId);
const count = (broker: ScriptedBroker, cmd: Packet["cmd"]): number =>
  broker.connections.flat().filter((packet) => packet.cmd === cmd).length;

const granted = (): number => 1;

/** A subscriber whose messages become durable when the test says so. */
const subscribe = async (broker: ScriptedBroker, more: Partial<SubscriberOptions> = {}) => {
  closing.push(broker.close);
  const had: { readonly message: Received; readonly connected: AbortSignal; readonly durable: () => void }[] = [];
  const states: string[] = [];
  const subscriber = await startSubscriber({
    url: broker.url,
    clientId: "ingest-vitals",
    filters: ["afferent/#"],
    protocolVersion: 4,
    receiveMaximum: 2,
    accept: (message, connected) =>
      new Promise((durable, refuse) => {
        had.push({ message, connected, durable });
        connected.addEventListener("abort", refuse, { once: true });
      }),
    onState: (state, detail) => states.push(`${state}: ${detail}`),
    retryMs: { first: 20, longest: 40 },
    ...more,
  });
  closing.push(subscriber.close);
  return { had, states };
};

describe("a message's acknowledgement", () => {
  it("is sent once, when it is durable, also of a message that held the stream", async () => {
    const broker = await scriptedBroker(granted);
    const { had } = await subscribe(broker);
    for (const id of [1, 2, 3, 4]) broker.send(publish(id));
    await vi.waitFor(() => expect(had).toHaveLength(3));
    expect(pubacks(broker.connections[0])).toEqual([]);
    had[2]?.durable();
    await vi.waitFor(() => expect(had).toHaveLength(4));
    had[0]?.durable();
    had[1]?.durable();
    had[3]?.durable();
    await vi.waitFor(() => expect(pubacks(broker.connections[0]).toSorted()).toEqual([1, 2, 3, 4]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pubacks(broker.connections[0])).toHaveLength(4);
  });

  it("of a message that came with the CONNACK itself is sent too", async () => {
    const broker = await scriptedBroker(granted, () => [publish(7, { dup: true })]);
    const { had } = await subscribe(broker);
    await vi.waitFor(() => expect(had).toHaveLength(1));
    had[0]?.durable();
    await vi.waitFor(() => expect(pubacks(broker.connections[0])).toEqual([7]));
  });

  it("is never sent on a later connection, where its packet id is another message's", async () => {
    const broker = await scriptedBroker(granted);
    const late: (() => void)[] = [];
    await subscribe(broker, { accept: () => new Promise((durable) => late.push(durable)) });
    for (const id of [1, 2, 3]) broker.send(publish(id));
    await vi.waitFor(() => expect(late).toHaveLength(3));
    broker.drop();
    await vi.waitFor(() => expect(count(broker, "subscribe")).toBe(2), { timeout: 3_000 });
    for (const durable of late) durable();
    broker.send(publish(4));
    await vi.waitFor(() => expect(late).toHaveLength(4));
    late[3]?.();
    await vi.waitFor(() => expect(pubacks(broker.connections[1])).toEqual([4]));
  });

  it("is no longer waited for when the connection is gone", async () => {
    const broker = await scriptedBroker(granted);
    const { had } = await subscribe(broker);
    broker.send(publish(1));
    await vi.waitFor(() => expect(had).toHaveLength(1));
    broker.drop();
    await vi.waitFor(() => expect(had[0]?.connected.aborted).toBe(true));
  });
});

describe("a subscription", () => {
  it("that is refused after a reconnect is said loudly, asked for again until it is granted", async () => {
    const refusedTwice = (n: number): number => (n === 1 || n === 2 ? 128 : 1);
    const broker = await scriptedBroker(refusedTwice);
    const { states } = await subscribe(broker);
    broker.drop();
    await vi.waitFor(() => expect(states.filter((s) => s.startsWith("connected"))).toHaveLength(2), { timeout: 3_000 });
    const refusals = states.filter((s) => s.includes("subscription refused"));
    expect(refusals.map((s) => /^away: .* asked again in (\d+) ms/.exec(s)?.[1])).toEqual(["20", "40"]);
    expect(count(broker, "subscribe")).toBe(4);
  });

  it("that is granted at QoS 0 counts as refused: the broker would keep nothing for us", async () => {
    const broker = await scriptedBroker((n) => (n === 0 ? 0 : 1));
    const { states } = await subscribe(broker);
    expect(states).toEqual([expect.stringContaining("granted at QoS 0 only"), expect.stringMatching(/^connected/)]);
  });

  it("asks an MQTT 5 broker for retained messages only where it is new", async () => {
    const broker = await scriptedBroker(granted, undefined, 5);
    await subscribe(broker, { protocolVersion: 5 });
    const asked = broker.connections.flat().find(({ cmd }) => cmd === "subscribe");
    expect(asked).toMatchObject({ subscriptions: [{ topic: "afferent/#", qos: 1, rh: 1, rap: false }] });
  });

  it("marks what the broker had retained, and at which QoS a message came", async () => {
    const broker = await scriptedBroker(granted);
    const { had } = await subscribe(broker);
    broker.send(publish(1, { retain: true }));
    broker.send({ ...publish(2, { qos: 0 }), messageId: undefined as never });
    await vi.waitFor(() => expect(had).toHaveLength(2));
    expect(had.map(({ message: { retained, qos } }) => [retained, qos])).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });
});
