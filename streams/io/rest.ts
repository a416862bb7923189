/**
 * The outbox's way to somebody's own REST interface: a mapping file says which request an intent becomes, and an idempotency key lets the
 * receiver leave out what it has had. What the mapping has no retraction for is left to a person.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Intent } from "../../schemas/records/clinical.ts";
import { OperatingError } from "../core/failure.ts";
import { type Authorization, authorizationShape, openAuthorization } from "./authorization/authorization.ts";
import { type HttpCaller, httpCaller, type HttpRequest } from "./http-call.ts";
import { retryAfterMs, whoseStatus } from "./http-status.ts";
import { member, parsedJson } from "./json.ts";
import { type Attempt, refused, type Trying, unsettled } from "./outbox/attempt.ts";
import { type DestinationKind, ofEveryDestination } from "./outbox/kind.ts";
import { type MappedRequest, type Mapping, mappingInputOf, readMapping } from "./rest/mapping.ts";

const shape = z.strictObject({
  ...ofEveryDestination,
  kind: z.literal("rest"),
  baseUrl: z.url(),
  /** A JSONata expression: {resource, patient, action, identity, revision, resourceId} to {method, path, headers, body}. */
  mappingFile: z.string().min(1),
  auth: authorizationShape.optional(),
  /** Asked by GET to see whether it lives; the base unless told otherwise. */
  probePath: z.string().startsWith("/").optional(),
  /** A whole answer must be there after this long; 10 s unless told otherwise. */
  timeoutMs: z.int().positive().optional(),
});
type RestConfig = z.infer<typeof shape>;

const answerBytes_max = 1_048_576;
/** These are ours, whatever a mapping says. */
const ownHeaders = new Set(["authorization", "host", "idempotency-key", "content-length", "connection"]);

export const restDestination: DestinationKind<typeof shape> = {
  shape,
  async open(config, { signal }) {
    const way = await wayOf(config, signal);
    const mapping = await mappingIn(config.mappingFile);
    return {
      readsBack: false,
      attempt: (intent, trying) => attempt(intent, trying, way, mapping),
      probe: () => answers(way, config.probePath ?? ""),
      close: async () => way.http.close(),
    };
  },
};

/** Codes: `file-unreadable`, `config-invalid` (the expression can't be read). */
const mappingIn = async (file: string): Promise<Mapping> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
  });
  const mapping = readMapping(text);
  if (mapping.ok) return mapping.value;
  throw new OperatingError("config-invalid", `${file}: ${mapping.problem.detail}`, { retry: false });
};

interface Way {
  readonly baseUrl: string;
  readonly http: HttpCaller;
  readonly authorization: Authorization | undefined;
}

const wayOf = async ({ baseUrl, timeoutMs, auth }: RestConfig, signal: AbortSignal): Promise<Way> => ({
  baseUrl: baseUrl.replace(/\/+$/, ""),
  http: httpCaller({ timeoutMs: timeoutMs ?? 10_000, answerBytesMost: answerBytes_max, signal }),
  authorization: auth === undefined ? undefined : await openAuthorization(auth),
});

/**
 * The same for the same revision, however often it is sent (draft-ietf-httpapi-idempotency-key-header: a structured string, hence the quotes).
 * What a person has sent again has one of its own each time, `at` its place in the outbox: a receiver may answer a key that it knows with the
 * refusal that it has stored.
 */
const idempotencyKey = ({ resourceId, revision, action, resentBy }: Intent, at: string): string =>
  `"${resourceId}/${revision}${action === "retract" ? "/retract" : ""}${resentBy === null ? "" : `/again/${at}`}"`;

