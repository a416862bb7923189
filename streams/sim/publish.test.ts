import { createServer } from "node:net";
import { Aedes } from "aedes";
import { afterEach, describe, expect, it } from "vitest";
import { type Due, publishWard } from "./publish.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const broker = async () => {
  const aedes = await Aedes.createBroker({ concurrency: 0 });
  const received: { client: string; topic: string; at: number }[] = [];
  aedes.on("publish", (packet, client) => {
    if (client !== null) received.push({ client: client.id, topic: packet.topic, at: Date.now() });
  });
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    aedes.close();
    server.close();
  });
  const address = server.address();
  return { received, url: `mqtt://127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
};

const due = (atMs: number, stream: string): Due => ({
  atMs,
  stream,
  mqttTopic: `afferent/mon-01/${stream}`,
  payload: new Uint8Array([1]),
});

describe("publishing a ward", () => {
  it("sends every message once acknowledged, waveforms through a session of their own", async () => {
    const { url, received } = await broker();
    const messages = Array.from({ length: 5000 }, (_, i) => due(i, i % 2 === 0 ? "numerics" : "waveforms"));
    const { sent, acknowledged } = await publishWard(messages, { url, speed: Number.POSITIVE_INFINITY, clientId: "w" });
    expect({ sent, acknowledged, received: received.length }).toEqual({
      sent: 5000,
      acknowledged: 5000,
      received: 5000,
    });
    const clientsOf = (stream: string) =>
      new Set(received.filter((r) => r.topic.endsWith(stream)).map((r) => r.client));
    expect([...clientsOf("numerics"), ...clientsOf("waveforms")]).toEqual(["w-vitals", "w-waveforms"]);
  });

  it("keeps the ward's pace, k times faster", async () => {
    const { url, received } = await broker();
    const { actualSpeed } = await publishWard(
      [0, 2000, 4000].map((at) => due(at, "numerics")),
      { url, speed: 10 },
    );
    expect((received.at(-1)?.at ?? 0) - (received[0]?.at ?? 0)).toBeGreaterThanOrEqual(390);
    expect(actualSpeed).toBeGreaterThan(2);
    expect(actualSpeed).toBeLessThanOrEqual(10.5);
  });

  it("stops when told, and before the time it was given", async () => {
    const { url, received } = await broker();
    const messages = [0, 1, 2, 3].map((at) => due(at * 1000, "numerics"));
    expect((await publishWard(messages, { url, speed: Number.POSITIVE_INFINITY, untilMs: 2000 })).sent).toBe(2);
    const stop = AbortSignal.abort();
    expect((await publishWard(messages, { url, speed: 1, signal: stop })).sent).toBe(0);
    expect(received).toHaveLength(2);
  });
});
