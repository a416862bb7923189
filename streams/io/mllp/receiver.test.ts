/** The server's side of MLLP against our own sender and against raw sockets: whatever one peer does, the next is served. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { issueCertificates } from "../notify/certificates.fixture.ts";
import { framed } from "./framing.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "./receiver.ts";
import { MllpSender } from "./sender.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const faults: string[] = [];
const taken: string[] = [];
const acknowledged = (text: string): string => `MSH|^~\\&|R\rMSA|AA|${text.split("|")[9]}\r`;
const message = (controlId: string): string => `MSH|^~\\&|S|||||||${controlId}|P|2.5\r`;

const receiving = async (options: Partial<ReceiverOptions> = {}): Promise<Receiver> => {
  faults.length = 0;
  taken.length = 0;
  const receiver = await startReceiver({
    host: "127.0.0.1",
    port: 0,
    answer: async (bytes) => {
      const text = Buffer.from(bytes).toString("latin1");
      taken.push(text);
      return acknowledged(text);
    },
    onFault: (reason) => faults.push(reason),
    ...options,
  });
  closing.push(receiver.close);
  return receiver;
};

const sendingTo = ({ port }: Receiver): MllpSender => {
  const sender = new MllpSender({ host: "127.0.0.1", port, answerWithinMs: 2_000 });
  closing.push(() => sender.close());
  return sender;
};
const sent = async (sender: MllpSender, controlId: string): Promise<string> =>
  (await sender.send({ text: message(controlId), controlId }, AbortSignal.timeout(3_000))).code;

/** A raw connection that writes these bytes; resolves with what came back once it is closed, or after a while. */
const raw = async (
  { port }: Receiver,
  ...pieces: readonly Buffer[]
): Promise<{ socket: Socket; got: () => string }> => {
  const socket = connect({ host: "127.0.0.1", port });
  closing.push(() => socket.destroy());
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(5);
  }
  return { socket, got: () => text };
};
const until = async (holds: () => boolean): Promise<void> => {
  for (let n = 0; n < 200 && !holds(); n++) await sleep(10);
  expect(holds()).toBe(true);
};

describe("an MLLP receiver", () => {
  it("answers our sender's messages one after the other, and gives their bytes as they came", async () => {
    const sender = sendingTo(await receiving());
    expect([await sent(sender, "1"), await sent(sender, "2")]).toEqual(["AA", "AA"]);
    expect(taken).toEqual([message("1"), message("2")]);
  });

  it("takes several messages in one piece, and one in many", async () => {
    const receiver = await receiving();
    const bytes = Buffer.concat([framed(message("1")), framed(message("2")), framed(message("3"))]);
    const { got } = await raw(receiver, bytes.subarray(0, 1), bytes.subarray(1, 50), bytes.subarray(50));
    await until(() => got().split("MSA|AA|").length === 4);
    expect(taken).toEqual([message("1"), message("2"), message("3")]);
  });

  it.each([
    ["speaks HTTP", [Buffer.from("GET / HTTP/1.1\r\n\r\n")], "mllp-garbage"],
    ["begins a message within a message", [Buffer.of(0x0b, 0x41, 0x0b)], "mllp-garbage"],
    [
      "sends more than a message may hold",
      [Buffer.concat([Buffer.of(0x0b), Buffer.alloc(3_000, 0x41)])],
      "mllp-too-long",
    ],
    ["stops within a message", [Buffer.of(0x0b, 0x4d, 0x53)], "mllp-half-message"],
    ["drips", Array.from({ length: 40 }, (_, n) => (n === 0 ? Buffer.of(0x0b) : Buffer.of(0x41))), "mllp-half-message"],
  ] as const)("ends the connection of a peer that %s, and of nobody else", async (_what, pieces, reason) => {
    const receiver = await receiving({ messageBytesMax: 2_000, messageMsMax: 100 });
    const sender = sendingTo(receiver);
    expect(await sent(sender, "1")).toBe("AA");
    const { socket } = await raw(receiver, ...pieces);
    await until(() => socket.closed || socket.destroyed);
    expect(faults).toEqual([reason]);
    expect(await sent(sender, "2")).toBe("AA");
    await until(() => receiver.connections === 1);
  });

  it("answers what came whole before a peer's rubbish", async () => {
    const receiver = await receiving();
    const { got, socket } = await raw(receiver, Buffer.concat([framed(message("1")), Buffer.from("rubbish")]));
    await until(() => socket.destroyed || socket.closed);
    expect(got()).toContain("MSA|AA|1");
  });

  it("names a peer that leaves within a message", async () => {
    const receiver = await receiving();
    const { socket } = await raw(receiver, Buffer.of(0x0b, 0x4d));
    socket.destroy();
    await until(() => faults.length > 0);
    expect(faults).toEqual(["mllp-half-message"]);
  });

  it("serves so many at once and no more; a silent one is let go", async () => {
    const receiver = await receiving({ connectionsMax: 1, idleMsMax: 150 });
    const first = await raw(receiver);
    const second = await raw(receiver);
    await until(() => second.socket.closed);
    expect(faults).toEqual(["mllp-full"]);
    await until(() => first.socket.closed);
    expect(faults).toEqual(["mllp-full", "mllp-idle"]);
  });

  it("gives no answer where none can be given, so that the sender tries again", async () => {
    let away = true;
    const receiver = await receiving({
      answer: async (bytes) => {
        if (!away) return acknowledged(Buffer.from(bytes).toString("latin1"));
        away = false;
        return undefined;
      },
    });
    expect(await sent(sendingTo(receiver), "1")).toBe("AA");
  });

  it("says that its port is taken", async () => {
    const { port } = await receiving();
    await expect(
      startReceiver({ host: "127.0.0.1", port, answer: async () => undefined, onFault: () => undefined }),
    ).rejects.toMatchObject({ code: "port-taken" });
  });
});

describe("an MLLP receiver with TLS", () => {
  it("takes senders with a certificate of the hospital's authority, and nobody else", { timeout: 30_000 }, async () => {
    const { ca, server, client, remove } = await issueCertificates();
    closing.push(remove);
    const receiver = await receiving({ tls: { cert: server.cert, key: server.key, ca: ca.cert } });
    const to = (tls: object): MllpSender => {
      const sender = new MllpSender({ host: "localhost", port: receiver.port, answerWithinMs: 2_000, tls });
      closing.push(() => sender.close());
      return sender;
    };
    expect(await sent(to({ ca: ca.cert, cert: client.cert, key: client.key }), "1")).toBe("AA");
    await expect(sent(to({ ca: ca.cert }), "2")).rejects.toThrow();
    const plain = await raw(receiver, framed(message("3")));
    await until(() => plain.socket.closed);
    expect(taken).toEqual([message("1")]);
    expect(new Set(faults)).toEqual(new Set(["mllp-error"]));
  });
});