const attempt = async (intent: Intent, trying: Trying, way: Way, mapping: Mapping): Promise<Attempt> => {
  const mapped = await mapping.request(mappingInputOf(intent));
  if (!mapped.ok) return refused(`${mapped.problem.reason}: ${mapped.problem.detail}`);
  if (mapped.value === null)
    return refused(
      intent.action === "retract"
        ? "not-retractable: the mapping has no retraction"
        : "not-mapped: the mapping gives nothing for it",
    );
  const url = addressOf(way.baseUrl, mapped.value.path);
  if (url === null) return refused(`mapping-shape: the path leads out of ${way.baseUrl}`);
  const withheld = await trying.withheld();
  if (withheld !== null) return withheld;
  return send(url, mapped.value, idempotencyKey(intent, trying.at), way);
};

/** Null where a path with dots in it would lead elsewhere. */
const addressOf = (baseUrl: string, path: string): string | null => {
  const url = URL.parse(`${baseUrl}${path}`);
  const base = new URL(baseUrl);
  const below = base.pathname.replace(/\/+$/, "");
  return url !== null && url.origin === base.origin && url.pathname.startsWith(`${below}/`) ? url.href : null;
};

const send = async (url: string, request: MappedRequest, key: string, way: Way): Promise<Attempt> => {
  const { method, body, headers = {} } = request;
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const init = {
    method,
    body: text,
    headers: {
      ...(text !== undefined && { "content-type": typeof body === "string" ? "text/plain" : "application/json" }),
      ...lowered(headers),
      "idempotency-key": key,
    },
  };
  try {
    const { authorization } = way;
    if (authorization === undefined) return await judge(await call(url, init, way, null));
    const header = await authorization.header();
    const answer = await call(url, init, way, header);
    if (answer.status !== 401) return judge(answer);
    authorization.rejected(header);
    return judge(await call(url, init, way, await authorization.header()));
  } catch (error) {
    if (!(error instanceof OperatingError) || !error.retry) throw error;
    return unsettled(error.code === "credentials-refused" ? "way" : "unsure", error.message);
  }
};

const lowered = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !ownHeaders.has(name)),
  );

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly retryAfter: string | null;
}

/** Codes: `rest-unavailable` (no whole answer in its time; may be tried again). */
const call = async (url: string, request: HttpRequest, way: Way, authorized: string | null): Promise<Answer> => {
  try {
    const headers = authorized === null ? request.headers : { ...request.headers, authorization: authorized };
    const answer = await way.http.call(url, { ...request, headers });
    return {
      status: answer.status,
      contentType: answer.headers["content-type"] ?? "",
      text: answer.text,
      retryAfter: answer.headers["retry-after"] ?? null,
    };
  } catch (cause) {
    throw new OperatingError("rest-unavailable", `${request.method} ${way.baseUrl}: ${String(cause)}`, {
      retry: true,
      cause,
    });
  }
};

const judge = ({ status, contentType, text, retryAfter }: Answer): Attempt => {
  const whose = whoseStatus(status);
  if (whose !== null) return unsettled(whose, `${status}${saidIn(text)}`, retryAfterMs(retryAfter, Date.now()));
  if (status >= 400) return refused(`${status}${saidIn(text)}`);
  // a page to log in, or of a proxy: whoever it is, it is not the interface
  if (contentType.includes("html") || (contentType.includes("json") && text !== "" && parsedJson(text) === undefined))
    return unsettled("destination", `${status}: the answer is not the interface's own`);
  return { outcome: "written", detail: String(status), versionId: null };
};

/** What an answer says of itself (RFC 9457 and what is customary), never the whole of it: it may repeat what was sent. */
const saidIn = (text: string): string => {
  const json = parsedJson(text);
  const said = ["title", "detail", "error", "message"]
    .map((name) => member(json, name))
    .find((one) => typeof one === "string");
  return typeof said === "string" ? `: ${said.slice(0, 200)}` : "";
};

const answers = async (way: Way, path: string): Promise<boolean> => {
  try {
    const header = way.authorization === undefined ? null : await way.authorization.header();
    const { status } = await call(`${way.baseUrl}${path}`, { method: "GET", headers: {} }, way, header);
    return status < 500;
  } catch (error) {
    if (error instanceof OperatingError) return false;
    throw error;
  }
};
