/**
 * The receiving FHIR R4 endpoint of the embedded ward: what we write and what that refers to, with versions, If-Match, transactions, history
 * and a small search, kept in one SQLite file. It refuses malformed JSON, bad shapes and dangling references as a real one does.
 */
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Patient } from "../../schemas/records/roster.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import { queryOf, tokensOf } from "./fhir/endpoint-search.ts";
import { resourceTypes } from "./fhir/endpoint-shapes.ts";
import { openResourceStore, type ResourceStore, type StoredVersion } from "./fhir/endpoint-store.ts";
import { etag, isRefusal, type Judged, judgePut, putsIn } from "./fhir/endpoint-update.ts";
import { seedPatients } from "./fhir/patients.ts";

export interface FhirEndpoint {
  /** The base, e.g. "http://127.0.0.1:8090/fhir". */
  readonly url: string;
  /** Puts a roster's patients, with their encounters, where they are missing. */
  seed(patients: readonly Omit<Patient, "kind">[]): Promise<void>;
  close(): Promise<void>;
}

interface Path {
  readonly type: string;
  readonly id: string;
  readonly version: string;
}

const contentType = "application/fhir+json; charset=utf-8";

const send = (reply: FastifyReply, status: number, body: string): FastifyReply =>
  reply.code(status).header("content-type", contentType).send(body);

const outcome = (reply: FastifyReply, status: number, code: string, problems: readonly string[]): FastifyReply =>
  send(
    reply,
    status,
    JSON.stringify({
      resourceType: "OperationOutcome",
      issue: problems.map((diagnostics) => ({ severity: "error", code, diagnostics })),
    }),
  );

const sendVersion = (reply: FastifyReply, status: number, stored: StoredVersion): FastifyReply =>
  send(
    reply.header("etag", etag(stored.version)).header("last-modified", new Date(stored.updatedMs).toUTCString()),
    status,
    stored.json,
  );

const capabilities = JSON.stringify({
  resourceType: "CapabilityStatement",
  status: "active",
  date: "2026-11-21",
  kind: "instance",
  implementation: { description: "Afferent's embedded receiving endpoint" },
  fhirVersion: "4.0.1",
  format: ["application/fhir+json"],
  rest: [
    {
      mode: "server",
      interaction: [{ code: "transaction" }],
      resource: resourceTypes.map((type) => ({
        type,
        interaction: ["read", "vread", "update", "history-instance", "search-type"].map((code) => ({ code })),
        versioning: "versioned-update",
        updateCreate: true,
      })),
    },
  ],
});

const parse = (body: unknown): object | string => {
  try {
    const json: unknown = JSON.parse(String(body));
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : "the body is no resource";
  } catch (error) {
    return `malformed JSON: ${String(error)}`;
  }
};

const keep = (store: ResourceStore, judged: readonly Judged[]): void =>
  store.put(
    judged.flatMap(({ put, version, isChange }) =>
      isChange ? [{ type: put.type, next: version, tokens: tokensOf(put.resource) }] : [],
    ),
  );

const update = (store: ResourceStore, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { type, id } = request.params as Path;
  const resource = parse(request.body);
  if (typeof resource === "string") return outcome(reply, 400, "structure", [resource]);
  const ifNoneMatch = request.headers["if-none-match"];
  const put = { type, id, resource, ifMatch: request.headers["if-match"], ifNoneMatch };
  const judged = judgePut(store, put, new Set(), Date.now());
  if (isRefusal(judged)) return outcome(reply, judged.status, judged.code, judged.problems);
  keep(store, [judged]);
  return sendVersion(reply, judged.status, judged.version);
};

