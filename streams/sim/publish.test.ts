import { afterEach, describe, expect, it } from "vitest";
import type { Received } from "../core/received.ts";
import { type Listener, startListener } from "../io/mqtt/listener.ts";
import { type Playable, publishWard } from "./publish.ts";

/** `seconds` of ward time: each second one number and one waveform of each device. */
const played = (seconds: number, devices = 2, startMs = 1_800_000_000_000): Playable => ({
  startMs,
  *messages() {
    for (let s = 0; s < seconds; s++)
      for (let d = 0; d < devices; d++)
        for (const stream of ["numerics", "waveforms"])
          yield {
            atMs: startMs + s * 1000 + d,
            device: `mon-${d}`,
            stream,
            mqttTopic: `afferent/mon-${d}/${stream}`,
            payload: new TextEncoder().encode(String(s)),
          };
  },
});

const open: Listener[] = [];
const heard: Received[] = [];
const listen = async (port = 0, accept: (m: Received) => Promise<void> = async () => {}): Promise<Listener> => {
  const listener = await startListener({
    host: "127.0.0.1",
    port,
    accept: async (message) => {
      await accept(message);
      heard.push(message);
    },
    onError: () => undefined,
  });
  open.push(listener);
  return listener;
};
const urlOf = ({ port }: Listener): string => `mqtt://127.0.0.1:${port}`;
const textsOn = (topic: string): number[] =>
  heard.filter((m) => m.mqttTopic === topic).map((m) => Number(new TextDecoder().decode(m.payload)));
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
  heard.length = 0;
});

describe("publishing a ward", () => {
  it("as fast as it goes: everything arrives once, in each device's order, waveforms through another session", async () => {
    const done = await publishWard(played(500), { url: urlOf(await listen()), speed: Number.POSITIVE_INFINITY });
    expect(done).toMatchObject({ sent: 2_000, acknowledged: 2_000 });
    expect(textsOn("afferent/mon-1/numerics")).toEqual(upTo(500));
    expect(textsOn("afferent/mon-0/waveforms")).toEqual(upTo(500));
    const sessions = Map.groupBy(heard, ({ session }) => session);
    expect([...sessions.values()].map((list) => new Set(list.map((m) => m.mqttTopic.split("/")[2])))).toEqual([
      new Set(["numerics"]),
      new Set(["waveforms"]),
    ]);
  });

  it("keeps to ward time at speed k", async () => {
    const began = performance.now();
    const done = await publishWard(played(41, 1), { url: urlOf(await listen()), speed: 20 });
    const tookMs = performance.now() - began;
    expect(done.acknowledged).toBe(82);
    expect(tookMs).toBeGreaterThan(1_990);
    expect(tookMs).toBeLessThan(4_000);
  });

  it("does not hurry past its window: what is not acknowledged bounds what is sent", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let most = 0;
    let flying = 0;
    const listener = await listen(0, async () => {
      most = Math.max(most, ++flying);
      await held;
      flying--;
    });
    const publishing = publishWard(played(200, 1), {
      url: urlOf(listener),
      speed: Number.POSITIVE_INFINITY,
      inFlight: 7,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    release();
    expect((await publishing).acknowledged).toBe(400);
    expect(most).toBeLessThanOrEqual(14);
  });

  it("outlives a broker that goes away in the middle, and loses nothing", async () => {
    const first = await listen();
    const port = first.port;
    const publishing = publishWard(played(60, 1), { url: urlOf(first), speed: 30 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    await first.close();
    open.splice(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await listen(port);
    expect((await publishing).acknowledged).toBe(120);
    for (const stream of ["numerics", "waveforms"])
      expect([...new Set(textsOn(`afferent/mon-0/${stream}`))]).toEqual(upTo(60));
  });

  it("stops when told, at a ward time or by a signal", async () => {
    const url = urlOf(await listen());
    const until = await publishWard(played(500, 1), {
      url,
      speed: Number.POSITIVE_INFINITY,
      untilMs: 1_800_000_010_000,
    });
    expect(until.sent).toBe(20);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    const told = await publishWard(played(500, 1), { url, speed: 10, signal: stop.signal });
    expect(told.sent).toBeLessThan(12);
    expect(told.acknowledged).toBe(told.sent);
  });

  it("gives each device sessions of its own where asked", async () => {
    const url = urlOf(await listen());
    await publishWard(played(3, 3), { url, speed: Number.POSITIVE_INFINITY, sessions: "device", clientId: "t" });
    expect(new Set(heard.map((m) => m.session))).toEqual(
      new Set(["mon-0", "mon-1", "mon-2"].flatMap((d) => [`t-${d}-numerics`, `t-${d}-waveforms`])),
    );
  });

  it("tells how fast it really goes", async () => {
    const speeds: number[] = [];
    const url = urlOf(await listen());
    await publishWard(played(25, 1), { url, speed: 10, onProgress: ({ actualSpeed }) => speeds.push(actualSpeed) });
    expect(speeds.length).toBeGreaterThanOrEqual(2);
    expect(speeds[1]).toBeGreaterThan(7);
    expect(speeds[1]).toBeLessThan(13);
  });

  it("says that nobody answers", async () => {
    const listener = await listen();
    const url = urlOf(listener);
    await listener.close();
    open.splice(0);
    const stopped = await publishWard(played(5), { url, speed: 1, signal: AbortSignal.timeout(300) });
    expect(stopped.sent).toBe(0);
    await expect(publishWard(played(5), { url, speed: 1, connectWithinMs: 300 })).rejects.toMatchObject({
      code: "broker-unreachable",
      retry: true,
    });
  });
});
