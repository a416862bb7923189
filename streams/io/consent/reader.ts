/** Reads Consents from a FHIR server by search: what changed, what one patient has, whether what was known is still there. */
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import { momentOf } from "../../../schemas/fhir/moment.ts";
import { openAuthorization } from "../authorization/authorization.ts";
import { fhirClient } from "../fhir/client.ts";
import { type FoundResource, searchFhir } from "../fhir/search.ts";
import { member } from "../json.ts";
import type { ConsentSourceConfig } from "./config.ts";

export interface Changes {
  readonly found: readonly FoundResource[];
  /** The newest `meta.lastUpdated` among them that is not later than `ours`; null: none. */
  readonly newest: number | null;
}

/** Every call rejects with the codes of `searchFhir`; nothing is half read. */
export interface ConsentReader {
  /**
   * What was updated at `since` (ms, the server's time) or later; null: all there is. `ours`: our own clock. A time later than that is no
   * measure of how far was read: the server's clock was wrong, and what changes once it is right bears an earlier one.
   */
  changed(since: number | null, ours: number): Promise<Changes>;
  /** What patients have, by their ids there. */
  ofPatients(ids: readonly string[]): Promise<readonly FoundResource[]>;
  /** Those of these ids that there are. */
  byId(ids: readonly string[]): Promise<readonly FoundResource[]>;
  /** True only where the server says that it has it no more (404, 410). */
  isGone(id: string): Promise<boolean>;
}

const pageCount = 200;
const idsAtOnce = 50;

const updatedAt = (resource: FoundResource): number | null => {
  const text = member(resource["meta"], "lastUpdated");
  return typeof text === "string" ? (momentOf(text)?.beginEarliest ?? null) : null;
};

const newestOf = (found: readonly FoundResource[], ours: number): number | null => {
  const times = found.map(updatedAt).filter((time) => time !== null);
  return times.reduce<number | null>((newest, time) => (time > ours ? newest : Math.max(newest ?? time, time)), null);
};

/** In a search, where these mean something (FHIR R4, search: escaping). */
const escaped = (id: string): string => id.replaceAll(/[\\$,|]/g, "\\$&");

export const openConsentReader = async (config: ConsentSourceConfig, signal: AbortSignal): Promise<ConsentReader> => {
  const { baseUrl, timeoutMs, auth } = config;
  const authorization = auth === undefined ? undefined : await openAuthorization(auth);
  const client = fhirClient({ baseUrl, timeoutMs, now: Date.now, signal, authorization });
  const search = async (query: string): Promise<FoundResource[]> => {
    const found: FoundResource[] = [];
    for await (const resource of searchFhir(query, { baseUrl, timeoutMs, signal, authorization })) found.push(resource);
    return found;
  };
  const anyOf = async (parameter: string, values: readonly string[]): Promise<FoundResource[]> => {
    const found: FoundResource[] = [];
    for (let i = 0; i < values.length; i += idsAtOnce) {
      const some = values.slice(i, i + idsAtOnce).join(",");
      found.push(...(await search(`Consent?${parameter}=${encodeURIComponent(some)}&_count=${pageCount}`)));
    }
    return found;
  };
  return {
    async changed(since, ours) {
      const updated = since === null ? "" : `_lastUpdated=ge${utcInstant(since)}&`;
      const found = await search(`Consent?${updated}_sort=_lastUpdated&_count=${pageCount}`);
      return { found, newest: newestOf(found, ours) };
    },
    ofPatients: (ids) =>
      anyOf(
        "patient",
        ids.map((id) => `Patient/${escaped(id)}`),
      ),
    byId: (ids) => anyOf("_id", ids.map(escaped)),
    async isGone(id) {
      const { status } = await client.read("Consent", id);
      return status === 404 || status === 410;
    },
  };
};
