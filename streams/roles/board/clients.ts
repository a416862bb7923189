/** The pages that are open: each gets the board once a second and its bed's new samples four times. One that reads too slowly is dropped. */
import type { ServerResponse } from "node:http";
import type { BoardModel } from "./model.ts";

const clientsMost = 64;
/** A client that has this much unread misses a board; one that has it for so long is closed, and will come again. */
const unreadMost = 1 << 20;
const slowForMs = 5_000;
const boardEveryMs = 1_000;
const bedEveryMs = 250;

interface Client {
  readonly response: ServerResponse;
  readonly bed: string;
  /** What of its bed it has had. */
  had: number;
  slowSince: number | null;
}

export interface Clients {
  readonly size: number;
  /** False: too many are open already. */
  add(response: ServerResponse, bed: string): boolean;
  close(): void;
}

const event = (name: string, data: string): string => `event: ${name}\ndata: ${data}\n\n`;

export const openClients = (model: BoardModel, now: () => number, onDropped: () => void): Clients => {
  const clients = new Set<Client>();

  const drop = (client: Client): void => {
    clients.delete(client);
    client.response.destroy();
  };

  /** True if it keeps up. */
  const keepsUp = (client: Client): boolean => {
    if (client.response.writableLength < unreadMost) {
      client.slowSince = null;
      return true;
    }
    client.slowSince ??= now();
    if (now() - client.slowSince > slowForMs) {
      onDropped();
      drop(client);
    }
    return false;
  };

  const sendBoard = (): void => {
    if (clients.size === 0) return;
    const board = event("board", JSON.stringify(model.view(now())));
    for (const client of clients) if (keepsUp(client)) client.response.write(board);
  };

  const sendBed = (client: Client): void => {
    if (client.bed === "" || !keepsUp(client)) return;
    const [samples, waves] = [model.samplesAfter(client.bed, client.had), model.wavesAfter(client.bed, client.had)];
    client.had = model.newest(client.bed);
    if (samples.length > 0) client.response.write(event("samples", JSON.stringify(samples)));
    for (const wave of waves) client.response.write(event("wave", JSON.stringify(wave)));
  };

  const timers = [
    setInterval(sendBoard, boardEveryMs),
    setInterval(() => {
      for (const client of clients) sendBed(client);
    }, bedEveryMs),
  ];

  return {
    get size() {
      return clients.size;
    },
    add(response, bed) {
      if (clients.size >= clientsMost) return false;
      const client: Client = { response, bed, had: model.newest(bed), slowSince: null };
      clients.add(client);
      response.on("close", () => clients.delete(client));
      response.on("error", () => drop(client));
      response.write(`retry: 1000\n\n${event("board", JSON.stringify(model.view(now())))}`);
      return true;
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      for (const client of clients) drop(client);
    },
  };
};
