/** A TCP server that does what a test says with each connection, and remembers the bytes of each. */
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface ScriptedServer {
  readonly port: number;
  /** What came, connection by connection. */
  readonly came: readonly string[];
  close(): Promise<void>;
}

/** `talk` is called for every piece that comes, with the number of its connection and all that came on it until now. */
export const scriptedServer = async (
  talk: (socket: Socket, connection: number, came: string) => void,
  greet: (socket: Socket, connection: number) => void = () => undefined,
): Promise<ScriptedServer> => {
  const came: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const connection = came.push("") - 1;
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      came[connection] += bytes.toString("utf8");
      talk(socket, connection, came[connection] ?? "");
    });
    greet(socket, connection);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    came,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** How a promise ended: "confirmed", or `code` and whether it may be tried again. */
export const outcomeOf = (sending: Promise<void>): Promise<string> =>
  sending.then(
    () => "confirmed",
    (error: { code?: string; retry?: boolean }) => `${error.code} ${error.retry === true ? "retry" : "final"}`,
  );
