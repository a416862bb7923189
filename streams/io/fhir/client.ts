/** The few FHIR R4 calls that a writer needs, as answers to be judged: only a missing answer is an error. */
import { OperatingError } from "../../core/failure.ts";
import type { Authorization } from "../authorization/authorization.ts";
import { httpCaller, type HttpRequest } from "../http-call.ts";
import { retryAfterMs } from "../http-status.ts";
import { member, parsedJson } from "../json.ts";

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
  /** Without a slash at the end. */
  readonly baseUrl: string;
  read(type: string, id: string): Promise<FhirAnswer>;
  /** Writes over version `match`, or only where there is none (null). */
  update(type: string, id: string, resource: string, match: string | null): Promise<FhirAnswer>;
  /** Writes what repeats may write again: no version is asked for. */
  put(type: string, id: string, resource: string): Promise<FhirAnswer>;
  /** All of a Bundle's entries or none (type `transaction`). */
  transaction(bundle: string): Promise<FhirAnswer>;
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
  readonly authorization?: Authorization | undefined;
  /** Once aborted, calls on their way and later ones reject at once: whether they took effect is not known. */
  readonly signal?: AbortSignal;
}

/** A history of fifty versions of a summary is far below. */
const answerBytes_max = 8 * 1_048_576;

type Init = Omit<HttpRequest, "method"> & { readonly method?: string };

const versionOf = (etag: string | null, json: unknown): string | null => {
  const tagged = etag?.match(/^(?:W\/)?"([^"]+)"$/)?.[1];
  const inMeta = member(member(json, "meta"), "versionId");
  return tagged ?? (typeof inMeta === "string" ? inMeta : null);
};

/** Calls reject with OperatingError `fhir-unavailable` (retry) where there is no whole answer in time, and with those of the authorization. */
export const fhirClient = (options: FhirClientOptions): FhirClient => {
  const { baseUrl, timeoutMs, authorization, signal: closing } = options;
  const http = httpCaller({ timeoutMs, answerBytesMost: answerBytes_max, signal: closing });
  const once = async (url: string, init: Init, authorized: string | null): Promise<FhirAnswer> => {
    const { method = "GET", headers, body } = init;
    const all = authorized === null ? headers : { ...headers, authorization: authorized };
    try {
      const answer = await http.call(url, { method, headers: all, body });
      const json = parsedJson(answer.text);
      return {
        status: answer.status,
        versionId: versionOf(answer.headers.etag ?? null, json),
        json,
        retryAfterMs: retryAfterMs(answer.headers["retry-after"] ?? null, options.now()),
      };
    } catch (cause) {
      throw new OperatingError("fhir-unavailable", `${method} ${url}: ${String(cause)}`, { retry: true, cause });
    }
  };
  /** A token may have been taken back before its time: one new one, once. */
  const call = async (path: string, init: Init): Promise<FhirAnswer> => {
    const url = path === "" ? baseUrl : `${baseUrl}/${path}`;
    if (authorization === undefined) return once(url, init, null);
    const header = await authorization.header();
    const answer = await once(url, init, header);
    if (answer.status !== 401) return answer;
    authorization.rejected(header);
    return once(url, init, await authorization.header());
  };
  const accept = { accept: "application/fhir+json" };
  const writing = {
    ...accept,
    "content-type": "application/fhir+json",
    // HAPI adds tags to those of earlier versions unless told that these are all.
    "x-meta-snapshot-mode": "TAG, PROFILE, SECURITY_LABEL",
  };
  const representation = { ...writing, prefer: "return=representation" };
  return {
    baseUrl,
    read: (type, id) => call(`${type}/${id}`, { headers: accept }),
    update: (type, id, resource, match) =>
      call(`${type}/${id}`, {
        method: "PUT",
        body: resource,
        headers: { ...representation, ...(match === null ? { "if-none-match": "*" } : { "if-match": `W/"${match}"` }) },
      }),
    put: (type, id, resource) => call(`${type}/${id}`, { method: "PUT", body: resource, headers: representation }),
    transaction: (bundle) =>
      call("", { method: "POST", body: bundle, headers: { ...writing, prefer: "return=minimal" } }),
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
