/** Requests to QuestDB, each one attempt with an end: what the server says, or an operating error that says whether to retry. */
import { OperatingError } from "../../core/failure.ts";

export interface QuestdbAddress {
  /** Base of its HTTP interface, e.g. http://127.0.0.1:9000. */
  readonly url: string;
  /** Longest time that one request may take; 10,000 unless told otherwise. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

const request = async (address: QuestdbAddress, path: string, init: RequestInit): Promise<Response> => {
  const timeoutMs = address.timeoutMs ?? defaultTimeoutMs;
  try {
    return await fetch(new URL(path, address.url), { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw unavailable(address, cause);
  }
};

const unavailable = ({ url }: QuestdbAddress, cause: unknown): OperatingError => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : "";
  const why = [cause instanceof Error ? cause.message : String(cause), inner].filter((part) => part !== "").join(": ");
  return new OperatingError("store-unavailable", `Reaching QuestDB at ${url}: ${why}`, { retry: true, cause });
};

/** Reading the answer can fail too: a server that dies in mid-answer. */
const textOf = (address: QuestdbAddress, response: Response): Promise<string> =>
  response.text().catch((cause: unknown) => {
    throw unavailable(address, cause);
  });

/** Client errors are the caller's fault and stay so; anything else may be gone the next time. */
const refusal = (doing: string, { url }: QuestdbAddress, status: number, text: string): OperatingError => {
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new OperatingError(
    refused ? "store-refused" : "store-unavailable",
    `${doing} QuestDB at ${url}: ${status} ${text.slice(0, 500)}`,
    { retry: !refused },
  );
};

/** Resolves on the server's 204: the rows are in its write-ahead log. Codes: `store-unavailable`, `store-refused`. */
export const writeLines = async (address: QuestdbAddress, lines: Uint8Array): Promise<void> => {
  const response = await request(address, "/write?precision=n", {
    method: "POST",
    body: lines as NonNullable<RequestInit["body"]>,
  });
  const text = await textOf(address, response);
  if (response.status !== 204) throw refusal("Writing to", address, response.status, text);
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const rawControls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** QuestDB 9.3.4 leaves some control characters of a text as they are, which JSON forbids. */
const parseAnswer = (text: string): { columns?: { name: string }[]; dataset?: SqlValue[][] } =>
  JSON.parse(text.replace(rawControls, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));

export type SqlValue = string | number | boolean | null;

/** Runs one statement; gives its rows by column name. Codes: `store-unavailable`, `store-refused`. */
export const runSql = async (address: QuestdbAddress, sql: string): Promise<readonly Record<string, SqlValue>[]> => {
  const response = await request(address, `/exec?query=${encodeURIComponent(sql)}`, {});
  const text = await textOf(address, response);
  if (response.status !== 200) throw refusal("Asking", address, response.status, text);
  const { columns, dataset } = parseAnswer(text);
  return (dataset ?? []).map((row) => Object.fromEntries((columns ?? []).map(({ name }, i) => [name, row[i] ?? null])));
};

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
