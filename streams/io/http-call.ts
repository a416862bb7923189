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
        const isTls = url.startsWith("https:");
        // as text: it goes out with the head in one piece, and leaves no buffer behind
        const sent = body === undefined ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) };
        const outgoing = isTls
          ? tlsRequest(url, { method, headers: sent, agent: tlsAgent })
          : plainRequest(url, { method, headers: sent, agent });
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
        outgoing.end(body);
      }),
    close() {
      agent.destroy();
      tlsAgent.destroy();
    },
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
