/** What keeps the page's data (which is health data, clinical.md 18) with the page: headers, and no answer to a foreign host name. */
import type { FastifyInstance } from "fastify";

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
} as const;

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);
const hostName = (host: string): string => host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

/** A board bound to loopback answers only to loopback's names, so that no web page elsewhere can rebind a name and read it. */
export const secure = (server: FastifyInstance, host: string): void => {
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    if (loopback.has(host) && !loopback.has(hostName(request.headers.host ?? "")))
      return reply.code(421).send({ error: "host-unknown" });
  });
};

/** For responses that bypass Fastify (SSE). */
export const streamHeaders = {
  ...headers,
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  connection: "keep-alive",
  "x-accel-buffering": "no",
} as const;
