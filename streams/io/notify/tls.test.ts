/**
 * MLLP and MQTT notifiers over TLS, with real certificates: a page goes to whom the hospital's authority vouches for under the name that was
 * asked for, and to nobody else, in the clear to nobody at all.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TlsOptions, type TLSSocket } from "node:tls";
import { Aedes } from "aedes";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aNotification } from "../../../schemas/hl7v2/pcd04.fixture.ts";
import { framed } from "../mllp/framing.ts";
import { type Certificates, issueCertificates } from "./certificates.fixture.ts";
import type { Notifier } from "./notifier.ts";
import { openNotifiers } from "./open.ts";
import { outcomeOf } from "./scripted-server.fixture.ts";

let certificates: Certificates;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  certificates = await issueCertificates();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => certificates.remove());

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<TLSSocket>();
  server.on("secureConnection", (socket) => sockets.add(socket)).on("tlsClientError", () => undefined);
  server.listen(0, "localhost");
  await once(server, "listening");
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

/** An alarm manager that says AA to whatever comes; `came` is what it could read. */
const alarmManager = async (options: TlsOptions) => {
  const came: string[] = [];
  const server = createServer(options, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      came.push(bytes.toString());
      const id = /\|ORU\^R40\^ORU_R40\|([^|]+)\|/.exec(bytes.toString())?.[1] ?? "none";
      socket.write(framed(`MSH|^~\\&|AM||||20270115||ACK^R40|1|P|2.6\rMSA|AA|${id}\r`));
    });
  });
  return { port: await listening(server), came };
};

const opened = async (settings: object): Promise<Notifier> => {
  const notifier = (await openNotifiers({ it: settings })).get("it") as Notifier;
  closing.push(() => notifier.close());
  return notifier;
};
const sent = (notifier: Notifier): Promise<string> =>
  outcomeOf(notifier.send(aNotification(), "AM", AbortSignal.timeout(3_000)));

describe("PCD-04 over TLS", () => {
  const mllp = (port: number, tls: object): Promise<Notifier> =>
    opened({ kind: "mllp", host: "localhost", port, answerWithinMs: 1_500, tls });

  it("goes to whom the authority vouches for", async () => {
    const { server, ca } = certificates;
    const { port, came } = await alarmManager(server);
    expect(await sent(await mllp(port, { caFile: ca.certFile }))).toBe("confirmed");
    expect(came.join("")).toContain("ORU^R40");
  });

  it("not where another authority does, nor where no authority was named, nor under another host's name", async () => {
    const { server, elsewhere, ca, otherCa } = certificates;
    const here = await alarmManager(server);
    expect(await sent(await mllp(here.port, { caFile: otherCa.certFile }))).toBe("mllp-unreachable retry");
    expect(await sent(await mllp(here.port, {}))).toBe("mllp-unreachable retry");
    const there = await alarmManager(elsewhere);
    expect(await sent(await mllp(there.port, { caFile: ca.certFile }))).toBe("mllp-unreachable retry");
    expect([...here.came, ...there.came]).toEqual([]);
  });

  it("shows its own certificate to a receiver that wants one, which knows no other", async () => {
    const { server, client, ca, otherCa } = certificates;
    const strict = { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
    const { port, came } = await alarmManager(strict);
    const named = { caFile: ca.certFile, certFile: client.certFile, keyFile: client.keyFile };
    expect(await sent(await mllp(port, named))).toBe("confirmed");
    const before = came.length;
    expect(await sent(await mllp(port, { caFile: ca.certFile }))).not.toBe("confirmed");
    const stranger = { caFile: ca.certFile, certFile: otherCa.certFile, keyFile: otherCa.keyFile };
    expect(await sent(await mllp(port, stranger))).not.toBe("confirmed");
    expect(came.length).toBe(before);
  });

  it("never falls back to speaking in the clear", async () => {
    const { port } = await alarmManager(certificates.server);
    const plain = await opened({ kind: "mllp", host: "localhost", port, answerWithinMs: 300 });
    expect(await sent(plain)).not.toBe("confirmed");
  });
});

describe("displays over TLS", () => {
  const broker = async (options: TlsOptions) => {
    const came: string[] = [];
    const aedes = await Aedes.createBroker();
    aedes.on("publish", ({ topic }, client) => client !== null && came.push(topic));
    const port = await listening(createServer(options, (socket) => void aedes.handle(socket)));
    closing.push(() => new Promise<void>((resolve) => aedes.close(() => resolve())));
    return { port, came };
  };
  const displays = (port: number, settings: object): Promise<Notifier> =>
    opened({ kind: "mqtt", url: `mqtts://localhost:${port}`, ...settings });
  /** The connection comes up in the background: what it comes to within two seconds. */
  const outcome = async (notifier: Notifier): Promise<string> => {
    let last = "";
    for (const until = performance.now() + 2_000; performance.now() < until; ) {
      last = await sent(notifier);
      if (last === "confirmed") break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return last;
  };

  it("are told by a broker that the authority vouches for", async () => {
    const { port, came } = await broker(certificates.server);
    expect(await outcome(await displays(port, { caFile: certificates.ca.certFile }))).toBe("confirmed");
    expect(came).toEqual(["afferent-display/AM"]);
  });

  it("and by no other", async () => {
    const { server, elsewhere, ca, otherCa } = certificates;
    const [here, there] = [await broker(server), await broker(elsewhere)];
    const outcomes = [
      displays(here.port, { caFile: otherCa.certFile }),
      displays(here.port, {}),
      displays(there.port, { caFile: ca.certFile }),
    ].map(async (opening) => outcome(await opening));
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill("mqtt-away retry"));
    expect([...here.came, ...there.came]).toEqual([]);
  });
});
