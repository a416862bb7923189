/**
 * Whoever is paged, as a stranger would build it: a plain HTTP server that takes the circuit's webhooks and believes only what arrives.
 * It shares no code with the platform. A second kind takes connections and never answers.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A notification's body, as far as a receiver reads it. */
export interface Told {
  readonly identity: string;
  readonly page: string;
  readonly what: string;
  readonly phase: string;
  readonly priority: string;
  readonly event: string;
  readonly metric: string | null;
  readonly device: string;
  readonly channel: string;
  readonly bed: string | null;
  readonly value: number | null;
  readonly onset: number;
  readonly text: string;
  readonly unit: string;
  readonly recipient: string;
  readonly step: number;
  readonly attempt: number;
  readonly beds: readonly string[];
  readonly alarms: readonly string[];
}

export interface Arrival {
  readonly told: Told;
  /** Wall clock, ms. */
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  /** Each notification once, as it first arrived. */
  readonly arrivals: readonly Arrival[];
  /** How often something came that had come before. */
  readonly repeats: () => number;
  close(): Promise<void>;
}

const listening = async (server: Server, port = 0): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const ended = (server: Server): Promise<void> => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
};

/** On a port of its own choice unless told which. */
export const startReceiver = async (port = 0): Promise<Receiver> => {
  const arrivals: Arrival[] = [];
  const had = new Set<string>();
  let repeats = 0;
  const server = createServer((request, response) => {
    const at = Date.now();
    void bodyOf(request).then((text) => {
      const told = JSON.parse(text) as Told;
      if (had.has(told.identity)) repeats++;
      else arrivals.push({ told, at });
      had.add(told.identity);
      response.writeHead(204).end();
    });
  });
  const url = await listening(server, port);
  return { url, arrivals, repeats: () => repeats, close: () => ended(server) };
};

/** Takes every request and answers none. */
export const startHungReceiver = async (): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server = createServer((request) => void request.resume());
  server.requestTimeout = 0;
  const url = await listening(server);
  return { url, close: () => ended(server) };
};
