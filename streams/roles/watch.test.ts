/** The watch as a process beside a circuit, and its configuration. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Notification } from "../../schemas/records/alert.ts";
import { post, type ScriptedCircuit, signed, startCircuit } from "../../test/watch/scripted-circuit.ts";
import { isFree } from "../../deploy/ports.ts";
import type { Notifier } from "../io/notify/notifier.ts";
import { checkWatchConfig, type WatchConfig } from "../watch-config.ts";
import { openWatch, type Watch } from "./watch.ts";

const secret = "the ward's shared secret";
const token = "the engineers' token";
const device = "heart-1";

/** Twenty times as fast as it ships. */
const fast = { beatEveryMs: 250, beatLimitMs: 500, aliveLimitMs: 1_000, repeatMs: 1_500, notifyLimitMs: 200 };

const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
};

const configOf = async (brokerPort: number, parts: object = {}): Promise<WatchConfig> =>
  checkWatchConfig(
    {
      device,
      broker: { url: `mqtt://127.0.0.1:${brokerPort}` },
      http: { host: "127.0.0.1", port: await freePort() },
      secret,
      acknowledgeToken: token,
      notifiers: { bell: { kind: "console" }, horn: { kind: "console" } },
      recipients: [
        {
          id: "ce-1",
          addresses: [
            { notifier: "bell", to: "room" },
            { notifier: "horn", to: "roof" },
          ],
        },
      ],
      ...fast,
      ...parts,
    },
    "of a test",
  );

const recording = (name: string, how: (signal: AbortSignal) => Promise<void> = async () => {}) => {
  const sent: { readonly notification: Notification; readonly at: number }[] = [];
  const notifier: Notifier = {
    name,
    send: async (notification, _to, signal) => {
      await how(signal);
      sent.push({ notification, at: performance.now() });
    },
    close: async () => {},
  };
  return { notifier, sent };
};

