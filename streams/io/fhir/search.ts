/**
 * Searches a FHIR R4 server page by page, for feeds that read what has changed (`_lastUpdated`). Whatever a server gives that is no search
 * result is an error with a code: nothing is taken for an empty answer that was none.
 */
import { OperatingError } from "../../core/failure.ts";
import type { Authorization } from "../authorization/authorization.ts";

export interface FhirSearchOptions {
  /** E.g. "http://127.0.0.1:8080/fhir", without a slash at the end. Pages elsewhere are not followed. */
  readonly baseUrl: string;
  /** A whole page must be there after this long. */
  readonly timeoutMs: number;
  /** Pages of one search; 1,000 unless told otherwise. A server whose pages never end is refused. */
  readonly pagesMost?: number;
  /** Bytes of one page; 16 MiB unless told otherwise. */
  readonly pageBytesMost?: number;
  /** Asked before each page. A page that is answered 401 is asked for once more, with a new header. */
  readonly authorization?: Authorization | undefined;
  readonly signal?: AbortSignal;
}

/** A resource as the server gave it: its type and id are checked, nothing else. */
export interface FoundResource {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}

/**
 * The matches of a search, page after page, in the server's order; `query` without the base, e.g. `Consent?_lastUpdated=ge2026-11-21T14:00:00Z`.
 * Codes: `fhir-unavailable` (no whole answer in its time, 408, 429, 5xx; may be tried again), `fhir-refused` (any other status),
 * `fhir-garbage` (no searchset Bundle, a page too large, pages that lead elsewhere or never end), and those of the authorization.
 */
export async function* searchFhir(query: string, options: FhirSearchOptions): AsyncGenerator<FoundResource> {
  const { baseUrl, pagesMost = 1_000 } = options;
  const seen = new Set<string>();
  let url: string | undefined = `${baseUrl}/${query}`;
  while (url !== undefined) {
    if (seen.has(url) || seen.size >= pagesMost) throw garbage(url, "its pages do not end");
    seen.add(url);
    const bundle: SearchBundle = bundleOf(await pageText(url, options), url);
    for (const { resource, search } of bundle.entry ?? []) {
      if (search?.mode !== undefined && search.mode !== "match") continue;
      yield resourceIn(resource, url);
    }
    url = nextOf(bundle, url, baseUrl);
  }
}

interface SearchBundle {
  readonly entry?: readonly { readonly resource?: unknown; readonly search?: { readonly mode?: string } }[];
  readonly link?: readonly { readonly relation?: string; readonly url?: string }[];
}

/** A token may have been taken back before its time: one new one, once. */
const pageText = async (url: string, options: FhirSearchOptions): Promise<string> => {
  const { authorization } = options;
  const header = await authorization?.header();
  let page = await pageAt(url, options, header);
  if (page.status === 401 && authorization !== undefined && header !== undefined) {
    authorization.rejected(header);
    page = await pageAt(url, options, await authorization.header());
  }
  const { status, text } = page;
  if (status === 408 || status === 429 || status >= 500) throw unavailable(url, `status ${status}`);
  if (status !== 200) throw new OperatingError("fhir-refused", `${url}: status ${status}`, { retry: false });
  return text;
};

const pageAt = async (
  url: string,
  { timeoutMs, pageBytesMost = 16 * 1_048_576, signal: closing }: FhirSearchOptions,
  authorized: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> => {
  const late = AbortSignal.timeout(timeoutMs);
  const signal = closing === undefined ? late : AbortSignal.any([closing, late]);
  const headers = {
    accept: "application/fhir+json",
    "cache-control": "no-cache",
    ...(authorized !== undefined && { authorization: authorized }),
  };
  const answer = await fetch(url, { headers, signal, redirect: "error" }).catch((cause: unknown) => {
    throw unavailable(url, cause);
  });
  return { status: answer.status, text: await textWithin(answer, pageBytesMost, url) };
};

const textWithin = async (answer: Response, bytesMost: number, url: string): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > bytesMost) throw garbage(url, `a page of more than ${bytesMost} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof OperatingError) throw cause;
    throw unavailable(url, cause);
  }
  return Buffer.concat(parts).toString("utf8");
};

const bundleOf = (text: string, url: string): SearchBundle => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw garbage(url, "what came is no JSON");
  }
  const { resourceType, type, entry, link } = (json ?? {}) as Record<string, unknown>;
  if (resourceType !== "Bundle" || type !== "searchset") throw garbage(url, "what came is no searchset Bundle");
  if ((entry !== undefined && !Array.isArray(entry)) || (link !== undefined && !Array.isArray(link)))
    throw garbage(url, "the Bundle's entries or links are no lists");
  return json as SearchBundle;
};

const resourceIn = (resource: unknown, url: string): FoundResource => {
  const { resourceType, id } = (resource ?? {}) as Record<string, unknown>;
  if (typeof resourceType !== "string" || typeof id !== "string" || id === "")
    throw garbage(url, "a match without type and id");
  return resource as FoundResource;
};

/** Within the same server only: what it gives must not send us, and our token, anywhere else. */
const nextOf = ({ link }: SearchBundle, url: string, baseUrl: string): string | undefined => {
  const next = link?.find(({ relation }) => relation === "next")?.url;
  if (next === undefined) return undefined;
  const resolved = URL.parse(next, `${baseUrl}/`);
  if (resolved === null || resolved.origin !== new URL(baseUrl).origin)
    throw garbage(url, "its next page is elsewhere");
  return resolved.href;
};

const garbage = (url: string, detail: string): OperatingError =>
  new OperatingError("fhir-garbage", `${url}: ${detail}`, { retry: false });
const unavailable = (url: string, cause: unknown): OperatingError =>
  new OperatingError(
    "fhir-unavailable",
    `${url}: ${cause instanceof Error ? `${cause.message} ${String(cause.cause ?? "")}`.trim() : String(cause)}`,
    {
      retry: true,
      cause,
    },
  );
