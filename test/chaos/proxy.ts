/**
 * A TCP proxy in front of a server. It can lose acknowledgements after they took effect: the request goes through, the server answers,
 * and the client gets a reset connection instead of the answer.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Answer, Dialect } from "./dialects.ts";

export interface LossyProxy {
  readonly port: number;
  /** The next so many answers to this request are lost. */
  lose(to: string, count: number): void;
  /** Answers lost so far, by request. */
  readonly lost: ReadonlyMap<string, number>;
  /** Loses nothing more. */
  heal(): void;
  close(): Promise<void>;
}

const host = "127.0.0.1";

/** `port`: 0 for a free one. */
export const startProxy = async (port: number, upstreamPort: number, dialect: () => Dialect): Promise<LossyProxy> => {
  const toLose = new Map<string, number>();
  const lost = new Map<string, number>();
  const sockets = new Set<Socket>();

  /** True where this answer is to be lost now. */
  const loses = ({ to }: Answer): boolean => {
    const left = toLose.get(to) ?? 0;
    if (to === "" || left === 0) return false;
    toLose.set(to, left - 1);
    lost.set(to, (lost.get(to) ?? 0) + 1);
    return true;
  };

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host, noDelay: true });
    const conversation = dialect();
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("drain", () => upstream.resume());
    upstream.on("drain", () => client.resume());
    client.on("data", (bytes: Buffer) => {
      conversation.asked(bytes);
      if (!upstream.write(bytes)) client.pause();
    });
    upstream.on("data", (bytes: Buffer) => {
      for (const answer of conversation.answered(bytes)) {
        if (client.destroyed) return;
        if (loses(answer)) {
          client.resetAndDestroy();
          upstream.destroy();
        } else if (!client.write(answer.bytes)) upstream.pause();
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    lose: (to, count) => void toLose.set(to, (toLose.get(to) ?? 0) + count),
    lost,
    heal: () => toLose.clear(),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
