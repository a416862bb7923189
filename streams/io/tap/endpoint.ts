/**
 * The circuit's end of the listener's tap: takes batches of received messages over HTTP and answers 204 once each message of the batch is
 * durable in the circuit's own log. A batch that comes again, because its answer was lost or late, joins the one that is under way or is
 * answered at once; only a restart of the circuit forgets which it had.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";
import { batchHeader, bodyBytesMax, contentType, messagesOf, runHeader, tapPath } from "./frame.ts";

export interface TapEndpointOptions {
  /** Loopback: whoever reaches it can report alarms in any device's name. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Called in the order in which the listener took the messages; resolves when the message is durable. */
  readonly accept: (message: Received) => Promise<void>;
  /** A listener is there: with each batch, and each second in which it has none. */
  readonly onHeard?: () => void;
  /** A batch that was refused or not taken; the listener repeats it. */
  readonly onError: (error: unknown) => void;
}

export interface TapEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** A sender's last batch. */
interface Last {
  readonly batch: number;
  readonly durable: Promise<void>;
}

/** A sender that restarted is another run. */
const runsKept = 64;

/** Codes: `tap-port-taken`. */
export const startTapEndpoint = async (options: TapEndpointOptions): Promise<TapEndpoint> => {
  const last = new Map<string, Last>();
  const server = createServer((request, response) => {
    void take(request, last, options).then(
      () => answer(response, 204),
      (error: unknown) => {
        options.onError(error);
        answer(response, statusOf(error), error instanceof Error ? error.message : String(error));
      },
    );
  });
  server.keepAliveTimeout = 0; // a listener with nothing to say keeps its connection
  await listening(server, options);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};

const take = async (
  request: IncomingMessage,
  last: Map<string, Last>,
  { accept, onHeard }: TapEndpointOptions,
): Promise<void> => {
  const { run, batch } = nameOf(request);
  const body = await bodyOf(request);
  onHeard?.();
  if (body.length === 0) return;
  const before = last.get(run);
  if (before !== undefined && batch === before.batch) return before.durable;
  if (before !== undefined && batch < before.batch) return; // an older one was answered before this run went on
  const durable = Promise.all(messagesOf(body).map((message) => accept(message))).then(() => undefined);
  last.delete(run);
  last.set(run, { batch, durable });
  for (const oldest of [...last.keys()].slice(0, -runsKept)) last.delete(oldest);
  await durable.catch((error: unknown) => {
    if (last.get(run)?.durable === durable) last.delete(run); // so that a repetition is tried again
    throw error;
  });
};

const nameOf = ({ method, url, headers }: IncomingMessage): { readonly run: string; readonly batch: number } => {
  if (method !== "POST" || url !== tapPath) throw refused("tap-unknown-request", `${method} ${url}`);
  // no browser sends this content type to another origin without asking first
  if (headers["content-type"] !== contentType)
    throw refused("tap-unknown-request", `content type ${headers["content-type"]}`);
  const run = headers[runHeader];
  const batch = Number.parseInt(String(headers[batchHeader]), 10);
  if (typeof run !== "string" || run === "" || !Number.isSafeInteger(batch))
    throw refused("tap-unknown-request", `no ${runHeader} or ${batchHeader}`);
  return { run, batch };
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) throw refused("tap-body-too-large", `more than ${bodyBytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
};

const refused = (code: string, what: string): OperatingError =>
  new OperatingError(code, `tap endpoint: ${what}`, { retry: false });

const statuses: Readonly<Record<string, number>> = {
  "tap-unknown-request": 404,
  "tap-body-too-large": 413,
  "tap-frame-invalid": 400,
};
const statusOf = (error: unknown): number =>
  (error instanceof OperatingError ? statuses[error.code] : undefined) ?? 503;

const answer = (response: ServerResponse, status: number, text?: string): void => {
  if (response.headersSent || response.destroyed) return;
  // what was not read of a refused body must not be taken for the next request
  response.writeHead(status, status === 204 ? {} : { connection: "close", "content-type": "text/plain" });
  response.end(text);
};

/** Codes: `tap-port-taken`. */
const listening = (server: Server, { host, port }: TapEndpointOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new OperatingError("tap-port-taken", `tap endpoint: can't listen on ${host}:${port}`, { retry: false, cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
