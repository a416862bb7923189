/** The HL7 v2 destination against receivers that do what a test says with each message. */
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { anObservationIntent, aRetraction } from "../../schemas/hl7v2/pcd01.fixture.ts";
import type { Intent } from "../../schemas/records/clinical.ts";
import { oruDestination } from "./hl7v2-oru.ts";
import { framed } from "./mllp/framing.ts";
import { type ScriptedServer, scriptedServer } from "./notify/scripted-server.fixture.ts";
import { sinkTo, untilWritten, written } from "./outbox/outbox.fixture.ts";

const controlIds = (came: string): string[] =>
  [...came.matchAll(/\|ORU\^R01\^ORU_R01\|([0-9a-f]{32})\|/g)].map(([, id]) => id ?? "");
const ack = (code: string, id: string, said = ""): Buffer =>
  framed(`MSH|^~\\&|EHR||||20261121||ACK^R01^ACK|1|P|2.6\rMSA|${code}|${id}|${said}\r`);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Answer = (socket: Socket, id: string) => void;
const says =
  (code: string, said = ""): Answer =>
  (socket, id) =>
    void socket.write(ack(code, id, said));

/** Answers as the script says, one after the other; AA when there are none left. */
const receiver = async (script: Answer[], otherwise: Answer = says("AA")) => {
  let read = 0;
  const server: ScriptedServer = await scriptedServer((socket, _connection, came) => {
    if (!came.endsWith("\u001c\r")) return;
    read++;
    (script.shift() ?? otherwise)(socket, controlIds(came).at(-1) ?? "none");
  });
  const abort = new AbortController();
  const config = oruDestination.shape.parse({
    name: "ehr",
    kind: "hl7v2",
    finalAtEnd: true,
    host: "127.0.0.1",
    port: server.port,
    sender: { namespace: "AFFERENT" },
    receiver: "EHR",
    answerWithinMs: 80,
  });
  const adapter = await oruDestination.open(config, { signal: abort.signal });
  closing.push(
    () => server.close(),
    () => adapter.close(),
  );
  return { adapter, server, read: () => read, ids: () => server.came.flatMap(controlIds) };
};

const of = (patientKey: string, revision = 0): Intent =>
  anObservationIntent({ change: { patientKey, revision, resourceId: `ep-${patientKey}` } });

describe("an acknowledgement", () => {
  it.each(["AA", "CA"])("%s settles it", async (code) => {
    const { adapter, ids } = await receiver([says(code)]);
    expect(await written(sinkTo(adapter).sink, [of("a")])).toEqual([`0 written ${code}`]);
    expect(ids()).toHaveLength(1);
  });

  it("AE is tried again with the same control id, and settles when it is AA", async () => {
    const { adapter, ids } = await receiver([says("AE", "busy"), says("AE")]);
    expect(await written(sinkTo(adapter).sink, [of("a")])).toEqual(["0 written AA"]);
    expect(ids()).toHaveLength(3);
    expect(new Set(ids()).size).toBe(1);
  });

  it("AE that stays parks it, with its reason and without the patient's number; the next one goes on", async () => {
    const bad = of("a");
    const { adapter } = await receiver(Array.from({ length: 7 }, () => says("AE", "unknown patient MRN0007")));
    expect(await written(sinkTo(adapter).sink, [bad, of("a", 1)])).toEqual([
      "0 refused AE: unknown patient [patient] (7 tries, the destination is well)",
      "1 written AA",
    ]);
  });

  it("AR parks it at once", async () => {
    const { adapter, ids } = await receiver([says("AR", "unsupported")]);
    expect(await written(sinkTo(adapter).sink, [of("a"), of("a", 1)])).toEqual([
      "0 refused AR: unsupported",
      "1 written AA",
    ]);
    expect(ids()).toHaveLength(2);
  });
});

