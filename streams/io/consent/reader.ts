/** Reads Consents from a FHIR server by search: what changed, what one patient has, whether what was known is still there. */
import { OperatingError } from "../../core/failure.ts";
import { utcInstant } from "../../../schemas/fhir/instant.ts";
import { momentOf } from "../../../schemas/fhir/moment.ts";
import { type Authorization, openAuthorization } from "../authorization/authorization.ts";
import { fhirClient } from "../fhir/client.ts";
import { type FoundResource, searchFhir } from "../fhir/search.ts";
import { member } from "../json.ts";
import type { ConsentSourceConfig } from "./config.ts";

export interface Changes {
  readonly found: readonly FoundResource[];
  /** The newest `meta.lastUpdated` among them, in the server's own time; the one given where there is none. */
  readonly newest: number | null;
}

/** Every call rejects with the codes of `searchFhir`; nothing is half read. */
export interface ConsentReader {
  /** What was updated at `since` (ms, the server's time) or later; null: all there is. */
  changed(since: number | null): Promise<Changes>;
  /** What one patient has, by his id there. */
  ofPatient(id: string): Promise<readonly FoundResource[]>;
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

const newestOf = (found: readonly FoundResource[], since: number | null): number | null => {
  const times = found.map(updatedAt).filter((time) => time !== null);
  return times.length === 0 ? since : Math.max(since ?? Number.NEGATIVE_INFINITY, ...times);
};

export const openConsentReader = async (config: ConsentSourceConfig, signal: AbortSignal): Promise<ConsentReader> => {
  const { baseUrl, timeoutMs, auth } = config;
  const authorization = auth === undefined ? undefined : await openAuthorization(auth);
  const client = fhirClient({ baseUrl, timeoutMs, now: Date.now, signal, authorization });
  const search = async (query: string): Promise<FoundResource[]> => {
    const given = await authorization?.header();
    try {
      const found: FoundResource[] = [];
      const options = { baseUrl, timeoutMs, signal, ...(given !== undefined && { authorization: async () => given }) };
      for await (const resource of searchFhir(query, options)) found.push(resource);
      return found;
    } catch (error) {
      refusedToken(error, authorization, given);
      throw error;
    }
  };
  return {
    async changed(since) {
      const updated = since === null ? "" : `_lastUpdated=ge${utcInstant(since)}&`;
      const found = await search(`Consent?${updated}_sort=_lastUpdated&_count=${pageCount}`);
      return { found, newest: newestOf(found, since) };
    },
    ofPatient: (id) => search(`Consent?patient=${encodeURIComponent(`Patient/${id}`)}&_count=${pageCount}`),
    async byId(ids) {
      const found: FoundResource[] = [];
      for (let i = 0; i < ids.length; i += idsAtOnce) {
        const some = ids.slice(i, i + idsAtOnce).join(",");
        found.push(...(await search(`Consent?_id=${encodeURIComponent(some)}&_count=${pageCount}`)));
      }
      return found;
    },
    async isGone(id) {
      const { status } = await client.read("Consent", id);
      return status === 404 || status === 410;
    },
  };
};

/** The next search asks for another one. */
const refusedToken = (error: unknown, authorization: Authorization | undefined, given: string | undefined): void => {
  if (given !== undefined && error instanceof OperatingError && error.code === "fhir-refused")
    authorization?.rejected(given);
};
