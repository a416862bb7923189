/**
 * Bad peers side by side, each a destination of the same promotion over one log: every one of them gets each event once afterwards, each
 * patient's in order, and the one that is well waits for none of them. What was parked is listed, sent again and dropped by a named person.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Counter, Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { aConsent, anEpisode, aPatient, ended, two } from "../../schemas/fhir/clinical.fixture.ts";
import { anIdentity, anObservationIntent } from "../../schemas/hl7v2/pcd01.fixture.ts";
import type { Delivery, Intent } from "../../schemas/records.ts";
import { deliveries, events, outbox, tasks } from "../../schemas/topics.ts";
import type { Platform } from "../compose.ts";
import { checkConfig } from "../config.ts";
import { ok } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import { logTime } from "../core/time.ts";
import type { Body, Topic } from "../core/topic.ts";
import type { Wire } from "../core/wire.ts";
import { answering } from "../io/answering.fixture.ts";
import { type FhirEndpoint, startFhirEndpoint } from "../io/fhir-endpoint.ts";
import { framed } from "../io/mllp/framing.ts";
import { scriptedServer } from "../io/notify/scripted-server.fixture.ts";
import { memoryLog } from "../log/memory.ts";
import { actsOf } from "../log/stage-acts.ts";
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

interface Peer {
  readonly destination: { readonly name: string } & Record<string, unknown>;
  /** From now on it does what it should. */
  heal(): void;
  /** What it has taken, as `pk revision`, in its order. */
  taken(): Promise<readonly string[]> | readonly string[];
}

type Misbehaving = (request: IncomingMessage, response: ServerResponse, forward: () => Promise<Response>) => unknown;

/** A FHIR server behind something that misbehaves until it is healed. */
const fhirPeer = async (name: string, misbehave: Misbehaving | null): Promise<Peer> => {
  const ehr: FhirEndpoint = await startFhirEndpoint({ port: 0, file: ":memory:" });
  await ehr.seed(people);
  let ill = misbehave;
  const kept: string[] = [];
  const proxy = await answering((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const body = Buffer.concat(chunks);
      const { method = "GET", url = "", headers } = request;
      const forward = async (): Promise<Response> => {
        const conditions = Object.entries(headers).filter(([header]) => /^(if-|prefer|content-type)/.test(header));
        const answer = await fetch(`${ehr.url}${url}`, {
          method,
          headers: Object.fromEntries(conditions) as Record<string, string>,
          ...(body.length > 0 && { body: new Uint8Array(body) }),
        });
        if (method === "PUT" && answer.ok) {
          const { subject, meta } = JSON.parse(body.toString()) as {
            subject: { reference: string };
            meta: { tag: { system: string; code: string }[] };
          };
          kept.push(`${subject.reference.slice(-5, -3)} ${meta.tag[0]?.code}`);
        }
        return answer;
      };
      if (ill !== null && url !== "/metadata") return ill(request, response, forward);
      const answer = await forward();
      response.writeHead(answer.status, { etag: answer.headers.get("etag") ?? "" }).end(await answer.text());
    });
  });
  closing.push(
    () => ehr.close(),
    () => proxy.close(),
  );
  return {
    destination: { name, kind: "fhir", baseUrl: proxy.url, timeoutMs: 250, finalAtEnd: true },
    heal: () => {
      ill = null;
    },
    taken: () => kept,
  };
};

type Answer = (socket: Socket, id: string, message: string) => void;
const says =
  (code: string): Answer =>
  (socket, id) =>
    void socket.write(framed(`MSH|^~\\&|EHR||||20261121||ACK^R01^ACK|1|P|2.6\rMSA|${code}|${id}\r`));

/** An HL7 v2 receiver that does as its kind does until it is healed; it drops what it has had, by control id, as HL7 has it. */
const mllpPeer = async (name: string, misbehave: Answer): Promise<Peer> => {
  let ill: Answer | null = misbehave;
  const had = new Map<string, string>();
  const server = await scriptedServer((socket, _connection, came) => {
    if (!came.endsWith("\u001c\r")) return;
    const message = came.slice(came.lastIndexOf("\u000b") + 1);
    const id = message.match(/\|([0-9a-f]{32})\|/)?.[1] ?? "none";
    if (ill !== null) return ill(socket, id, message);
    const [, patient = ""] = message.match(/PID\|\|\|ID-(.)/) ?? [];
    if (!had.has(id)) had.set(id, `-${patient} ${message.includes("|20261121140930") ? 1 : 0}`);
    says("AA")(socket, id, message);
  });
  closing.push(() => server.close());
  return {
    destination: {
      name,
      kind: "hl7v2",
      host: "127.0.0.1",
      port: server.port,
      answerWithinMs: 150,
      sender: { namespace: "AFFERENT" },
      receiver: "EHR",
      finalAtEnd: true,
    },
    heal: () => {
      ill = null;
    },
    taken: () => [...had.values()],
  };
};

const hangs: Misbehaving = () => undefined;
const drips: Misbehaving = (_request, response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write("{"), 20);
  response.on("close", () => clearInterval(drip));
};
const rubbish: Misbehaving = (_request, response) => response.writeHead(200).end("<html>please log in</html>");
const down: Misbehaving = (_request, response) => response.writeHead(503).end();
const acceptsAndDrops: Misbehaving = async (request, _response, forward) => {
  await forward();
  request.socket.destroy();
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

const start = async (peers: readonly Peer[]) => {
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
const onceEachInOrder = (taken: readonly string[]): void => {
  for (const name of ["-a", "-b", "-c"])
    expect(taken.filter((one) => one.startsWith(name))).toEqual([`${name} 0`, `${name} 1`]);
};

describe("destinations side by side", () => {
  it("that are hung, dripping, down or rude get each event once afterwards; the one that is well waits for none", async () => {
    const well = await fhirPeer("well", null);
    const ill = await Promise.all([
      fhirPeer("hangs", hangs),
      fhirPeer("drips", drips),
      fhirPeer("rubbish", rubbish),
      fhirPeer("down", down),
      fhirPeer("drops", acceptsAndDrops),
      mllpPeer("deaf", () => undefined),
      mllpPeer("confused", (socket) => says("AA")(socket, "0".repeat(32), "")),
    ]);
    const { answered, metrics } = await start([well, ...ill]);
    await until(async () => (await answered("well")).length === 6);
    onceEachInOrder(await well.taken());
    for (const { destination } of ill.filter((peer) => peer.destination.name !== "drops"))
      expect([destination.name, await answered(destination.name)]).toEqual([destination.name, []]);
    await until(async () =>
      /afferent_destination_state\{destination="hangs",state="down"\} 1/.test(await metrics.metrics()),
    );
    expect(await metrics.metrics()).toMatch(/afferent_destination_state\{destination="well",state="up"\} 1/);
    expect(await metrics.metrics()).toMatch(
      /afferent_destination_last_answer_timestamp_seconds\{destination="well"\} \d/,
    );

    for (const peer of ill) peer.heal();
    for (const { destination, taken } of ill) {
      await until(async () => (await answered(destination.name)).length === 6);
      expect((await answered(destination.name)).map(({ outcome }) => outcome)).toEqual(Array(6).fill("written"));
      onceEachInOrder(await taken());
    }
  }, 90_000);
});

describe("what is parked", () => {
  const by = { as: "Dr. Ada Brandt", because: "the receiver knows the unit now" };

  it("is listed, sent again once, or dropped; only the newest of a resource, and each act is recorded", async () => {
    const peer = await mllpPeer("strict", says("AR"));
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
    expect(await peer.taken()).toHaveLength(1);
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
