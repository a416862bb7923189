/** PCD-01 goes to the receiver that its certificate says it is, and to nobody else; the receiver may want to know who sends. */
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { anObservationIntent } from "../../schemas/hl7v2/pcd01.fixture.ts";
import { oruDestination } from "./hl7v2-oru.ts";
import { framed } from "./mllp/framing.ts";
import { type Certificates, type Issued, issueCertificates } from "./notify/certificates.fixture.ts";
import { sinkTo, written } from "./outbox/outbox.fixture.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await issueCertificates();
});
afterAll(() => certificates?.remove());

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Wants a client's certificate of the same authority, and answers AA. */
const receiver = async ({ cert, key }: Issued) => {
  const came: string[] = [];
  const sockets: TLSSocket[] = [];
  const server = createServer(
    { cert, key, ca: certificates.ca.cert, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      sockets.push(socket);
      let text = "";
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        text += bytes.toString();
        if (!text.endsWith("\u001c\r")) return;
        came.push(text);
        const id = text.match(/\|([0-9a-f]{32})\|/)?.[1] ?? "";
        text = "";
        socket.write(framed(`MSH|^~\\&|EHR||||20261121||ACK^R01^ACK|1|P|2.6\rMSA|AA|${id}\r`));
      });
    },
  );
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, came };
};

const send = async (port: number, tls: object): Promise<string[]> => {
  const adapter = await oruDestination.open(
    oruDestination.shape.parse({
      name: "ehr",
      kind: "hl7v2",
      finalAtEnd: true,
      host: "localhost",
      port,
      tls,
      sender: { namespace: "AFFERENT" },
      receiver: "EHR",
      answerWithinMs: 2_000,
    }),
    { signal: new AbortController().signal },
  );
  closing.push(() => void adapter.close());
  return written(sinkTo(adapter, { patienceMs: 0 }).sink, [anObservationIntent()]);
};
const down = { code: "destination-down", message: expect.stringContaining("mllp") };

it("goes to a receiver of our authority that knows us, encrypted", async () => {
  const { port, came } = await receiver(certificates.server);
  const { certFile, keyFile } = certificates.client;
  expect(await send(port, { caFile: certificates.ca.certFile, certFile, keyFile })).toEqual(["0 written AA"]);
  expect(came).toHaveLength(1);
});

it.each<[string, () => Issued, () => object]>([
  [
    "vouched for by nobody that we know",
    () => certificates.server,
    () => ({
      caFile: certificates.otherCa.certFile,
      certFile: certificates.client.certFile,
      keyFile: certificates.client.keyFile,
    }),
  ],
  [
    "with another's certificate",
    () => certificates.elsewhere,
    () => ({
      caFile: certificates.ca.certFile,
      certFile: certificates.client.certFile,
      keyFile: certificates.client.keyFile,
    }),
  ],
  ["that does not know us", () => certificates.server, () => ({ caFile: certificates.ca.certFile })],
])("tells nothing to a receiver %s, and waits", async (_, theirs, ours) => {
  const { port, came } = await receiver(theirs());
  await expect(send(port, ours())).rejects.toMatchObject(down);
  expect(came).toEqual([]);
});
