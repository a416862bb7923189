/** One beat the whole way, by the real parts: as the watch publishes it, through the circuit's stages, as its webhook tells it, to the watch's ear. */
import { afterEach, expect, it } from "vitest";
import type { Notification, Policy } from "../../schemas/records/alert.ts";
import { adapter } from "../../schemas/devices/afferent-heartbeat.ts";
import type { RawBody } from "../../schemas/topics.ts";
import { logTime, receivedTime } from "../../streams/core/time.ts";
import { openHeart } from "../../streams/io/mqtt/heartbeat.ts";
import { openWebhook } from "../../streams/io/notify/webhook.ts";
import { openHearing } from "../../streams/roles/watch/hearing.ts";
import { chain } from "../../streams/sim/chain.ts";
import { drive } from "../../streams/sim/drive.ts";
import { alarms } from "../../topologies/alarms.ts";
import { normalise } from "../../topologies/normalise.ts";
import { paging } from "../../topologies/paging.ts";
import { thresholds } from "../../topologies/thresholds.ts";
import { startCircuit } from "./scripted-circuit.ts";

const secret = "the ward's shared secret";
const device = "heart-1";
const t0 = Date.UTC(2026, 10, 21, 12);

const policy: Policy = {
  kind: "policy",
  version: 1,
  effectiveFrom: logTime(t0 - 1),
  recipients: ["engineer", "watch"].map((id) => ({
    id,
    role: id,
    inside: true,
    test: id === "watch",
    addresses: [{ notifier: "hook", to: id }],
  })),
  chains: [{ name: "all", steps: [{ to: ["engineer"], acceptWithinMs: 60_000 }], continuesWith: null }],
  units: [
    {
      unit: "*",
      utcOffsetMinutes: 0,
      offsets: [],
      schedules: [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain: "all" }],
      lastResort: { to: ["engineer"], repeatMs: 60_000 },
      remindAcceptedMs: 600_000,
      assignments: [],
    },
  ],
};

/** What the circuit tells of a message that came on `mqttTopic`. */
const toldOf = (mqttTopic: string, payload: string): readonly Notification[] => {
  const [first, second, third, last] = [
    drive(normalise(new Map([[adapter.model, adapter]]))),
    drive(thresholds),
    drive(alarms),
    drive(paging),
  ];
  second.send("", t0 - 1, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 1), rules: [] });
  last.send("", t0 - 1, policy);
  const circuit = chain<RawBody>([first, second, third, last], ["vitals", "episodes", "alarms"]);
  const known = { serial: null, clockUncertaintyMs: 2_000, silentAfterMs: 60_000, version: 1 };
  circuit.send(device, t0, { kind: "device", device, model: adapter.model, unit: "platform", ...known });
  circuit.send(device, t0 + 1_000, {
    kind: "reading",
    device,
    stream: "alarms",
    mqttTopic,
    payload: Buffer.from(payload),
    receivedTime: receivedTime(t0 + 1_000),
    session: "s",
    dup: false,
    retained: false,
    truncated: null,
  });
  return last
    .outputs("notifications")
    .map(({ body }) => body)
    .filter((body): body is Notification => body.kind === "notification");
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

it("the number that the watch sent is the number that it hears", async () => {
  const broker = await startCircuit({ port: 0, watchUrl: "http://127.0.0.1:1", secret, aliveEveryMs: 60_000 });
  broker.loseBeats(true);
  closing.push(broker.close);
  const heart = openHeart({
    url: `mqtt://127.0.0.1:${broker.port}`,
    username: "platform",
    device,
    boot: "this life",
    keepMs: 5_000,
    onState: () => undefined,
  });
  closing.push(heart.close);
  heart.beat(1_795_262_927_229, t0 + 990);
  await expect.poll(() => broker.beats.length, { timeout: 5_000 }).toBe(1);
  const { topic = "", payload = "" } = broker.beats[0] ?? {};

  const told = toldOf(topic, payload);
  expect(told.map(({ recipient, what }) => `${recipient} ${what}`)).toEqual(["watch test"]);

  const heard: number[] = [];
  const hearing = await openHearing({
    host: "127.0.0.1",
    port: 0,
    secret,
    acknowledgeToken: "the engineers' token",
    device,
    now: Date.now,
    onBeat: (seq) => heard.push(seq),
    onAlive: () => undefined,
    onAcknowledged: () => false,
    onRefused: (_path, { detail }) => expect.unreachable(detail),
  });
  closing.push(hearing.close);
  const hook = openWebhook({ name: "hook", secret });
  for (const notification of told)
    await hook.send(notification, `http://127.0.0.1:${hearing.port}/beat`, AbortSignal.timeout(2_000));
  expect(heard).toEqual([1_795_262_927_229]);
});

it("the same bytes from a device's own topic are no test, and go to a person", () => {
  const told = toldOf(`afferent/${device}/alarms`, JSON.stringify({ device, boot: "b", seq: 7, time: t0 + 990 }));
  expect(told.map(({ recipient, what }) => `${recipient} ${what}`)).toEqual(["engineer alarm"]);
});
