/**
 * One HTTP request and its whole answer, over connections that are kept open. Made of node:http and not of fetch, which costs three times the
 * CPU of it: where thousands are told something, that is most of what telling costs (test/bench). Redirects are not followed.
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpCallerOptions {
  /** A whole answer must be there after this long, however it drips. */
  readonly timeoutMs: number;
  readonly answerBytesMost: number;
  /** Once aborted, calls on their way and later ones reject at once: whether they took effect is not known. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpCaller {
  /** Rejects with an Error where there is no whole answer in time; its message names no header and no body. */
  call(url: string, request: HttpRequest): Promise<HttpAnswer>;
  /** Ends connections that nobody uses. */
  close(): void;
}

/** A server that closes idle connections does so after five seconds or later: ours are given up before. */
const idleMs = 4_000;

export const httpCaller = ({ timeoutMs, answerBytesMost, signal }: HttpCallerOptions): HttpCaller => {
  const options = { keepAlive: true, keepAliveMsecs: 1_000, timeout: idleMs };
  const [agent, tlsAgent] = [new Agent(options), new TlsAgent(options)];
  const underWay = new Set<(why: Error) => void>();
  signal?.addEventListener(
    "abort",
    () => {
      for (const giveUp of underWay) giveUp(new Error("closed"));
    },
    { once: true },
  );
  return {
    call: (url, { method, headers, body }) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(new Error("closed"));
        const { isTls, ...asked } = requestTo(new URL(url), method, headers, body);
        const outgoing = isTls ? tlsRequest({ ...asked, agent: tlsAgent }) : plainRequest({ ...asked, agent });
        const over = (): void => {
          clearTimeout(late);
          underWay.delete(giveUp);
        };
        const giveUp = (why: Error): void => {
          over();
          outgoing.destroy();
          reject(why);
        };
        const late = setTimeout(() => giveUp(new Error(`no whole answer within ${timeoutMs} ms`)), timeoutMs);
        underWay.add(giveUp);
        outgoing.on("error", giveUp);
        outgoing.on("response", (incoming) =>
          collect(incoming, answerBytesMost, giveUp, (text) => {
            over();
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
          }),
        );
        // as text: it goes out with the head in one piece, and leaves no buffer behind
        outgoing.end(body);
      }),
    close() {
      agent.destroy();
      tlsAgent.destroy();
    },
  };
};

/** As the address has it: node does not add it to a head that is complete. */
const basic = ({ username, password }: URL): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;

/** No more than node needs, and the head as a list: what it makes of a URL and of headers by name costs a fifth of a request. */
const requestTo = (url: URL, method: string, headers: HttpRequest["headers"], body: string | undefined) => {
  const { protocol, hostname, host, port, pathname, search, username } = url;
  const head: string[] = [];
  for (const [name, value] of Object.entries(headers)) head.push(name, value);
  if (body !== undefined) head.push("content-length", String(Buffer.byteLength(body)));
  head.push("host", host);
  if (username !== "" && headers["authorization"] === undefined) head.push("authorization", basic(url));
  return {
    isTls: protocol === "https:",
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port,
    path: pathname + search,
    method,
    headers: head,
  };
};

const collect = (
  incoming: IncomingMessage,
  bytesMost: number,
  fail: (why: Error) => void,
  whole: (text: string) => void,
): void => {
  const parts: Buffer[] = [];
  let bytes = 0;
  incoming.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > bytesMost) return fail(new RangeError(`an answer of more than ${bytesMost} bytes`));
    parts.push(part);
  });
  incoming.on("error", fail);
  incoming.on("close", () =>
    incoming.complete ? whole(Buffer.concat(parts).toString()) : fail(new Error("half an answer")),
  );
};
