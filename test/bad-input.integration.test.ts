/**
 * What must never come, through the front door and straight into the raw log: each is quarantined whole, with a reason that says what was
 * wrong and where, counted by reason, and the good device beside it loses nothing. A roster that refers to nothing is refused at the start.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { sharedStack } from "./stack.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Quarantined } from "../schemas/records/quarantine.ts";
import type { DeviceState, Measurement } from "../schemas/records/telemetry.ts";
import { raw, rawWaveforms, telemetryQuarantine, vitals } from "../schemas/topics.ts";
import { partitionOf } from "../streams/core/hash.ts";
import { type RoleProcess, spawnRole } from "./platform/role.ts";
import { monitorReading, type Sent, twoMonitors } from "./platform/two-monitors.ts";
import { entriesOf, recordsOf } from "./platform/watch.ts";
import { type RunningPlatform, startPlatform } from "./platform.ts";

const good = "good-01";
const bad = "bad-01";
const tenMegabytes = 10 * 1024 * 1024;
const goodBetween = 5;

interface BadInput {
  readonly what: string;
  /** From a reading that would be right, and its text. */
  readonly send: (right: Sent, text: string) => Sent;
  readonly reason: string;
  /** What was wrong, and where. */
  readonly says: RegExp;
}

const changed = (from: string | RegExp, to: string) => (right: Sent, text: string) => ({
  ...right,
  payload: Buffer.from(text.replace(from, to)),
});

const inputs: readonly BadInput[] = [
  {
    what: "JSON that ends in the middle",
    send: (right, text) => ({ ...right, payload: Buffer.from(text.slice(0, -12)) }),
    reason: "malformed-json",
    says: /^payload: .*JSON/,
  },
  {
    what: "bytes that are no text",
    send: (right) => ({ ...right, payload: Buffer.from([0xff, 0xfe, 0x00, 0x80]) }),
    reason: "malformed-json",
    says: /^payload: 4 bytes are not UTF-8/,
  },
  {
    what: "a device that nobody knows",
    send: (right) => ({ ...right, topic: "afferent/nobody-77/numerics" }),
    reason: "unknown-device",
    says: /^nobody-77: is not in the roster/,
  },
  {
    what: "a metric that nobody knows",
    send: changed('"HR"', '"MOOD"'),
    reason: "unknown-metric",
    says: /^numerics\[0\]\.name: "MOOD"/,
  },
  {
    what: "a unit that nobody knows",
    send: changed('"bpm"', '"furlong"'),
    reason: "unknown-unit",
    says: /^numerics\[0\].*furlong/,
  },
  {
    what: "a text where a number should be",
    send: changed(/"value":\d+/, '"value":"seventy"'),
    reason: "wrong-type",
    says: /^numerics\[0\]\.value: .*not a number/,
  },
  {
    what: "a bare NaN",
    send: changed(/"value":\d+/, '"value":NaN'),
    reason: "not-a-number",
    says: /^payload: NaN at character \d+/,
  },
  {
    what: "an infinity",
    send: changed(/"value":\d+/, '"value":-Infinity'),
    reason: "not-a-number",
    says: /^payload: -?Infinity at character \d+/,
  },
  {
    what: "a number beyond all numbers",
    send: changed(/"value":\d+/, '"value":1e999'),
    reason: "not-a-number",
    says: /^numerics\[0\]\.value: Infinity/,
  },
  {
    what: "10 MB",
    send: (right) => ({ ...right, payload: Buffer.alloc(tenMegabytes, "A") }),
    reason: "payload-too-large",
    says: new RegExp(`^payload: has ${tenMegabytes} bytes, sha256 [0-9a-f]{64}`),
  },
  {
    what: "a topic that is another device's",
    send: changed(`"device":"${bad}"`, `"device":"${good}"`),
    reason: "identity-mismatch",
    says: new RegExp(`^payload: says it is from ${good}, its topic is of ${bad}`),
  },
  {
    what: "a topic that is no device's",
    send: (right) => ({ ...right, topic: `hospital/${bad}/numerics` }),
    reason: "unknown-device",
    says: /^\?: is not in the roster/,
  },
];

/** What only a broken or foreign writer to Kafka or the file could leave in the raw log itself. */
const appended = [
  {
    what: "a schema id that does not exist",
    bytes: [0, 0x7f, 0xff, 0xff, 0xfe, 1, 2, 3],
    reason: "unknown-schema-id",
    says: /2147483646/,
  },
  { what: "bytes that are no record", bytes: [9, 9, 9], reason: "not-avro", says: /3 bytes/ },
] as const;