/** All of its PUTs, or none (FHIR R4 http.html#transaction). */
const transact = (store: ResourceStore, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const bundled = parse(request.body);
  const puts = typeof bundled === "string" ? null : putsIn(bundled);
  if (puts === null) return outcome(reply, 400, "structure", ["not a transaction Bundle of PUTs"]);
  const together = new Set(puts.map(({ type, id }) => `${type}/${id}`));
  const now = Date.now();
  const judged = puts.map((put) => judgePut(store, put, together, now));
  const refusal = judged.find(isRefusal);
  if (refusal !== undefined) return outcome(reply, refusal.status, refusal.code, refusal.problems);
  const kept = judged.filter((one): one is Judged => !isRefusal(one));
  keep(store, kept);
  const entry = kept.map(({ put, version, status }) => ({
    response: {
      status: status === 201 ? "201 Created" : "200 OK",
      location: `${put.type}/${put.id}/_history/${version.version}`,
      etag: etag(version.version),
      lastModified: utcInstant(version.updatedMs),
    },
  }));
  return send(reply, 200, JSON.stringify({ resourceType: "Bundle", type: "transaction-response", entry }));
};

const bundle = (kind: "searchset" | "history", total: number, found: readonly StoredVersion[], next?: string): string =>
  JSON.stringify({
    resourceType: "Bundle",
    type: kind,
    total,
    ...(next !== undefined && { link: [{ relation: "next", url: next }] }),
    entry: found.map(({ json }) => ({ resource: JSON.parse(json) as unknown })),
  });

const search = (store: ResourceStore, base: string, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { type } = request.params as Path;
  const parameters = new URL(request.url, base).searchParams;
  const query = queryOf(parameters);
  if (!query.ok) return outcome(reply, 400, "not-supported", [query.problem.detail]);
  const { total, found } = store.search(type, query.value);
  const reached = query.value.offset + found.length;
  parameters.set("_offset", String(reached));
  const next = reached < total && found.length > 0 ? `${base}/${type}?${parameters.toString()}` : undefined;
  return send(reply, 200, bundle("searchset", total, found, next));
};

/** `port` 0 takes a free one. `file`: where the resources are kept; ":memory:" for none. */
export const startFhirEndpoint = async (options: { port: number; file: string }): Promise<FhirEndpoint> => {
  const store = openResourceStore(options.file);
  const app = Fastify({ bodyLimit: 1 << 20, forceCloseConnections: true });
  let base = "";
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) =>
    outcome(reply, error.statusCode ?? 500, "exception", [error.message]),
  );
  app.setNotFoundHandler((request, reply) => outcome(reply, 404, "not-found", [`no ${request.method} ${request.url}`]));
  app.addHook("preHandler", async (request, reply) => {
    const { type } = request.params as Partial<Path>;
    if (type === undefined || resourceTypes.includes(type)) return undefined;
    return outcome(reply, 404, "not-supported", [`${type} is not kept here`]);
  });
  app.post("/fhir", (request, reply) => transact(store, request, reply));
  app.get("/fhir/metadata", (_request, reply) => send(reply, 200, capabilities));
  app.get("/fhir/:type", (request, reply) => search(store, base, request, reply));
  app.put("/fhir/:type/:id", (request, reply) => update(store, request, reply));
  app.get("/fhir/:type/:id", (request, reply) => {
    const { type, id } = request.params as Path;
    const stored = store.newest(type, id);
    return stored === undefined
      ? outcome(reply, 404, "not-found", [`${type}/${id} is not known`])
      : sendVersion(reply, 200, stored);
  });
  app.get("/fhir/:type/:id/_history", (request, reply) => {
    const { type, id } = request.params as Path;
    const versions = store.history(type, id);
    return versions.length === 0
      ? outcome(reply, 404, "not-found", [`${type}/${id} is not known`])
      : send(reply, 200, bundle("history", versions.length, versions));
  });
  app.get("/fhir/:type/:id/_history/:version", (request, reply) => {
    const { type, id, version } = request.params as Path;
    const stored = store.history(type, id).find((v) => String(v.version) === version);
    return stored === undefined
      ? outcome(reply, 404, "not-found", [`${type}/${id} has no version ${version}`])
      : sendVersion(reply, 200, stored);
  });
  const address = await app.listen({ host: "127.0.0.1", port: options.port });
  base = `${address}/fhir`;
  return {
    url: base,
    seed: (patients) => seedPatients(base, patients),
    async close() {
      await app.close();
      store.close();
    },
  };
};