describe("what a person has sent again", () => {
  it("is a message of its own each time, so that a receiver does not repeat a rejection that it remembers", async () => {
    const remembered = new Map<string, string>();
    const recalls =
      (code: string): Answer =>
      (socket, id) => {
        const answer = remembered.get(id) ?? code;
        remembered.set(id, answer);
        says(answer)(socket, id);
      };
    const { adapter, ids } = await receiver([recalls("AR"), recalls("AR"), recalls("AA")]);
    const again = { ...of("a"), resentBy: "Dr. Ada Brandt" };
    const told = [];
    for (const [offset, one] of [of("a"), again, again].entries())
      told.push(...(await written(sinkTo(adapter).sink, [one], offset)));
    expect(told).toEqual(["0 refused AR", "1 refused AR", "2 written AA"]);
    expect(new Set(ids()).size).toBe(3);
  });

  it("is one message in all tries of one asking", async () => {
    const { adapter, ids } = await receiver([says("AE")]);
    expect(await written(sinkTo(adapter).sink, [{ ...of("a"), resentBy: "Dr. Ada Brandt" }])).toEqual(["0 written AA"]);
    expect(ids()).toHaveLength(2);
    expect(new Set(ids()).size).toBe(1);
  });
});

describe("a receiver that misbehaves once", () => {
  it.each<[string, Answer]>([
    ["does not answer", () => undefined],
    ["drops the connection after it took it", (socket) => void socket.destroy()],
    ["acknowledges something else", (socket) => says("AA")(socket, "0".repeat(32))],
    ["answers rubbish", (socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n")],
    ["answers half", (socket) => void socket.write("\u000bMSH|^~\\&|")],
    [
      "drips its answer",
      async (socket, id) => {
        for (const byte of ack("AA", id)) {
          socket.write(Buffer.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    ],
  ])("(%s) has the same message under the same control id, and each patient's in order", async (_, answer) => {
    const { adapter, ids } = await receiver([answer]);
    const told = await untilWritten(sinkTo(adapter).sink, [of("a"), of("a", 1)]);
    expect(told).toEqual(["0 written AA", "1 written AA"]);
    const distinct = [...new Set(ids())];
    expect(distinct).toHaveLength(2);
    expect(ids().at(-1)).toBe(distinct[1]);
  });
});

describe("a receiver that never acknowledges", () => {
  it("is waited for, asked seldom, and gets each message once it does; nothing is parked", async () => {
    let deaf = true;
    const { adapter, ids } = await receiver([], (socket, id) => void (deaf || says("AA")(socket, id)));
    const { sink, states } = sinkTo(adapter);
    const intents = [of("a"), of("a", 1), of("b")];
    for (let n = 0; n < 3; n++)
      await expect(written(sink, intents)).rejects.toMatchObject({ code: "destination-down" });
    expect(states).toContain("down");
    deaf = false;
    const asked = ids().length;
    expect(await untilWritten(sink, intents)).toEqual(["0 written AA", "1 written AA", "2 written AA"]);
    expect(new Set(ids()).size).toBe(3);
    expect(ids().length).toBeLessThanOrEqual(asked + 3);
  });

  it("its twin is not there at all, which is found by connecting", async () => {
    const { adapter, server } = await receiver([]);
    const signal = AbortSignal.timeout(2_000);
    expect(await adapter.probe(signal)).toBe(true);
    await server.close();
    expect(await adapter.probe(signal)).toBe(false);
  });
});

describe("what can't be sent", () => {
  it("is parked before anything goes out: no identifier known there", async () => {
    const { adapter, ids } = await receiver([]);
    const nameless = anObservationIntent({ change: { patient: null } });
    expect((await written(sinkTo(adapter).sink, [nameless]))[0]).toMatch(/^0 refused identity-unknown: /);
    expect(ids()).toEqual([]);
  });

  it("is a retraction of what was parked, while one of what was taken is W", async () => {
    const { adapter, server, ids } = await receiver([says("AR")]);
    const { sink } = sinkTo(adapter);
    expect((await written(sink, [of("a"), aRetraction(of("a"))]))[1]).toMatch(/^1 alreadyThere nothing to take back/);
    expect(ids()).toHaveLength(1);
    expect(await written(sink, [of("b"), aRetraction(of("b"))])).toEqual(["0 written AA", "1 written AA"]);
    expect(server.came.join("").match(/\|W\|/g)).toHaveLength(1);
  });
});