/** Starts what must refuse to run; gives its exit code and what it said. One that runs on all the same is ended with the test. */
const refusal = async (role: RoleProcess["name"], configFile: string) => {
  const refused = spawnRole(role, configFile);
  const giveUp = setTimeout(() => void refused.kill(), 30_000);
  const code = await refused.ended;
  clearTimeout(giveUp);
  return { code, said: refused.said() };
};

describe("bad input", { timeout: 120_000 }, () => {
  let platform: RunningPlatform;
  let devices: MqttClient;
  let quarantined: readonly Quarantined[] = [];
  let goodSent = 0;

  const publish = ({ topic, payload }: Sent) => devices.publishAsync(topic, payload, { qos: 1 });
  const publishGood = async (): Promise<void> => {
    for (let i = 0; i < goodBetween; i++) await publish(monitorReading(good, goodSent++, Date.now()));
  };

  beforeAll(async () => {
    platform = await startPlatform({ roster: twoMonitors([good, bad], Date.now()) });
    devices = await connectAsync(platform.mqttUrl, { clientId: "two-monitors" });
    const { log, wire } = platform;
    for (const [sequence, { send }] of inputs.entries()) {
      await publishGood();
      const right = monitorReading(bad, sequence, Date.now());
      await publish(send(right, right.payload.toString()));
    }
    const appender = await log.appender("foreign");
    for (const { bytes } of appended)
      await appender.append([
        { topic: raw.name, partition: partitionOf(good, raw.partitions), key: good, value: Uint8Array.from(bytes) },
      ]);
    await appender.close();
    await publishGood();
    await platform.settle();
    quarantined = (await entriesOf(log, wire, telemetryQuarantine)).flatMap(({ body }) =>
      body.kind === "quarantined" ? [body] : [],
    );
  }, 120_000);

  afterAll(async () => {
    await devices?.endAsync();
    await platform?.stop();
  });

  it.each([...inputs, ...appended])("$what is quarantined as $reason", ({ reason, says }) => {
    const alike = quarantined.filter((q) => q.reason === reason && says.test(q.detail));
    expect(
      alike,
      JSON.stringify(
        quarantined.map((q) => `${q.reason} ${q.detail}`),
        null,
        1,
      ),
    ).toHaveLength(1);
    expect(alike[0]).toMatchObject({ stage: "normalise", topic: raw.name });
  });

  it("each is kept whole, as it stands in the raw log at the place that is named", async () => {
    expect(quarantined).toHaveLength(inputs.length + appended.length);
    for (const { topic, partition, offset, key, value } of quarantined) {
      expect(topic).toBe(raw.name);
      const record = (await recordsOf(platform.log, raw, partition)).find((one) => one.offset === offset);
      expect([record?.key, record && Buffer.from(record.value).toString("hex")]).toEqual([
        key,
        Buffer.from(value).toString("hex"),
      ]);
    }
  });

  it("each is counted by its reason", async () => {
    const metrics = await platform.metrics("process");
    const wanted = Map.groupBy([...inputs, ...appended], ({ reason }) => reason);
    for (const [reason, all] of wanted)
      expect([reason, metrics.get(`afferent_quarantined_total{stage="normalise",reason="${reason}"}`)]).toEqual([
        reason,
        all.length,
      ]);
  });

  it("the good device beside it loses nothing and is called well", async () => {
    const entries = (await entriesOf(platform.log, platform.wire, vitals)).filter(({ key }) => key === `sub-${good}`);
    const measured = entries.flatMap(({ body }): Measurement[] => (body.kind === "measurement" ? [body] : []));
    expect(measured.map(({ value }) => value)).toEqual(Array.from({ length: goodSent }, (_, i) => 60 + (i % 40)));
    expect(await platform.series.count("vitals")).toBe(goodSent);
    const states = entries.flatMap(({ body }): DeviceState[] => (body.kind === "deviceState" ? [body] : []));
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["streaming"]));
  });

  it("a roster that refers to nothing is refused with its place, by a role and by check, exit codes 2 and 3", async () => {
    const data = join(platform.config.data, "dangling");
    await mkdir(data);
    const roster = twoMonitors([good, bad], Date.now());
    const [first, ...others] = roster.associations;
    const dangling = { ...roster, associations: [{ ...first, device: "mon-99" }, ...others] };
    await writeFile(join(data, "roster.json"), JSON.stringify(dangling));
    const config = { ...platform.config, data, roster: join(data, "roster.json") };
    const intake = { ...config.intake, port: 0 };
    await writeFile(join(data, "config.json"), JSON.stringify({ ...config, intake }));
    for (const [role, code] of [
      ["listen", 2],
      ["check", 3],
    ] as const) {
      const refused = await refusal(role, join(data, "config.json"));
      expect(refused).toMatchObject({ code, said: expect.stringMatching(/associations\[0\]\.device.*mon-99/) });
    }
  });

  it("a role that the configuration's intake is not for refuses and says which is, exit code 2", async () => {
    const refused = await refusal("ingest", platform.configFile);
    expect(refused).toMatchObject({
      code: 2,
      said: expect.stringMatching(/ingest: .* a listener at .*; start listen/),
    });
  });

  it("a front door whose port is taken ends and says so", async () => {
    const data = join(platform.config.data, "second");
    await mkdir(data);
    await writeFile(join(data, "config.json"), JSON.stringify({ ...platform.config, data }));
    const second = await refusal("listen", join(data, "config.json"));
    expect(second).toMatchObject({ code: 1, said: expect.stringContaining("listener-port-taken") });
  });
});

