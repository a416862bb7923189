/**
 * A transaction Bundle (FHIR R4 http.html#transaction): the resource of an intent, over the version that was read, with what belongs beside it.
 * The server keeps all of it or nothing, so that what stands beside an older revision is never there alone.
 */
import { member, parsedJson } from "../json.ts";
import type { FhirAnswer } from "./client.ts";

interface Entry {
  readonly type: string;
  readonly id: string;
  /** JSON. */
  readonly resource: string;
}

/** Type and id of a resource of ours, which somebody may have parsed already. Null: it is none. */
export const entryOf = (resource: string, json: unknown = parsedJson(resource)): Entry | null => {
  const [type, id] = [member(json, "resourceType"), member(json, "id")];
  return typeof type === "string" && typeof id === "string" ? { type, id, resource } : null;
};

/** HAPI, with validation on, wants absolute addresses where entries refer to each other relatively. */
const textOf = (baseUrl: string, { type, id, resource }: Entry, condition: string): string =>
  `{"fullUrl":${JSON.stringify(`${baseUrl}/${type}/${id}`)},"resource":${resource},` +
  `"request":{"method":"PUT","url":${JSON.stringify(`${type}/${id}`)}${condition}}}`;

/**
 * HAPI 8.8 honours `ifMatch` here (409, and nothing is kept) and ignores `ifNoneMatch` (200 where 201 was due, by which a covered revision is
 * noticed: write.ts); its etags come without quotes. Measured: test/fhir-writer.integration.test.ts. `match`: the version of the first that was read; null: there was none. Those beside it have ids of their own and may be written again. */
export const transactionOf = (baseUrl: string, main: Entry, beside: readonly Entry[], match: string | null): string => {
  const condition = match === null ? ',"ifNoneMatch":"*"' : `,"ifMatch":${JSON.stringify(`W/"${match}"`)}`;
  const entries = [textOf(baseUrl, main, condition), ...beside.map((entry) => textOf(baseUrl, entry, ""))];
  return `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(",")}]}`;
};

/** The answer to the first entry, as if it had been asked for alone; null: this is no answer to a transaction. */
export const firstAnswer = (answer: FhirAnswer): FhirAnswer | null => {
  const entries = member(answer.json, "entry");
  const response = Array.isArray(entries) ? member(entries[0], "response") : undefined;
  const [status, etag] = [member(response, "status"), member(response, "etag")];
  if (member(answer.json, "type") !== "transaction-response" || typeof status !== "string") return null;
  const versionId = typeof etag === "string" ? (etag.match(/^(?:W\/)?"?([^"]+)"?$/)?.[1] ?? null) : null;
  return { status: Number.parseInt(status, 10), versionId, json: undefined, retryAfterMs: null };
};
