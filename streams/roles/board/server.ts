/** Serves the page and its data: `/` the built page, `/api/stream` SSE, `/api/series` back-fill, `/api/why` an event's whole way, `/healthz`, `/metrics`. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import staticFiles from "@fastify/static";
import Fastify, { type FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { SampleView } from "../../../schemas/board.ts";
import { OperatingError } from "../../core/failure.ts";
import type { AnyTopic } from "../../core/stage.ts";
import type { Wire } from "../../core/wire.ts";
import type { Log } from "../../log/log.ts";
import { followCircuit } from "./circuit.ts";
import { type Clients, openClients } from "./clients.ts";
import { follow, type FollowedStage } from "./follow.ts";
import { boardMetrics } from "./metrics.ts";
import { BoardModel, type BoardRoster } from "./model.ts";
import { secure, streamHeaders } from "./security.ts";

/** The series store, as far as the board needs it. */
export interface SeriesQuery {
  /** Values of these devices with event time from `fromMs` on, oldest first. Rejects with OperatingError. */
  recent(devices: readonly string[], fromMs: number): Promise<readonly SampleView[]>;
}

export interface BoardOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  readonly log: Log;
  readonly wire: Wire;
  /** Everything whose throughput and lag is shown, in order: stages and sinks. */
  readonly stages: readonly FollowedStage[];
  readonly rawTopics: readonly AnyTopic[];
  readonly wardName: string;
  /** Wanted log seconds per second; Infinity (or 0): as fast as the machine goes. */
  readonly speed: number;
  readonly roster?: BoardRoster | undefined;
  /** Without it, back-fill comes from the board's own ten minutes. */
  readonly series?: SeriesQuery | undefined;
  /** The alert circuit's interface; without it the board shows no alarms of the circuit. */
  readonly alertApi?: string | undefined;
  readonly registry?: Registry | undefined;
  /** An event's whole way in lines; without it the page can't tell it. Rejects with OperatingError. */
  readonly why?: ((id: string) => Promise<readonly string[]>) | undefined;
  /** Where the built page is; board/dist unless told otherwise. */
  readonly pages?: string | undefined;
  onFault?(what: string, code: string): void;
}

export interface Board {
  readonly url: string;
  close(): Promise<void>;
}

const builtPages = fileURLToPath(new URL("../../../board/dist", import.meta.url));
const bedNameLongest = 64;
const minutesMost = 24 * 60;

const textOf = (query: unknown, name: string): string => {
  const value = (query as Record<string, unknown>)[name];
  return typeof value === "string" && value.length <= bedNameLongest ? value : "";
};

/** Starts reading at once and listens. Codes: `port-unavailable`, `page-not-built`. */
export const startBoard = async (options: BoardOptions): Promise<Board> => {
  const pages = options.pages ?? builtPages;
  if (!existsSync(pages))
    throw new OperatingError("page-not-built", `board: ${pages} is missing: run "npx vite build board"`, {
      retry: false,
    });
  const now = (): number => Date.now();
  const model = new BoardModel({
    wardName: options.wardName,
    wantedSpeed: Number.isFinite(options.speed) ? options.speed : 0,
    startMs: now(),
    stages: options.stages.map(({ name }) => name),
    roster: options.roster,
  });
  const metrics = boardMetrics(options.registry, model, now);
  const stop = new AbortController();
  const circuit = options.alertApi === undefined ? undefined : followCircuit(options.alertApi, now, stop.signal);
  if (circuit !== undefined) model.followCircuit(circuit.view);
  const clients = openClients(model, now, metrics.dropped);
  const server = Fastify({ forceCloseConnections: true, bodyLimit: 1024, trustProxy: false });
  secure(server, options.host);
  await server.register(staticFiles, { root: pages, cacheControl: true, maxAge: 0 });
  routes(server, { options, model, clients, now });
  const url = await listen(server, options).catch((error: unknown) => {
    clients.close();
    throw error;
  });
  const following = follow({
    ...options,
    model,
    signal: stop.signal,
    now,
    onEntry: metrics.entry,
    onFault: (what, code) => {
      metrics.fault(what, code);
      options.onFault?.(what, code);
    },
  });
  return {
    url,
    async close() {
      stop.abort();
      clients.close();
      await Promise.all([server.close(), following, circuit?.done]);
    },
  };
};

const listen = async (server: FastifyInstance, { port, host }: BoardOptions): Promise<string> => {
  try {
    return await server.listen({ port, host });
  } catch (cause) {
    throw new OperatingError("port-unavailable", `board: can't listen on ${host}:${port}`, { retry: false, cause });
  }
};

interface Parts {
  readonly options: BoardOptions;
  readonly model: BoardModel;
  readonly clients: Clients;
  now(): number;
}

const routes = (server: FastifyInstance, { options, model, clients, now }: Parts): void => {
  server.get("/healthz", async () => ({ status: "ok", logTime: model.logTime, clients: clients.size }));

  server.get("/metrics", async (_, reply) => {
    if (options.registry === undefined) return reply.code(404).send({ error: "no-metrics" });
    return reply.type(options.registry.contentType).send(await options.registry.metrics());
  });

  server.get("/api/board", async (_, reply) => reply.header("cache-control", "no-store").send(model.view(now())));

  server.get("/api/series", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const minutes = Math.min(minutesMost, Math.max(1, Number(textOf(request.query, "minutes")) || 10));
    return series(textOf(request.query, "bed"), model.logTime - minutes * 60_000, model, options.series);
  });

  let asking = false;
  server.get("/api/why", async (request, reply) => {
    reply.header("cache-control", "no-store");
    if (options.why === undefined) return reply.code(404).send({ error: "no-why" });
    // it reads whole topics: one at a time
    if (asking) return reply.code(429).send({ error: "busy" });
    asking = true;
    try {
      return { lines: await options.why(textOf(request.query, "id")) };
    } catch (error) {
      const code = error instanceof OperatingError ? error.code : "unexpected";
      return reply.code(code.startsWith("event-") ? 404 : 503).send({ error: code });
    } finally {
      asking = false;
    }
  });

  server.get("/api/stream", (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, streamHeaders);
    if (!clients.add(reply.raw, textOf(request.query, "bed"))) reply.raw.end();
  });
};

/** What the store has, and what the board itself has had since: the store writes in batches and may be behind or away. */
const series = async (
  bed: string,
  from: number,
  model: BoardModel,
  store: SeriesQuery | undefined,
): Promise<readonly SampleView[]> => {
  const own = model.samplesSince(bed, from);
  if (store === undefined) return own;
  const stored = await store.recent(model.devicesOf(bed), from).catch(() => []);
  const ownFrom = new Map<string, number>();
  for (const { metric, at } of own) if (!ownFrom.has(metric)) ownFrom.set(metric, at);
  return [...stored.filter(({ metric, at }) => at < (ownFrom.get(metric) ?? Infinity)), ...own];
};
