/** Serves a process's own metrics for Prometheus, and says that it is alive. */
import Fastify from "fastify";
import type { Registry } from "prom-client";

/** Resolves when listening on 127.0.0.1. */
export const serveMetrics = async (metrics: Registry, port: number): Promise<{ close(): Promise<void> }> => {
  const server = Fastify();
  server.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  server.get("/healthz", () => ({ ok: true }));
  await server.listen({ port, host: "127.0.0.1" });
  return { close: () => server.close() };
};
