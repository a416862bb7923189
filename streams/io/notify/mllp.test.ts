/** PCD-04 over MLLP against alarm managers that answer byte by byte, late, twice or never. */
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { framed } from "../mllp/framing.ts";
import { openMllp } from "./mllp.ts";
import type { Notifier } from "./notifier.ts";
import { outcomeOf, type ScriptedServer, scriptedServer } from "./scripted-server.fixture.ts";

const controlIds = (came: string): string[] =>
  [...came.matchAll(/\|ORU\^R40\^ORU_R40\|([0-9a-f]{32})\|/g)].map(([, id]) => id ?? "");
const isWhole = (came: string): boolean => came.endsWith("\u001c\r");
const ack = (code: string, id: string): string =>
  `MSH|^~\\&|AM||||20270115||ACK^R40|1|P|2.6\rMSA|${code}|${id}|said so\r`;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** `answer` is given each message's control id, and how many came before on all connections. */
const receiver = async (
  answer: (socket: Socket, id: string, before: number) => void,
): Promise<{ readonly server: ScriptedServer; readonly notifier: Notifier }> => {
  let before = 0;
  const server = await scriptedServer((socket, _connection, came) => {
    if (isWhole(came)) answer(socket, controlIds(came).at(-1) ?? "none", before++);
  });
  const notifier = openMllp({
    name: "mllp",
    host: "127.0.0.1",
    port: server.port,
    answerWithinMs: 150,
    sender: { namespace: "AFFERENT" },
  });
  closing.push(
    () => notifier.close(),
    () => server.close(),
  );
  return { server, notifier };
};

const send = (notifier: Notifier, identity = "n-1", limitMs = 2_000): Promise<string> =>
  outcomeOf(notifier.send(aNotification({ identity }), "AM", AbortSignal.timeout(limitMs)));
const says = (code: string) => (socket: Socket, id: string) => void socket.write(framed(ack(code, id)));

describe("an alarm manager's acknowledgement", () => {
  it.each([
    ["AA", "confirmed"],
    ["CA", "confirmed"],
    ["AE", "mllp-error-answer retry"],
    ["CE", "mllp-error-answer retry"],
    ["AR", "mllp-rejected final"],
    ["CR", "mllp-rejected final"],
  ])("%s: %s", async (code, outcome) => {
    const { notifier } = await receiver(says(code));
    expect(await send(notifier)).toBe(outcome);
  });

  it("may come byte by byte", async () => {
    const { notifier } = await receiver(async (socket, id) => {
      for (const byte of framed(ack("AA", id))) socket.write(Buffer.of(byte));
    });
    expect(await send(notifier)).toBe("confirmed");
  });

  it("that does not come has the message sent again over a new connection, with the same control id", async () => {
    const { server, notifier } = await receiver((socket, id, before) => {
      if (before > 0) says("AA")(socket, id);
    });
    expect(await send(notifier)).toBe("confirmed");
    expect(server.came).toHaveLength(2);
    expect(new Set(server.came.flatMap(controlIds)).size).toBe(1);
    expect(server.came[0]).toBe(server.came[1]);
  });

  it("is waited for by one message at a time, each with a control id of its own", async () => {
    let most = 0;
    let open = 0;
    const { server, notifier } = await receiver((socket, id) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        says("CA")(socket, id);
      }, 5);
    });
    const outcomes = await Promise.all(["a", "b", "c", "d"].map((identity) => send(notifier, identity)));
    expect(outcomes).toEqual(["confirmed", "confirmed", "confirmed", "confirmed"]);
    expect(most).toBe(1);
    expect(server.came).toHaveLength(1);
    expect(new Set(server.came.flatMap(controlIds)).size).toBe(4);
  });

  it("may come twice, the second late: it is not taken for the next message's", async () => {
    let last: string | undefined;
    const { server, notifier } = await receiver((socket, id) => {
      if (last !== undefined) socket.write(framed(ack("AA", last)));
      last = id;
      setTimeout(() => says("CA")(socket, id), 5);
    });
    for (const identity of ["a", "b", "c"]) expect(await send(notifier, identity)).toBe("confirmed");
    expect(server.came).toHaveLength(1);
  });
});

describe("a peer that misbehaves", () => {
  it.each<[string, (socket: Socket, id: string) => void, string]>([
    ["never answers", () => undefined, "mllp-no-answer retry"],
    ["ends half-way", (socket) => void socket.end("\u000bMSH|^~\\&|"), "mllp-half-answer retry"],
    ["answers half", (socket) => void socket.write("\u000bMSH|^~\\&|"), "mllp-half-answer retry"],
    ["drops after it took it", (socket) => void socket.destroy(), "mllp-closed retry"],
    ["speaks something else", (socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n"), "mllp-garbage retry"],
    ["never stops", (socket) => void socket.write(framed("x".repeat(70_000))), "mllp-too-long retry"],
    ["sends what is no answer", (socket) => void socket.write(framed("MSH|^~\\&|\r")), "mllp-not-an-answer retry"],
    ["acknowledges something else", (socket) => says("AA")(socket, "other"), "mllp-wrong-answer retry"],
  ])("%s", async (_what, answer, outcome) => {
    const { server, notifier } = await receiver(answer);
    expect(await send(notifier)).toBe(outcome);
    expect(server.came).toHaveLength(2);
  });

  it("hangs: whoever waits behind is told in his own time, and is not sent later", async () => {
    const { server, notifier } = await receiver(() => undefined);
    const first = send(notifier, "first", 250);
    const second = send(notifier, "second", 100);
    expect(await second).toBe("mllp-busy retry");
    expect(await first).toBe("mllp-no-answer retry");
    expect(new Set(server.came.flatMap(controlIds)).size).toBe(1);
  });

  it("is not there", async () => {
    const { server, notifier } = await receiver(() => undefined);
    await server.close();
    expect(await send(notifier)).toBe("mllp-unreachable retry");
  });

  it("was away and is back: the next message finds it", async () => {
    const { notifier } = await receiver((socket, id, before) => {
      says("AA")(socket, id);
      if (before === 0) setTimeout(() => socket.destroy(), 1);
    });
    expect(await send(notifier, "a")).toBe("confirmed");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await send(notifier, "b")).toBe("confirmed");
  });
});

it("nothing of a bed goes to a receiver outside", async () => {
  const { server, notifier } = await receiver(says("AA"));
  const outside = notifier.send(aNotification({ inside: false }), "AM", AbortSignal.timeout(500));
  expect(await outcomeOf(outside)).toBe("recipient-outside final");
  expect(server.came).toEqual([]);
});
