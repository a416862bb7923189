/**
 * Bad peers side by side, each a destination of the same promotion over one log: every one of them gets each event once afterwards, each
 * patient's in order, and the one that is well waits for none of them. What was parked is listed, sent again and dropped by a named person.
 */
import { Counter, Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { aConsent, anEpisode, aPatient, ended, two } from "../../schemas/fhir/clinical.fixture.ts";
import { anIdentity, anObservationIntent } from "../../schemas/hl7v2/pcd01.fixture.ts";
import type { Delivery, Intent } from "../../schemas/records/clinical.ts";
import { deliveries, events, outbox, tasks } from "../../schemas/topics.ts";
import type { Platform } from "../compose.ts";
import { checkConfig } from "../config.ts";
import { ok } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import type { Body, Topic } from "../core/topic.ts";
import type { Wire } from "../core/wire.ts";
import { memoryLog } from "../log/memory.ts";
import { actsOf } from "../log/stage-acts.ts";
import {
  acceptsAndDrops,
  acknowledges,
  type Answer,
  drips,
  hangs,
  illFhir,
  illMllp,
  type IllPeer,
  isDown,
  isSilent,
  type Misbehaving,
  talksRubbish,
} from "./ill-destinations.fixture.ts";
import { dropParked, parkedNow, retryParked } from "./parked.ts";
import { runPromotion } from "./promote.ts";
import type { Running } from "./running.ts";

/** Bare Avro, as one process writes and reads it. */
const wire: Wire = {
  encode: (topic, envelope) => topic.codec.encode(envelope),
  decode: (topic, bytes) => ok(topic.codec.decode(bytes)),
  learn: () => Promise.resolve(false),
};

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const people = ["a", "b", "c"].map((name) =>
  aPatient({ patientKey: `pk-${name}`, fhirId: `p-${name}000`, encounterFhirId: null }),
);

const fhirPeer = async (name: string, misbehaves: Misbehaving | null): Promise<IllPeer> =>
  closedLater(await illFhir(name, { patients: people, misbehaves, timeoutMs: 250 }));
const mllpPeer = async (name: string, answers: Answer): Promise<IllPeer> =>
  closedLater(await illMllp(name, { answers, answerWithinMs: 150 }));
const closedLater = (peer: IllPeer): IllPeer => {
  closing.push(peer.close);
  return peer;
};

const intentsFor = (destination: string): Intent[] =>
  people.flatMap((patient) =>
    [
      anEpisode({ identity: patient.patientKey.repeat(8) }),
      ended(anEpisode({ identity: patient.patientKey.repeat(8) })),
    ].map((episode) =>
      anObservationIntent({
        episode,
        patient,
        change: {
          destination,
          patient: anIdentity({ destination, value: `ID-${patient.patientKey.slice(3)}` }),
        },
      }),
    ),
  );

const start = async (peers: readonly IllPeer[]) => {
  const log = memoryLog();
  await log.ensure([events, outbox, deliveries, tasks].map(({ name, partitions }) => ({ name, partitions })));
  const appender = await log.appender("test");
  const append = <B extends Body>(topic: Topic<B>, key: string, body: B) =>
    appender.append([
      {
        topic: topic.name,
        partition: partitionOf(key, topic.partitions),
        key,
        value: wire.encode(topic, { position: null, logTime: logTime(two), body }),
      },
    ]);
  for (const { destination } of peers)
    for (const { patientKey } of people)
      await append(
        events,
        patientKey,
        aConsent({ id: `${patientKey}/${destination.name}`, patientKey, destination: destination.name }),
      );
  const { destinations } = checkConfig(configOf(peers.map(({ destination }) => destination)), "test");
  const metrics = new Registry();
  const promotion: Running = await runPromotion({
    config: { speed: 1, destinations },
    log,
    wire,
    metrics,
    say: { error: () => undefined, warn: () => undefined },
    running: { log, wire, lingerMs: 0, onUnreadable: () => undefined, onError: () => undefined },
    counted: { promoted: new Counter({ name: "promoted", help: "told", labelNames: ["outcome"], registers: [] }) },
  } as unknown as Platform);
  closing.push(() => promotion.close());
  for (const { destination } of peers)
    for (const intent of intentsFor(destination.name)) await append(outbox, intent.patientKey, intent);

  const answered = async (name: string): Promise<Delivery[]> => {
    const found: Delivery[] = [];
    for (let partition = 0; partition < deliveries.partitions; partition++) {
      const reader = await log.reader(deliveries.name, partition, "start");
      for (let records = await reader.next(0); records.length > 0; records = await reader.next(0))
        for (const { value } of records) {
          const { body } = deliveries.codec.decode(value);
          if (body.kind === "delivery" && body.destination === name) found.push(body);
        }
      await reader.close();
    }
    return found;
  };
  return { log, metrics, answered };
};

const configOf = (destinations: readonly unknown[]) => ({
  ward: "test",
  production: false,
  data: "none",
  log: { kind: "sqlite" },
  registry: { kind: "local" },
  intake: { kind: "listener", host: "127.0.0.1", port: 0 },
  series: { kind: "sqlite", keepHours: 1 },
  destinations,
  roster: "none",
  rules: ["none"],
  demoApproval: false,
  allowPlainRules: false,
  board: { host: "127.0.0.1", port: 0 },
  speed: 1,
  lingerMs: 0,
});

const until = async (holds: () => Promise<boolean>, limitMs = 40_000): Promise<void> => {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > limitMs) throw new Error(`not so within ${limitMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** Each patient's two revisions once, the first before the second. */
const onceEachInOrder = ({ taken, destination }: IllPeer): void => {
  for (const patient of destination["kind"] === "fhir" ? ["p-a000", "p-b000", "p-c000"] : ["ID-a", "ID-b", "ID-c"])
    expect(taken.filter((one) => one.patient === patient).map(({ revision }) => revision)).toEqual([0, 1]);
};

describe("destinations side by side", () => {
  it("that are hung, dripping, down or rude get each event once afterwards; the one that is well waits for none", async () => {
    const well = await fhirPeer("well", null);
    const ill = await Promise.all([
      fhirPeer("hangs", hangs),
      fhirPeer("drips", drips),
      fhirPeer("rubbish", talksRubbish),
      fhirPeer("down", isDown),
      fhirPeer("drops", acceptsAndDrops),
      mllpPeer("deaf", isSilent),
      mllpPeer("confused", (socket) => acknowledges("AA")(socket, "0".repeat(32))),
    ]);
    const { answered, metrics } = await start([well, ...ill]);
    await until(async () => (await answered("well")).length === 6);
    onceEachInOrder(well);
    for (const { destination } of ill.filter((peer) => peer.destination.name !== "drops"))
      expect([destination.name, await answered(destination.name)]).toEqual([destination.name, []]);
    await until(async () =>
      /afferent_destination_state\{destination="hangs",state="down"\} 1/.test(await metrics.metrics()),
    );
    expect(await metrics.metrics()).toMatch(/afferent_destination_state\{destination="well",state="up"\} 1/);
    expect(await metrics.metrics()).toMatch(
      /afferent_destination_last_answer_timestamp_seconds\{destination="well"\} 1\d{9}/,
    );

    for (const peer of ill) peer.heal();
    for (const peer of ill) {
      const { name } = peer.destination;
      await until(async () => (await answered(name)).length === 6);
      expect((await answered(name)).map(({ outcome }) => outcome)).toEqual(Array(6).fill("written"));
      onceEachInOrder(peer);
    }
  }, 90_000);
});

describe("a destination's heartbeat", () => {
  it("tells when it answered last; of one that never did it says so, so that it can be missed", async () => {
    const well = await fhirPeer("well", null);
    const gone = await illFhir("gone", { patients: people, misbehaves: null, timeoutMs: 250 });
    await gone.close();
    const { metrics } = await start([well, gone]);
    const heard = (name: string, when: string): RegExp =>
      new RegExp(`^afferent_destination_last_answer_timestamp_seconds\\{destination="${name}"\\} ${when}`, "m");
    await until(async () => heard("well", "1\\d{9}").test(await metrics.metrics()));
    await until(async () => /_state\{destination="gone",state="down"\} 1/.test(await metrics.metrics()));
    expect(await metrics.metrics()).toMatch(heard("gone", "0$"));
  });
});

describe("what is parked", () => {
  const by = { as: "Dr. Ada Brandt", because: "the receiver knows the unit now" };

  it("is listed, sent again once, or dropped; only the newest of a resource, and each act is recorded", async () => {
    const peer = await mllpPeer("strict", acknowledges("AR"));
    const { log, answered } = await start([peer]);
    const ports = { log, wire };
    await until(async () => (await answered("strict")).length === 6);
    const parked = await parkedNow(ports);
    expect(parked).toHaveLength(6);
    expect(parked.map(({ delivery }) => delivery.detail)).toEqual(Array(6).fill("AR"));
    expect(parked.filter(({ superseded }) => superseded)).toHaveLength(3);
    peer.heal();

    const [newest] = parked.filter(({ superseded }) => !superseded);
    const older = parked.find((one) => one.superseded && one.delivery.resourceId === newest?.delivery.resourceId);
    await expect(retryParked(ports, older?.id ?? "", by)).rejects.toMatchObject({ code: "parked-superseded" });
    await expect(retryParked(ports, "ffffffffffff", by)).rejects.toMatchObject({ code: "parked-unknown" });
    await expect(retryParked(ports, newest?.id ?? "", { as: " ", because: "x" })).rejects.toMatchObject({
      code: "act-unnamed",
    });
    await retryParked(ports, newest?.id ?? "", by);
    await until(async () => (await answered("strict")).length === 7);
    expect(peer.taken).toHaveLength(1);
    await dropParked(ports, older?.id ?? "", by);
    expect((await parkedNow(ports)).map(({ id }) => id)).toEqual(
      parked.filter((one) => one !== newest && one !== older).map(({ id }) => id),
    );
    await expect(dropParked(ports, older?.id ?? "", by)).rejects.toMatchObject({ code: "parked-unknown" });
    expect((await answered("strict")).filter(({ outcome }) => outcome === "dropped")).toMatchObject([
      { by: by.as, detail: by.because, revision: 0 },
    ]);
    expect((await actsOf(log)).map(({ kind, stage, by: who, reason }) => [kind, stage, who, reason])).toEqual([
      ["retry", "strict", by.as, by.because],
      ["drop", "strict", by.as, by.because],
    ]);
  }, 60_000);
});
