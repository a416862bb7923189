/**
 * Destinations that misbehave until they are healed, as real ones do: a FHIR server behind a proxy that hangs, drips, talks rubbish, refuses
 * or hangs up, and an HL7 v2 receiver that does not acknowledge. Each writes down what it took, in its order.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Patient } from "../../schemas/records/roster.ts";
import { systems } from "../../schemas/fhir/systems.ts";
import { answering } from "../io/answering.fixture.ts";
import { startFhirEndpoint } from "../io/fhir-endpoint.ts";
import { framed } from "../io/mllp/framing.ts";
import { scriptedServer } from "../io/notify/scripted-server.fixture.ts";

/** A revision of a resource that a destination took. */
export interface Taken {
  /** As the destination knows him: by his FHIR id, or by his number. */
  readonly patient: string;
  readonly resourceId: string;
  /** Of an HL7 v2 receiver, which is told none: 1 where the episode's end is told (OBR-8), else 0. */
  readonly revision: number;
}

export interface IllPeer {
  /** Its configuration. */
  readonly destination: { readonly name: string } & Record<string, unknown>;
  /** From now on it does what it should. */
  heal(): void;
  /** Each revision as often as it was taken, in the order of taking. */
  readonly taken: readonly Taken[];
  /** How many requests or messages came, answered or not; the question whether it lives is none. */
  readonly asked: () => number;
  close(): Promise<void>;
}

/** What an ill FHIR server does with a request; `forward` lets it take effect. */
export type Misbehaving = (
  request: IncomingMessage,
  response: ServerResponse,
  forward: () => Promise<Response>,
) => unknown;

export const hangs: Misbehaving = () => undefined;
export const drips: Misbehaving = (_request, response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write("{"), 20);
  response.on("close", () => clearInterval(drip));
};
export const talksRubbish: Misbehaving = (_request, response) =>
  response.writeHead(200).end("<html>please log in</html>");
export const isDown: Misbehaving = (_request, response) => response.writeHead(503).end();
/** Reads are answered: what took effect without an answer can be found. */
export const acceptsAndDrops: Misbehaving = async (request, response, forward) => {
  if (request.method === "GET") return passOn(response, forward);
  await forward();
  request.socket.destroy();
};

const passOn = async (response: ServerResponse, forward: () => Promise<Response>): Promise<void> => {
  const answer = await forward();
  response.writeHead(answer.status, { etag: answer.headers.get("etag") ?? "" }).end(await answer.text());
};

export interface IllFhirOptions {
  readonly patients: readonly Omit<Patient, "kind">[];
  /** Null: it is well. */
  readonly misbehaves: Misbehaving | null;
  readonly timeoutMs: number;
}

export const illFhir = async (name: string, { patients, misbehaves, timeoutMs }: IllFhirOptions): Promise<IllPeer> => {
  const ehr = await startFhirEndpoint({ port: 0, file: ":memory:" });
  await ehr.seed(patients);
  let ill = misbehaves;
  let asked = 0;
  const taken: Taken[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const body = await bodyOf(request);
    const forward = async (): Promise<Response> => {
      const answered = await forwarded(ehr.url, request, body);
      if (request.method !== "GET" && answered.ok) taken.push(...takenFrom(JSON.parse(body.toString())));
      return answered;
    };
    const asksWhetherItLives = request.url === "/metadata";
    if (!asksWhetherItLives) asked++;
    return ill === null || asksWhetherItLives ? passOn(response, forward) : ill(request, response, forward);
  };
  // whoever has hung up, or a server that is being closed, gets no answer
  const proxy = await answering((request, response) => void answer(request, response).catch(() => response.destroy()));
  return {
    destination: { name, kind: "fhir", baseUrl: proxy.url, timeoutMs, finalAtEnd: true },
    heal: () => {
      ill = null;
    },
    taken,
    asked: () => asked,
    close: async () => {
      proxy.close();
      await ehr.close();
    },
  };
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const forwarded = (
  base: string,
  { method = "GET", url = "", headers }: IncomingMessage,
  body: Buffer,
): Promise<Response> => {
  const conditions = Object.entries(headers).filter(([header]) => /^(if-|prefer|content-type)/.test(header));
  return fetch(`${base}${url === "/" ? "" : url}`, {
    method,
    headers: Object.fromEntries(conditions) as Record<string, string>,
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  });
};

interface Written {
  readonly resourceType: string;
  readonly id: string;
  readonly subject?: { readonly reference: string };
  readonly meta?: { readonly tag?: readonly { readonly system: string; readonly code: string }[] };
  readonly entry?: readonly { readonly resource: Written }[];
}

/** What a PUT writes, or a transaction first of all, as its revision's tag has it. */
const takenFrom = (written: Written): Taken[] => {
  if (written.entry !== undefined) return written.entry.slice(0, 1).flatMap(({ resource }) => takenFrom(resource));
  const revision = written.meta?.tag?.find(({ system }) => system === systems.revision)?.code;
  const patient = written.subject?.reference.replace("Patient/", "");
  return revision === undefined || patient === undefined
    ? []
    : [{ patient, resourceId: written.id, revision: Number(revision) }];
};

/** What an ill receiver does with a message, by its control id. */
export type Answer = (socket: Socket, controlId: string) => void;
export const acknowledges =
  (code: string): Answer =>
  (socket, controlId) =>
    void socket.write(framed(`MSH|^~\\&|EHR||||20261121||ACK^R01^ACK|1|P|2.6\rMSA|${code}|${controlId}\r`));
export const isSilent: Answer = () => undefined;

export interface IllMllpOptions {
  readonly answers: Answer;
  readonly answerWithinMs: number;
  /** True: it takes what it does not answer, too. */
  readonly takesAllTheSame?: boolean;
}

/** It drops what it has had, by control id, as HL7 has it. */
export const illMllp = async (
  name: string,
  { answers, answerWithinMs, takesAllTheSame = false }: IllMllpOptions,
): Promise<IllPeer> => {
  let ill: Answer | null = answers;
  let asked = 0;
  const had = new Set<string>();
  const taken: Taken[] = [];
  const server = await scriptedServer((socket, _connection, came) => {
    if (!came.endsWith("\u001c\r")) return;
    const message = came.slice(came.lastIndexOf("\u000b") + 1);
    const controlId = fieldOf(message, "MSH", 9);
    asked++;
    if ((ill === null || takesAllTheSame) && !had.has(controlId)) {
      had.add(controlId);
      taken.push({
        patient: fieldOf(message, "PID", 3),
        resourceId: fieldOf(message, "OBR", 3),
        revision: fieldOf(message, "OBR", 8) === "" ? 0 : 1,
      });
    }
    (ill ?? acknowledges("AA"))(socket, controlId);
  });
  return {
    destination: {
      name,
      kind: "hl7v2",
      host: "127.0.0.1",
      port: server.port,
      answerWithinMs,
      sender: { namespace: "AFFERENT" },
      receiver: "EHR",
      finalAtEnd: true,
    },
    heal: () => {
      ill = null;
    },
    taken,
    asked: () => asked,
    close: () => server.close(),
  };
};

/** A field's first component. MSH-1 is the separator itself, so of the header the number is one less. */
const fieldOf = (message: string, segment: string, n: number): string =>
  message
    .split("\r")
    .find((line) => line.startsWith(`${segment}|`))
    ?.split("|")
    [n]?.split("^")[0] ?? "";
