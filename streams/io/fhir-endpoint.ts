/**
 * The receiving FHIR R4 endpoint of the embedded ward: Observation, Patient and Encounter with versions, If-Match, history and
 * a small search, kept in one SQLite file. It refuses malformed JSON, bad shapes and dangling references as a real one does.
 */
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Patient } from "../../schemas/records.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import { queryOf, tokensOf } from "./fhir/endpoint-search.ts";
import { referencesIn, resourceTypes, shapeProblems } from "./fhir/endpoint-shapes.ts";
import { openResourceStore, type ResourceStore, type StoredVersion } from "./fhir/endpoint-store.ts";
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

const etag = (version: number): string => `W/"${version}"`;

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
      resource: resourceTypes.map((type) => ({
        type,
        interaction: ["read", "vread", "update", "history-instance", "search-type"].map((code) => ({ code })),
        versioning: "versioned-update",
        updateCreate: true,
      })),
    },
  ],
});

/** The resource without what the server assigns. */
const asSent = (resource: object): string => {
  const { meta, ...rest } = resource as { meta?: Record<string, unknown> };
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {};
  return JSON.stringify({ ...rest, meta: kept });
};

const stamped = (resource: object, version: number, updatedMs: number): string => {
  const { resourceType, id, meta, ...rest } = resource as { resourceType: string; id: string; meta?: object };
  const stamp = { versionId: String(version), lastUpdated: utcInstant(updatedMs) };
  return JSON.stringify({ resourceType, id, meta: { ...meta, ...stamp }, ...rest });
};

const danglingReferences = (store: ResourceStore, resource: unknown): readonly string[] =>
  referencesIn(resource)
    .filter((reference) => {
      const [type = "", id = "", ...rest] = reference.split("/");
      return rest.length > 0 || store.newest(type, id) === undefined;
    })
    .map((reference) => `Resource ${reference} not found`);

const parse = (body: unknown): object | string => {
  try {
    const json: unknown = JSON.parse(String(body));
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : "the body is no resource";
  } catch (error) {
    return `malformed JSON: ${String(error)}`;
  }
};

const update = (store: ResourceStore, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { type, id } = request.params as Path;
  const resource = parse(request.body);
  if (typeof resource === "string") return outcome(reply, 400, "structure", [resource]);
  const { resourceType, id: ownId } = resource as { resourceType?: unknown; id?: unknown };
  if (resourceType !== type || ownId !== id)
    return outcome(reply, 400, "invalid", [`${String(resourceType)}/${String(ownId)} is not ${type}/${id}`]);
  const problems = shapeProblems(type, resource);
  if (problems.length > 0) return outcome(reply, 422, "structure", problems);
  const dangling = danglingReferences(store, resource);
  if (dangling.length > 0) return outcome(reply, 400, "not-found", dangling);

  const current = store.newest(type, id);
  const expected = request.headers["if-match"];
  if (expected !== undefined && (current === undefined || expected !== etag(current.version)))
    return outcome(reply, 412, "conflict", [
      `${type}/${id} is at ${current?.version ?? "no version"}, not ${expected}`,
    ]);
  if (request.headers["if-none-match"] === "*" && current !== undefined)
    return outcome(reply, 412, "conflict", [`${type}/${id} exists`]);
  if (current !== undefined && asSent(JSON.parse(current.json)) === asSent(resource))
    return sendVersion(reply, 200, current);
  const version = (current?.version ?? 0) + 1;
  const updatedMs = Date.now();
  const next = { id, version, updatedMs, json: stamped(resource, version, updatedMs) };
  store.put(type, next, tokensOf(resource));
  return sendVersion(reply, current === undefined ? 201 : 200, next);
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
