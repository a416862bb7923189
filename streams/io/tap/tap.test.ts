/** The listener's tap and the circuit's endpoint: what is promised while either is away, slow, full or gone. */
import { afterEach, describe, expect, it } from "vitest";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";
import { startTapEndpoint, type TapEndpointOptions } from "./endpoint.ts";
import { contentType, frameOf, messagesOf, type Tapped, tapPath } from "./frame.ts";
import { Tap, type TapOptions } from "./tap.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const message = (name: string | number, more: Partial<Tapped> = {}): Tapped => ({
  mqttTopic: `afferent/mon-${name}/alarms`,
  payload: Buffer.from(`{"n":"${name}"}`),
  session: "mon",
  dup: false,
  qos: 1,
  retained: false,
  receivedMs: 1_700_000_000_000,
  ...more,
});

const open = async (accept: TapEndpointOptions["accept"], port = 0) => {
  const errors: unknown[] = [];
  const endpoint = await startTapEndpoint({ host: "127.0.0.1", port, accept, onError: (e) => errors.push(e) });
  closing.push(endpoint.close);
  return { ...endpoint, errors };
};

const tapTo = (port: number, more: Partial<TapOptions> = {}) => {
  const errors: OperatingError[] = [];
  const onError = (error: unknown) => errors.push(error as OperatingError);
  const tap = new Tap({ url: `http://127.0.0.1:${port}`, run: "run-1", onError, ...more });
  closing.push(() => tap.close());
  return { tap, errors };
};

const soon = (ms = 60): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const names = (messages: readonly Received[]): string[] =>
  messages.map(({ mqttTopic }) => mqttTopic.split("/")[1] ?? "");

describe("a message through the tap", () => {
  it("arrives byte for byte with all that is known of it, before its sender is answered", async () => {
    const durable: Received[] = [];
    const { port } = await open(async (one) => void durable.push(one));
    const { tap } = tapTo(port);
    const given = [
      message("ä/1", { payload: Buffer.from([0, 255, 10, 13, 0]), dup: true, qos: 2, session: 's\u0000"ß' }),
      message(2, { payload: Buffer.alloc(0), retained: true, truncated: { size: 9_000_000, sha256: "ab" } }),
      message(3, { payload: Buffer.alloc(1024 * 1024, 7) }),
    ];
    await Promise.all(given.map((one) => tap.accept(one)));
    expect(durable).toEqual(given);
    expect(tap.pending).toBe(0);
  });

  it("waits for the circuit's disk, and for nothing else: no linger", async () => {
    const disk = Promise.withResolvers<void>();
    const { port } = await open(() => disk.promise);
    const { tap } = tapTo(port);
    let answered = false;
    const sent = tap.accept(message(1)).then(() => (answered = true));
    await soon();
    expect(answered).toBe(false);
    disk.resolve();
    await sent;
    const tookMs: number[] = [];
    for (let i = 0; i < 50; i++) {
      const began = performance.now();
      await tap.accept(message(i));
      tookMs.push(performance.now() - began);
    }
    expect(tookMs.sort((a, b) => a - b)[25]).toBeLessThan(20);
  });
});

describe("while the circuit is away", () => {
  it("what was taken waits, bounded; the order is kept, and who left before there was room was never taken", async () => {
    const gone = await open(async () => undefined);
    await gone.close();
    const full: boolean[] = [];
    const shed: Received[] = [];
    const { tap, errors } = tapTo(gone.port, {
      most: { messages: 3, bytes: 1_000_000 },
      onFull: (is) => full.push(is),
      onShed: (one) => shed.push(one),
    });
    const left = new AbortController();
    const taken = [1, 2, 3].map((n) => tap.accept(message(n), left.signal));
    const outside = tap.accept(message(4), left.signal);
    const patient = tap.accept(message(5));
    await tap.accept(message(6, { qos: 0 }));
    await soon();
    left.abort();
    await expect(outside).rejects.toMatchObject({ code: "sender-gone" });
    expect([tap.pending, full, names(shed)]).toEqual([3, [true], ["mon-6"]]);
    expect(errors[0]).toMatchObject({ code: "tap-away", retry: true });

    const durable: Received[] = [];
    await open(async (one) => void durable.push(one), gone.port);
    await Promise.all([...taken, patient]);
    // mon-1 to mon-3 were taken: they are sent on though their sender has left
    expect(names(durable)).toEqual(["mon-1", "mon-2", "mon-3", "mon-5"]);
    expect(full).toEqual([true, false]);
  });

  it("is back within a quarter of a second of the circuit's return", async () => {
    const gone = await open(async () => undefined);
    await gone.close();
    const { tap } = tapTo(gone.port);
    const sent = tap.accept(message(1));
    await soon(1_000);
    await open(async () => undefined, gone.port);
    const began = performance.now();
    await sent;
    expect(performance.now() - began).toBeLessThan(600);
  });

  it("a tap that closes answers nobody as durable", async () => {
    const gone = await open(async () => undefined);
    await gone.close();
    const { tap } = tapTo(gone.port);
    const sent = tap.accept(message(1));
    tap.close();
    await expect(sent).rejects.toMatchObject({ code: "tap-closed" });
    await expect(tap.accept(message(2))).rejects.toMatchObject({ code: "tap-closed" });
  });
});