const until = async (holds: () => boolean, what: string, limitMs = 8_000): Promise<void> => {
  const from = performance.now();
  while (!holds()) {
    if (performance.now() - from > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(10);
  }
};

const told = (sent: readonly { readonly notification: Notification }[]): string[] =>
  sent.map(({ notification }) => `${notification.channel} ${notification.what}`);

describe("the watch beside a circuit", () => {
  let config: WatchConfig;
  let circuit: ScriptedCircuit;
  let watch: Watch;
  let url: string;
  const said: string[] = [];
  let bell = recording("bell");
  let horn = recording("horn");

  const startBeside = async (live = true): Promise<void> => {
    const port = await freePort();
    config = await configOf(port);
    url = `http://127.0.0.1:${config.http.port}`;
    if (live) circuit = await startCircuit({ port, watchUrl: url, secret, aliveEveryMs: 200 });
    watch = await openWatch(config, new Map([bell, horn].map(({ notifier }) => [notifier.name, notifier])), (line) =>
      said.push(line),
    );
  };
  const measured = async (name: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (.+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  };
  const acknowledge = (body: string, bearer = token): Promise<Response> =>
    post(`${url}/acknowledge`, body, { authorization: `Bearer ${bearer}` });

  beforeEach(() => {
    said.length = 0;
    bell = recording("bell");
    horn = recording("horn");
  });
  afterEach(async () => {
    await watch.close();
    await circuit.close();
  });

  it("measures the round trip of its beats and is silent while they come back and the circuit lives", async () => {
    await startBeside();
    await until(() => circuit.beats.length >= 8, "eight beats");
    await delay(100);
    expect(await measured("afferent_watch_round_trip_seconds_count")).toBeGreaterThanOrEqual(7);
    expect(await measured('afferent_watch_round_trip_seconds_bucket{le="0.1"}')).toBeGreaterThanOrEqual(7);
    expect(Math.abs((await measured("afferent_watch_last_beat_timestamp_seconds")) - Date.now() / 1000)).toBeLessThan(
      2,
    );
    expect(circuit.beats[0]?.topic).toBe("afferent-platform/heart-1/alarms");
    expect(told(bell.sent)).toEqual([]);
  });

  it("sounds when beats are lost behind the broker though the circuit lives, and says when they come again", async () => {
    await startBeside();
    await until(() => circuit.beats.length >= 3, "three beats");
    circuit.loseBeats(true);
    const from = performance.now();
    await until(() => bell.sent.length > 0, "an alarm");
    expect(performance.now() - from).toBeLessThan(fast.beatEveryMs + fast.beatLimitMs + 400);
    expect(bell.sent[0]?.notification).toMatchObject({
      what: "alarm",
      channel: "beat",
      priority: "high",
      alertType: "technical",
      unit: "platform",
      recipient: "ce-1",
    });
    circuit.loseBeats(false);
    await until(() => told(bell.sent).includes("beat ended"), "its end");
    expect(told(bell.sent).filter((line) => line.startsWith("alive"))).toEqual([]);
    expect(horn.sent).toEqual([]);
  });

  it("sounds when the circuit's audit fails though beats come back", async () => {
    await startBeside();
    await until(() => circuit.beats.length >= 3, "three beats");
    circuit.failAudit(true);
    await until(() => bell.sent.length > 0, "an alarm");
    expect(told(bell.sent)).toEqual(["alive alarm"]);
    circuit.failAudit(false);
    await until(() => told(bell.sent).includes("alive ended"), "its end");
  });

  it("sounds of a platform that it never heard, again and again until somebody with a name acknowledges", async () => {
    await startBeside(false);
    await until(() => bell.sent.length >= 4, "both alarms, and both again");
    expect(told(bell.sent).toSorted()).toEqual(["alive alarm", "alive reminder", "beat alarm", "beat reminder"]);
    expect(new Set(bell.sent.map(({ notification }) => notification.identity)).size).toBe(4);
    const refusals = [
      await acknowledge('{"who":"ce-1"}', "a guess"),
      await acknowledge('{"who":" "}'),
      await acknowledge("?"),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([401, 422, 422]);
    expect((await acknowledge('{"who":"ce-1"}')).status).toBe(204);
    expect((await acknowledge('{"who":"ce-1"}')).status).toBe(409);
    const before = bell.sent.length;
    await delay(fast.repeatMs + 500);
    expect(bell.sent.length).toBe(before);
    circuit = await startCircuit({
      port: Number(new URL(config.broker.url).port),
      watchUrl: url,
      secret,
      aliveEveryMs: 200,
    });
    await until(() => told(bell.sent).filter((line) => line.endsWith("ended")).length === 2, "both ends");
  });

  it("believes no beat that it did not send, that the circuit does not call a test, or that nobody signed", async () => {
    await startBeside();
    await until(() => circuit.beats.length >= 2, "two beats");
    circuit.loseBeats(true);
    const guess = (part: object): string =>
      JSON.stringify({ what: "test", event: "heartbeat", device, value: Date.now() + 10, ...part });
    const forge = (part: object, by = secret): Promise<Response> => {
      const body = guess(part);
      return post(`${url}/beat`, body, signed(by, body));
    };
    await until(() => bell.sent.length > 0, "an alarm");
    const answers = [
      await forge({}), // signed by the circuit, but of no beat of ours
      await forge({ what: "alarm" }), // a device forged the mark: the circuit calls it an alarm
      await forge({ device: "monitor-7" }),
      await forge({}, "somebody else's secret"),
      await post(`${url}/beat`, guess({}), {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([204, 422, 422, 401, 401]);
    expect(await measured('afferent_watch_beats_total{outcome="unknown"}')).toBe(1);
    expect(await measured('afferent_watch_concern{concern="beat"}')).toBe(1);
    expect(said.filter((line) => line.startsWith("refused at /beat")).length).toBe(4);
  });

  it("takes no recorded sign of life twice, and no other signed message for one", async () => {
    await startBeside();
    const body = '{"kind":"alive","circuit":"scripted"}';
    const recorded = signed(secret, body);
    circuit.failAudit(true);
    await delay(50);
    expect((await post(`${url}/alive`, body, signed(secret, body))).status).toBe(204);
    expect((await post(`${url}/alive`, body, recorded)).status).toBe(401);
    const beat = '{"what":"test","event":"heartbeat"}';
    expect((await post(`${url}/alive`, beat, signed(secret, beat))).status).toBe(422);
    await until(() => bell.sent.length > 0, "an alarm");
  });

  it.each([
    { what: "fails", how: () => Promise.reject(new Error("no such number")), says: "no such number" },
    { what: "hangs and minds no signal", how: () => new Promise<void>(() => {}), says: "took longer than 0.2 s" },
  ])("goes on to the next notifier where one $what, and says so", async ({ how, says }) => {
    bell = recording("bell", how);
    await startBeside();
    circuit.failAudit(true);
    await until(() => horn.sent.length > 0, "the other notifier");
    expect(horn.sent[0]?.notification.addresses).toEqual([{ notifier: "horn", to: "roof" }]);
    expect(said).toContain(`notifier bell failed for ce-1: ${says}`);
    expect(
      await measured('afferent_watch_notifications_total{notifier="bell",outcome="failed"}'),
    ).toBeGreaterThanOrEqual(1);
  });
});

describe("the watch's configuration", () => {
  it.each([
    {
      what: "limits that would sound too late",
      parts: { aliveLimitMs: 60_000, beatLimitMs: 40_000 },
      problem: "limits:",
    },
    {
      what: "a recipient of a notifier that is not there",
      parts: { recipients: [{ id: "ce-1", addresses: [{ notifier: "pager", to: "1" }] }] },
      problem: "ce-1 is told by pager",
    },
    { what: "nobody to tell", parts: { recipients: [] }, problem: "recipients" },
    {
      what: "an open ear for other machines",
      parts: { http: { host: "0.0.0.0", port: 8443 } },
      problem: "http.tls: is wanted",
    },
    {
      what: "a notifier of no known kind",
      parts: { notifiers: { bell: { kind: "bell" } } },
      problem: "notifiers.bell",
    },
    { what: "a secret that is none", parts: { secret: "short" }, problem: "secret" },
    { what: "a device that spans topics", parts: { device: "a/b" }, problem: "device" },
  ])("is refused with $what", async ({ parts, problem }) => {
    await expect(configOf(1883, parts)).rejects.toThrow(problem);
  });

  it("is accepted as it ships, and sounds within 30 s", async () => {
    const shipped = {
      beatEveryMs: undefined,
      beatLimitMs: undefined,
      aliveLimitMs: undefined,
      repeatMs: undefined,
      notifyLimitMs: undefined,
    };
    const { beatEveryMs, beatLimitMs, aliveLimitMs } = await configOf(1883, shipped);
    expect([beatEveryMs, beatLimitMs, aliveLimitMs]).toEqual([5_000, 10_000, 20_000]);
  });
});
