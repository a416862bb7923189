/**
 * The listener: terminates MQTT 3.1.1 itself (aedes speaks no 5) and sends each PUBACK only after the raw log has the message.
 * It is a front door, not a broker: it keeps nothing for subscribers. While messages are not accepted it reads on to
 * {@link heldMost} of a connection, so that what can be told meanwhile is told, and no more than the socket had handed over already: then TCP
 * holds the sender.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";
import { platformCredential, type Refused } from "./platform-credential.ts";

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
  /** Of the user `platform`, who alone may publish below `afferent-platform/`; without one nobody may. */
  readonly platformPassword?: string;
  /** A connection or a message was refused, and why; the client's id. Its connection ends. */
  readonly onRefused?: (why: Refused, session: string) => void;
}

/** What a connection may have waiting for its acknowledgement before no more is read from it. */
const heldMost = { messages: 256, bytes: 256 * 1024 };

/** What is known of a connection while it lasts. */
interface Sender {
  readonly socket: Socket;
  readonly connected: AbortController;
  messages: number;
  bytes: number;
}

/** Codes: `listener-port-taken`. */
export const startListener = async (options: ListenerOptions): Promise<Listener> => {
  const senders = new WeakMap<object, Sender>();
  const platform = platformCredential(options.platformPassword);
  const broker = await Aedes.createBroker({
    // 0: with the default of 100, floods at QoS 0 overflow the stack when the only subscriber leaves (aedes 1.2.0)
    concurrency: 0,
    authenticate: (client, username, password, done) => {
      const admitted = platform.admits(client.conn, username, password);
      if (!admitted) options.onRefused?.("platform-password", client.id);
      done(null, admitted); // false: CONNACK 5, not authorised
    },
    // nobody is told here what another device said
    authorizeSubscribe: (_client, _subscription, done) => done(null, null),
    authorizeForward: () => null,
    authorizePublish: (client, packet, done) => {
      packet.retain = false;
      if (!platform.mayPublish(client?.conn, packet.topic)) {
        options.onRefused?.("platform-topic", client?.id ?? "");
        done(new Error(`${client?.id}: not authorised to publish to ${packet.topic}`)); // which ends its connection
        return;
      }
      const sender = client === null ? undefined : senders.get(client.conn);
      const message: Received = {
        mqttTopic: packet.topic,
        payload: typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload,
        session: client?.id ?? "",
        dup: packet.dup,
        // nobody sends the will of a connection that is gone again
        qos: client === null || client.closed ? 0 : packet.qos,
        retained: false,
      };
      const settled = sender === undefined ? () => undefined : hold(sender, message.payload.length);
      options
        .accept(message, sender?.connected.signal)
        .finally(settled)
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
    senders.set(socket, { socket, connected, messages: 0, bytes: 0 });
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

/**
 * One more message of this sender waits; returns what to call when it does no more. aedes reads again once as many messages are done, or its
 * socket readable, as it has parsed: so it is told "readable" for each that it need not wait for.
 */
const hold = (sender: Sender, bytes: number): (() => void) => {
  sender.messages++;
  sender.bytes += bytes;
  if (sender.messages < heldMost.messages && sender.bytes < heldMost.bytes)
    setImmediate(() => {
      // one that is accepted at once has had aedes read on already
      if (sender.messages > 0 && !sender.socket.destroyed) sender.socket.emit("readable");
    });
  return () => {
    sender.messages--;
    sender.bytes -= bytes;
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