describe("a sign of life", () => {
  it("comes each second without any message, is no batch, and stops with the tap", async () => {
    const heardAt: number[] = [];
    const had: Received[] = [];
    const endpoint = await startTapEndpoint({
      host: "127.0.0.1",
      port: 0,
      accept: async (one) => void had.push(one),
      onError: () => undefined,
      onHeard: () => heardAt.push(performance.now()),
    });
    closing.push(endpoint.close);
    const { tap, errors } = tapTo(endpoint.port);
    await expect.poll(() => heardAt.length, { timeout: 4_000 }).toBe(2);
    await tap.accept(message(1));
    await expect.poll(() => heardAt.length, { timeout: 4_000 }).toBe(4);
    expect([names(had), errors]).toEqual([["mon-1"], []]);
    tap.close();
    await soon(1_300);
    expect(heardAt.length).toBe(4);
  });

  it("that nobody takes any more is said: a circuit that is away is noticed before there is anything to tell it", async () => {
    const { port, close } = await open(async () => undefined);
    const { errors } = tapTo(port);
    await soon(1_500);
    expect(errors).toEqual([]);
    await close();
    await expect.poll(() => errors[0], { timeout: 3_000 }).toMatchObject({ code: "tap-away" });
  });
});

describe("a batch whose answer was lost", () => {
  it("is not taken twice: it joins the one under way, and a later repetition is answered at once", async () => {
    const disk = Promise.withResolvers<void>();
    const had: Received[] = [];
    const { port } = await open((one) => {
      had.push(one);
      return disk.promise;
    });
    const post = (batch: number, run = "r") =>
      fetch(`http://127.0.0.1:${port}${tapPath}`, {
        method: "POST",
        headers: { "content-type": contentType, "afferent-tap-run": run, "afferent-tap-batch": String(batch) },
        body: frameOf(message(batch)),
      }).then(({ status }) => status);
    const first = post(1);
    await soon();
    const again = post(1);
    await soon();
    expect(had).toHaveLength(1);
    disk.resolve();
    expect(await Promise.all([first, again, post(1), post(2), post(1), post(1, "another run")])).toEqual(
      Array(6).fill(204),
    );
    expect(names(had)).toEqual(["mon-1", "mon-2", "mon-1"]);
  });

  it("is tried again where the circuit's log refused it, and nobody was answered meanwhile", async () => {
    let trouble: Error | undefined = new OperatingError("log-unavailable", "disk full", { retry: true });
    const had: Received[] = [];
    const { port, errors: said } = await open(async (one) => {
      if (trouble !== undefined) throw trouble;
      had.push(one);
    });
    const { tap, errors } = tapTo(port);
    const sent = tap.accept(message(1));
    await soon();
    expect(said[0]).toMatchObject({ code: "log-unavailable" });
    expect(errors[0]?.message).toContain("503 disk full");
    trouble = undefined;
    await sent;
    expect(had).toHaveLength(1);
  });
});

describe("the endpoint", () => {
  it.each([
    ["another path", "/", contentType, "1", frameOf(message(1)), 404],
    ["a browser's content type", tapPath, "text/plain", "1", frameOf(message(1)), 404],
    ["a batch that is no number", tapPath, contentType, "x", frameOf(message(1)), 404],
    ["a cut body", tapPath, contentType, "1", frameOf(message(1)).subarray(0, -1), 400],
    ["rubbish", tapPath, contentType, "1", Buffer.from("rubbish, and more of it"), 400],
    ["a head that lacks something", tapPath, contentType, "1", Buffer.from([0, 0, 0, 2, 123, 125, 0, 0, 0, 0]), 400],
    ["a body without end", tapPath, contentType, "1", Buffer.alloc(5 * 1024 * 1024), 413],
  ])("answers %s and takes nothing of it", async (name, path, type, batch, body, status) => {
    const had: Received[] = [];
    const { port } = await open(async (one) => void had.push(one));
    const answered = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": type, "afferent-tap-run": "r", "afferent-tap-batch": batch },
      body,
    }).then(
      (response) => response.status,
      () => 413, // cut off while it still sent
    );
    expect([answered, had.length]).toEqual([status, status === 204 ? 1 : 0]);
    expect(name).not.toBe("");
  });

  it("leaves alone what a newer listener says beside it", () => {
    const frame = frameOf({ ...message(1), later: 1 } as Tapped);
    expect(messagesOf(frame)).toEqual([message(1)]);
  });
});
