/** What the embedded endpoint makes of a PUT, alone or as an entry of a transaction: a new version, the one that stands, or why not. */
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import { referencesIn, resourceTypes, shapeProblems } from "./endpoint-shapes.ts";
import type { ResourceStore, StoredVersion } from "./endpoint-store.ts";

export interface Put {
  readonly type: string;
  readonly id: string;
  readonly resource: object;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export interface Refusal {
  readonly status: number;
  /** FHIR issue type. */
  readonly code: string;
  readonly problems: readonly string[];
}

export interface Judged {
  readonly put: Put;
  readonly version: StoredVersion;
  /** 201 where it is new. */
  readonly status: 200 | 201;
  /** Whether it is another one than stood there. */
  readonly isChange: boolean;
}

export const isRefusal = (judged: Judged | Refusal): judged is Refusal => "problems" in judged;

export const etag = (version: number): string => `W/"${version}"`;

/** `together`: what is put in the same transaction, as `Type/id`: it may be referred to. */
export const judgePut = (
  store: ResourceStore,
  put: Put,
  together: ReadonlySet<string>,
  updatedMs: number,
): Judged | Refusal => {
  const { type, id, resource } = put;
  const refuse = (status: number, code: string, problems: readonly string[]): Refusal => ({ status, code, problems });
  if (!resourceTypes.includes(type)) return refuse(404, "not-supported", [`${type} is not kept here`]);
  const { resourceType, id: ownId } = resource as { resourceType?: unknown; id?: unknown };
  if (resourceType !== type || ownId !== id)
    return refuse(400, "invalid", [`${String(resourceType)}/${String(ownId)} is not ${type}/${id}`]);
  const problems = shapeProblems(type, resource);
  if (problems.length > 0) return refuse(422, "structure", problems);
  const dangling = danglingReferences(store, resource, together);
  if (dangling.length > 0) return refuse(400, "not-found", dangling);
  const current = store.newest(type, id);
  const conflict = conflictOf(put, current);
  if (conflict !== null) return refuse(412, "conflict", [conflict]);
  if (current !== undefined && asSent(JSON.parse(current.json)) === asSent(resource))
    return { put, version: current, status: 200, isChange: false };
  const version = (current?.version ?? 0) + 1;
  const next = { id, version, updatedMs, json: stamped(resource, version, updatedMs) };
  return { put, version: next, status: current === undefined ? 201 : 200, isChange: true };
};

const conflictOf = ({ type, id, ifMatch, ifNoneMatch }: Put, current: StoredVersion | undefined): string | null => {
  if (ifMatch !== undefined && (current === undefined || ifMatch !== etag(current.version)))
    return `${type}/${id} is at ${current?.version ?? "no version"}, not ${ifMatch}`;
  return ifNoneMatch === "*" && current !== undefined ? `${type}/${id} exists` : null;
};

const danglingReferences = (
  store: ResourceStore,
  resource: unknown,
  together: ReadonlySet<string>,
): readonly string[] =>
  referencesIn(resource)
    .filter((reference) => {
      const [type = "", id = "", ...rest] = reference.split("/");
      return rest.length > 0 || (!together.has(reference) && store.newest(type, id) === undefined);
    })
    .map((reference) => `Resource ${reference} not found`);

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

/** The PUTs of a transaction Bundle; null: it is none, or asks for something else. */
export const putsIn = (bundle: unknown): readonly Put[] | null => {
  const { resourceType, type, entry } = bundle as { resourceType?: unknown; type?: unknown; entry?: unknown };
  if (resourceType !== "Bundle" || type !== "transaction" || !Array.isArray(entry)) return null;
  const puts = entry.map(putOf);
  return puts.every((put) => put !== null) ? puts : null;
};

const putOf = (entry: unknown): Put | null => {
  const { resource, request } = entry as { resource?: unknown; request?: Record<string, unknown> };
  const { method, url, ifMatch, ifNoneMatch } = request ?? {};
  const [, type = "", id = ""] = typeof url === "string" ? (url.match(/^([A-Za-z]+)\/([A-Za-z0-9\-.]+)$/) ?? []) : [];
  if (method !== "PUT" || id === "" || typeof resource !== "object" || resource === null) return null;
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { type, id, resource, ifMatch: text(ifMatch), ifNoneMatch: text(ifNoneMatch) };
};
