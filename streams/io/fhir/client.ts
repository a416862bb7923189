/** The few FHIR R4 calls that a writer needs, as answers to be judged: only a missing answer is an error. */
import { OperatingError } from "../../core/failure.ts";

export interface FhirAnswer {
  readonly status: number;
  /** From the ETag, else meta.versionId; null where the answer names none. */
  readonly versionId: string | null;
  /** Parsed body; undefined where it is no JSON. */
  readonly json: unknown;
  /** How long the server asks to be left alone; null where it doesn't. */
  readonly retryAfterMs: number | null;
}

export interface FhirClient {
  read(type: string, id: string): Promise<FhirAnswer>;
  /** Writes over version `match`, or only where there is none (null). */
  update(type: string, id: string, resource: string, match: string | null): Promise<FhirAnswer>;
  /** A Bundle of the versions that there were, newest first. */
  history(type: string, id: string): Promise<FhirAnswer>;
  /** True where the server answers for its capabilities: then what it refuses is the request's fault. */
  healthy(): Promise<boolean>;
}

export interface FhirClientOptions {
  /** E.g. "http://127.0.0.1:8080/fhir", without a slash at the end. */
  readonly baseUrl: string;
  /** A whole answer must be there after this long. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Once aborted, calls on their way and later ones reject at once: whether they took effect is not known. */
  readonly signal?: AbortSignal;
}

const retryAfter = (header: string | null, now: number): number | null => {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the caller: a body that is no JSON is an answer too
  }
};

export const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const versionOf = (etag: string | null, json: unknown): string | null => {
  const tagged = etag?.match(/^(?:W\/)?"([^"]+)"$/)?.[1];
  const inMeta = member(member(json, "meta"), "versionId");
  return tagged ?? (typeof inMeta === "string" ? inMeta : null);
};

/** Calls reject with OperatingError `fhir-unavailable` (retry) where there is no whole answer in time. */
export const fhirClient = (options: FhirClientOptions): FhirClient => {
  const { timeoutMs, signal: closing } = options;
  const call = async (path: string, init: RequestInit): Promise<FhirAnswer> => {
    const url = `${options.baseUrl}/${path}`;
    try {
      const late = AbortSignal.timeout(timeoutMs);
      const signal = closing === undefined ? late : AbortSignal.any([closing, late]);
      const response = await fetch(url, { ...init, signal });
      const json = parsed(await response.text());
      return {
        status: response.status,
        versionId: versionOf(response.headers.get("etag"), json),
        json,
        retryAfterMs: retryAfter(response.headers.get("retry-after"), options.now()),
      };
    } catch (cause) {
      const detail = cause instanceof Error ? `${cause.message} ${String(cause.cause ?? "")}`.trim() : String(cause);
      throw new OperatingError("fhir-unavailable", `${init.method ?? "GET"} ${url}: ${detail}`, { retry: true, cause });
    }
  };
  const accept = { accept: "application/fhir+json" };
  return {
    read: (type, id) => call(`${type}/${id}`, { headers: accept }),
    update: (type, id, resource, match) =>
      call(`${type}/${id}`, {
        method: "PUT",
        body: resource,
        headers: {
          ...accept,
          "content-type": "application/fhir+json",
          prefer: "return=representation",
          // HAPI adds tags to those of earlier versions unless told that these are all.
          "x-meta-snapshot-mode": "TAG, PROFILE, SECURITY_LABEL",
          ...(match === null ? { "if-none-match": "*" } : { "if-match": `W/"${match}"` }),
        },
      }),
    history: (type, id) => call(`${type}/${id}/_history?_count=50`, { headers: accept }),
    async healthy() {
      try {
        const { status, json } = await call("metadata", { headers: accept });
        return status === 200 && member(json, "resourceType") === "CapabilityStatement";
      } catch (error) {
        if (error instanceof OperatingError) return false;
        throw error;
      }
    },
  };
};

/** What an OperationOutcome says, in one line of at most 500 characters; the status where it says nothing. */
export const outcomeText = ({ status, json }: FhirAnswer): string => {
  const issues = member(json, "issue");
  const texts = (Array.isArray(issues) ? issues : [])
    .map((issue) => member(issue, "diagnostics") ?? member(member(issue, "details"), "text"))
    .filter((text) => typeof text === "string");
  return `${status}${texts.length > 0 ? `: ${texts.join("; ")}` : ""}`.slice(0, 500);
};