/** What a broker acknowledges and hands to nobody is lost, whatever the sender was told: so all of it is asked for. */
describe("bad input that comes through a broker", { timeout: 120_000 }, () => {
  const topics = [
    { topic: `afferent/${bad}/alarms`, reason: "unknown-stream", says: /^stream: sim-monitor sends no "alarms"/ },
    { topic: `afferent/${bad}/numerics/more`, reason: "unknown-device", says: /^\?: is not in the roster/ },
    { topic: "afferent", reason: "unknown-device", says: /^\?: is not in the roster/ },
    { topic: "afferent//waveforms", reason: "unknown-device", says: /^\?: is not in the roster/ },
  ];
  let platform: RunningPlatform;
  let quarantined: readonly { readonly mqttTopic: string; readonly reason: string; readonly detail: string }[] = [];
  let stored: readonly string[] = [];
  let goodValues = 0;

  beforeAll(async () => {
    platform = await startPlatform({ stack: sharedStack(), roster: twoMonitors([good, bad], Date.now()) });
    const devices = await connectAsync(platform.mqttUrl, { clientId: "two-monitors-at-a-broker" });
    for (const [sequence, { topic }] of topics.entries()) {
      const { payload } = monitorReading(bad, sequence, Date.now());
      await devices.publishAsync(topic, payload, { qos: 1 });
      const right = monitorReading(good, sequence, Date.now());
      await devices.publishAsync(right.topic, right.payload, { qos: 1 });
    }
    await devices.publishAsync(`afferent/${good}/waveforms`, "no chunk", { qos: 1 });
    await devices.endAsync();
    await platform.settle();
    const { log, wire } = platform;
    const readings = (await Promise.all([entriesOf(log, wire, raw), entriesOf(log, wire, rawWaveforms)])).flat();
    stored = readings.flatMap(({ body }) => (body.kind === "reading" ? [body.mqttTopic] : []));
    quarantined = (await entriesOf(log, wire, telemetryQuarantine)).flatMap(({ body }) => {
      if (body.kind !== "quarantined") return [];
      const of = body.topic === raw.name ? wire.decode(raw, body.value) : wire.decode(rawWaveforms, body.value);
      const mqttTopic = of.ok && of.value.body.kind === "reading" ? of.value.body.mqttTopic : "";
      return [{ mqttTopic, reason: body.reason, detail: body.detail }];
    });
    goodValues = await platform.series.count("vitals");
  }, 120_000);

  afterAll(async () => platform?.stop());

  it.each(topics)("on $topic is kept, and quarantined as $reason", ({ topic, reason, says }) => {
    expect(stored.filter((one) => one === topic)).toHaveLength(1);
    expect(quarantined.filter((one) => one.mqttTopic === topic)).toMatchObject([
      { reason, detail: expect.stringMatching(says) },
    ]);
  });

  it("does not hold up what is right, and a waveform that both sessions are sent is stored once", () => {
    expect(goodValues).toBe(topics.length);
    expect(stored.filter((topic) => topic === `afferent/${good}/waveforms`)).toHaveLength(1);
  });
});
