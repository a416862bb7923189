/** A broker that does what a test says, packet by packet, and remembers what it was sent. */
import { createServer, type Socket } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";

export interface ScriptedBroker {
  readonly url: string;
  /** What came, connection by connection. */
  readonly connections: readonly (readonly Packet[])[];
  /** Sends to the newest connection. */
  send(packet: Packet): void;
  /** Ends the newest connection. */
  drop(): void;
  close(): Promise<void>;
}

/** `suback` answers the n-th SUBSCRIBE; `session` is sent in the same breath as each CONNACK. */
export const scriptedBroker = async (
  suback: (n: number) => number,
  session: (connection: number) => readonly Packet[] = () => [],
  protocolVersion: 4 | 5 = 4,
): Promise<ScriptedBroker> => {
  const connections: Packet[][] = [];
  const sockets: Socket[] = [];
  let subscribes = 0;
  const bytesOf = (packet: Packet): Buffer => generate(packet, { protocolVersion });
  const server = createServer((socket) => {
    const had: Packet[] = [];
    const connection = connections.push(had) - 1;
    sockets.push(socket);
    socket.on("error", () => undefined);
    const reading = parser({ protocolVersion });
    socket.on("data", (bytes) => reading.parse(bytes as Buffer));
    reading.on("packet", (packet: Packet) => {
      had.push(packet);
      if (packet.cmd === "connect") {
        const connack = { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: connection > 0 } as const;
        socket.write(Buffer.concat([connack, ...session(connection)].map(bytesOf)));
      }
      if (packet.cmd === "subscribe")
        socket.write(bytesOf({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [suback(subscribes++)] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `mqtt://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    connections,
    send: (packet) => void sockets.at(-1)?.write(bytesOf(packet)),
    drop: () => void sockets.at(-1)?.destroy(),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
