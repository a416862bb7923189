/**
 * The listener: terminates MQTT 3.1.1 itself (aedes speaks no 5) and sends each PUBACK only after the raw log has the message.
 * It is a front door, not a broker: it keeps nothing for subscribers. While a message is not accepted, no more is read from its
 * connection than the socket had handed over already: TCP holds the sender.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Resolves when the message is durable; the PUBACK waits for it. `connected` is aborted when the sender's connection is gone. */
  readonly accept: (message: Received, connected: AbortSignal | undefined) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Codes: `listener-port-taken`. */
export const startListener = async (options: ListenerOptions): Promise<Listener> => {
  const connections = new WeakMap<object, AbortSignal>();
  const broker = await Aedes.createBroker({
    // 0: with the default of 100, floods at QoS 0 overflow the stack when the only subscriber leaves (aedes 1.2.0)
    concurrency: 0,
    // nobody is told here what another device said
    authorizeSubscribe: (_client, _subscription, done) => done(null, null),
    authorizeForward: () => null,
    authorizePublish: (client, packet, done) => {
      packet.retain = false;
      options
        .accept(
          {
            mqttTopic: packet.topic,
            payload: typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload,
            session: client?.id ?? "",
            dup: packet.dup,
            // nobody sends the will of a connection that is gone again
            qos: client === null || client.closed ? 0 : packet.qos,
            retained: false,
          },
          client === null ? undefined : connections.get(client.conn),
        )
        .then(
          () => done(null),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
    },
  });
  broker.on("clientError", (_client, error) => options.onError(error));
  broker.on("connectionError", (_client, error) => options.onError(error));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const connected = new AbortController();
    connections.set(socket, connected.signal);
    socket.on("close", () => {
      sockets.delete(socket);
      connected.abort();
    });
    broker.handle(socket);
  });
  await listening(server, options).catch(async (error: unknown) => {
    await new Promise<void>((resolve) => broker.close(() => resolve())); // its timers would keep the process
    throw error;
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
};

/** Codes: `listener-port-taken`. */
const listening = (server: Server, { host, port }: ListenerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new OperatingError("listener-port-taken", `listener: can't listen on ${host}:${port}`, { retry: false, cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
