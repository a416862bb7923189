/**
 * A server that is stopped delays and loses nothing: in the middle of the recorded patients' play QuestDB and HAPI are stopped, for
 * 10 s and more, then Kafka for 30 s. What is in the store and in the EHR afterwards is what a play without any outage leaves.
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { raw, rawWaveforms, vitals } from "../schemas/topics.ts";
import type { AnyTopic } from "../streams/core/stage.ts";
import { publishWard, type PublishProgress } from "../streams/sim/publish.ts";
import { noRecordings, recordingsFolder, skipped } from "../streams/sim/recordings/recordings.fixture.ts";
import type { WardMessage } from "../streams/sim/ward/messages.ts";
import { type BrokerWatch, watchBroker } from "./platform/broker.ts";
import { observationsIn } from "./platform/ehr.ts";
import { entriesOf, until } from "./platform/watch.ts";
import { type RunningPlatform, shippedRules, startPlatform } from "./platform.ts";
import { valuesInFiles } from "./recorded/csv.ts";
import { differences, type ExpectedObservation } from "./recorded/observations.ts";
import { storedValues, wardRules } from "./recorded/play.ts";
import { dischargeMs, endMs, recordedWard, startMs } from "./recorded/ward.ts";
import { sharedStack } from "./stack.ts";

const speed = 8;
const kafkaAwayMs = 30_000;
const storesAwayMs = 10_000;
const story = { timeout: 300_000 };
const roles = ["ingest", "process", "store", "promote"] as const;
const received = "afferent_received_messages_total";

/** How ingest stood at a moment: messages durable in the raw log, and those that the broker still holds for it. */
interface Moment {
  readonly durable: number;
  readonly held: number;
}

/** How many records of a topic a group has not had yet. */
const lag = async ({ log }: RunningPlatform, group: string, topic: AnyTopic): Promise<number> => {
  const had = await log.progress(group, topic.name);
  const ends = await Promise.all(had.map(async (_, partition) => (await log.bounds(topic.name, partition)).end));
  return ends.reduce((sum, end, partition) => sum + end - (had[partition] ?? 0), 0);
};

describe.skipIf(noRecordings)(`servers that go away while the recorded patients play${skipped}`, story, () => {
  const ward = recordedWard(recordingsFolder, { speed, more: ["mitbih"] });
  const ledger: WardMessage[] = [];
  let platform: RunningPlatform;
  let broker: BrokerWatch;
  let progress: PublishProgress;
  let [away, stillAway, back]: Moment[] = [];
  let unstored = 0;
  const seconds: Record<string, number> = {};

  const moment = async (): Promise<Moment> => ({
    durable: (await platform.metrics("ingest")).get(received) ?? Number.NaN,
    held: broker.held() ?? Number.NaN,
  });

  /** Writes down what the publisher is given. */
  const written = {
    startMs,
    *messages(): Generator<WardMessage, void> {
      for (const message of ward.messages()) {
        if (message.atMs > endMs) return;
        ledger.push(message);
        yield message;
      }
    },
  };

  beforeAll(async () => {
    const stack = sharedStack();
    const [kafka, questdb, hapi] = (["kafka", "questdb", "hapi"] as const).map((name) => stack.server(name));
    const rules = [shippedRules, wardRules];
    platform = await startPlatform({ stack, roster: ward.roster, rules, speed, startMs, protocolVersion: 5 });
    broker = await watchBroker(platform.mqttUrl);
    await platform.begin();
    const began = performance.now();
    const lap = (what: string): void => {
      seconds[what] = Math.round((performance.now() - began) / 100) / 10;
    };
    const publishing = publishWard(written, { url: platform.mqttUrl, speed, protocolVersion: 5 });
    await sleep(2_000);

    await Promise.all([questdb?.stop(), hapi?.stop()]);
    lap("QuestDB and HAPI stopped");
    await sleep(storesAwayMs);
    unstored = await lag(platform, "store-vitals", vitals);
    await questdb?.start();
    lap("QuestDB back");

    await kafka?.stop();
    lap("Kafka stopped");
    const stoppedAt = performance.now();
    const hapiBack = hapi?.start();
    await sleep(2_000);
    away = await moment();
    await sleep(kafkaAwayMs - (performance.now() - stoppedAt));
    stillAway = await moment();
    await kafka?.start();
    lap("Kafka back");
    await until("ingest to have caught up", async () => {
      back = await moment();
      return back.held < 1_000 && back.durable > (stillAway?.durable ?? 0) + 1_000;
    });
    lap("caught up");
    await hapiBack;
    lap("HAPI back");
    progress = await publishing;
    lap("played");
    await platform.settle(dischargeMs + 5_000);
    lap("settled");
    process.stdout.write(`seconds since the play's start: ${JSON.stringify(seconds)}\n`);
  }, story.timeout);

  afterAll(async () => {
    await broker?.close();
    await platform?.stop();
  });

  it("ingest acknowledges nothing that Kafka has not, leaves it to the broker, and catches up", () => {
    expect(stillAway?.durable).toBe(away?.durable);
    // at eight times real time: 31 devices for nearly 28 s
    expect((stillAway?.held ?? 0) - (away?.held ?? 0)).toBeGreaterThan(3_000);
    expect(back?.held).toBeLessThan(1_000);
    expect(broker.dropped() ?? 0).toBe(0); // it reports what has changed
    for (const role of roles) expect(platform.role(role).said()).toContain(`afferent ${role}: `);
  });

  it("every message that was published is in the raw log", async () => {
    const { log, wire } = platform;
    expect(progress).toMatchObject({ sent: ledger.length, acknowledged: ledger.length });
    const contents = (await Promise.all([raw, rawWaveforms].map((topic) => entriesOf(log, wire, topic)))).flat();
    const kept = new Set(
      contents.flatMap(({ body }) => (body.kind === "reading" ? [Buffer.from(body.payload).toString("base64")] : [])),
    );
    expect(ledger.filter(({ payload }) => !kept.has(Buffer.from(payload).toString("base64")))).toEqual([]);
  });

  it("every value is in QuestDB once, every waveform chunk too", async () => {
    const values = await storedValues(platform);
    expect([...values].filter(([, all]) => all.length !== 1)).toEqual([]);
    const missing = [...valuesInFiles(recordingsFolder)].filter(
      ([reading, value]) => values.get(reading)?.[0] !== value,
    );
    expect(missing).toEqual([]);
    const twins = [...values.keys()].filter((reading) => /-(unconfirmed|consent) /.test(reading));
    expect(values.size).toBe(valuesInFiles(recordingsFolder).size + twins.length);
    expect(await platform.series.count("waveforms")).toBe(ledger.filter(({ stream }) => stream === "waveforms").length);
    expect(unstored).toBeGreaterThan(1_000);
  });

  it("the EHR holds what it would hold without an outage", async () => {
    const expected = JSON.parse(
      readFileSync(new URL("expected/recorded-ward.json", import.meta.url), "utf8"),
    ) as ExpectedObservation[];
    expect(differences(expected, await observationsIn(platform.ehr))).toEqual([]);
  });
});
