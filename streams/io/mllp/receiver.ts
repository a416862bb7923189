/**
 * The server's side of MLLP: each message in turn to whoever judges it, and his answer back. One peer's rubbish, silence or haste is its own: its
 * connection ends, by a named outcome, and no other is touched.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { OperatingError } from "../../core/failure.ts";
import { Deframer, framed } from "./framing.ts";

export interface ReceiverOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. With `ca` only peers with a certificate of that authority may connect. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string | undefined } | undefined;
  /**
   * The answer to a message, once it is durable; undefined: none can be given now and the connection ends, so that the sender tries again.
   * It must not reject.
   */
  readonly answer: (message: Uint8Array, peer: string) => Promise<string | undefined>;
  /** How a connection ended that did not end well: `mllp-garbage`, `mllp-too-long`, `mllp-half-message`, `mllp-idle`, `mllp-full`, `mllp-error`. */
  readonly onFault: (reason: string, peer: string) => void;
  /** 1 MiB unless told. */
  readonly messageBytesMax?: number;
  /** A message that has begun must end within; 30 s unless told. */
  readonly messageMsMax?: number;
  /** A connection on which nothing comes; an hour unless told. */
  readonly idleMsMax?: number;
  /** Peers at once; 64 unless told. */
  readonly connectionsMax?: number;
}

export interface Receiver {
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

/** Resolves when it listens. Codes: `port-taken` and what the system says. */
export const startReceiver = async (options: ReceiverOptions): Promise<Receiver> => {
  const open = new Set<Socket>();
  const serve = (socket: Socket): void => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on("error", () => undefined);
    if (open.size >= (options.connectionsMax ?? 64)) {
      options.onFault("mllp-full", peer);
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    converse(socket, peer, options);
  };
  const { tls } = options;
  const server: Server =
    tls === undefined
      ? createServer(serve)
      : createTlsServer(
          {
            cert: tls.cert,
            key: tls.key,
            minVersion: "TLSv1.2",
            ...(tls.ca !== undefined && { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
          },
          serve,
        ).on("tlsClientError", (_error, socket) => options.onFault("mllp-error", `${socket.remoteAddress}`));
  await listening(server, options);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    get connections() {
      return open.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
};

const listening = (server: Server, { host, port }: ReceiverOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new OperatingError(
          cause.code === "EADDRINUSE" ? "port-taken" : "mllp-unreachable",
          `mllp: ${host}:${port}: ${cause.message}`,
          { retry: false, cause },
        ),
      ),
    );
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined); // of one connection that could not be taken
      resolve();
    });
  });

/** How many messages of one peer may wait: he is to await each answer before the next. */
const waiting_max = 100;

/** One connection, its messages one after the other. */
const converse = (socket: Socket, peer: string, options: ReceiverOptions): void => {
  const { answer, onFault, messageBytesMax = 1_048_576, messageMsMax = 30_000, idleMsMax = 3_600_000 } = options;
  const deframer = new Deframer(messageBytesMax, "latin1");
  let turn = Promise.resolve();
  let waiting = 0;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (reason?: string): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    if (reason !== undefined) onFault(reason, peer);
    socket.destroy();
  };
  const watch = (): void => {
    clearTimeout(timer);
    const [ms, reason] = deframer.isWithin ? [messageMsMax, "mllp-half-message"] : [idleMsMax, "mllp-idle"];
    timer = setTimeout(() => end(reason), ms).unref();
  };
  const take = (message: string): void => {
    waiting++;
    if (waiting >= waiting_max) socket.pause();
    turn = turn.then(async () => {
      if (ended) return;
      const text = await answer(Buffer.from(message, "latin1"), peer);
      waiting--;
      if (ended) return;
      if (text === undefined) return end();
      socket.write(framed(text));
      socket.resume();
    });
  };
  watch();
  socket.on("data", (bytes: Buffer) => {
    const before = deframer.isWithin;
    const found = deframer.push(bytes);
    for (const one of found) {
      if ("problem" in one) {
        // what came whole before it is answered first
        turn = turn.then(() => end(one.problem.reason));
        return;
      }
      take(one.message);
    }
    // the time of one message runs from its beginning, however slowly it drips
    if (!before || found.length > 0) watch();
  });
  socket.on("end", () => {
    turn = turn.then(() => end(deframer.isWithin ? "mllp-half-message" : undefined));
  });
  socket.on("close", () => end(deframer.isWithin ? "mllp-half-message" : undefined));
};
