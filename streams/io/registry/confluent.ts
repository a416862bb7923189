/**
 * A registry server with the Confluent interface (Apicurio's is under /apis/ccompat/v7). Registering goes through the kafkajs
 * client; reading does not, because the client gives schemas without what avsc leaves out and can't list versions.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { COMPATIBILITY, SchemaRegistry as Client, SchemaType } from "@kafkajs/confluent-schema-registry";
import { OperatingError } from "../../core/failure.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

export interface ConfluentRegistryOptions {
  /** Base of the interface, e.g. http://127.0.0.1:8080/apis/ccompat/v7. */
  readonly url: string;
  /** Longest time for one request; 10,000 unless told otherwise. */
  readonly timeoutMs?: number;
}

const compatibility = COMPATIBILITY.BACKWARD_TRANSITIVE;
const defaultTimeoutMs = 10_000;
const contentType = "application/vnd.schemaregistry.v1+json";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const unavailable = (url: string, cause: unknown): OperatingError =>
  new OperatingError("registry-unavailable", `Asking the schema registry at ${url}: ${messageOf(cause)}`, {
    retry: true,
    cause,
  });

/** The client gives a refused connection the status 400, so only what a server alone can say is taken as its answer. */
const registering = (subject: string, url: string, error: unknown): OperatingError => {
  if (error instanceof OperatingError) return error;
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  if (status !== 409 && status !== 422) return unavailable(url, error);
  const code = status === 409 ? "schema-incompatible" : "schema-invalid";
  return new OperatingError(code, `Registering a schema for ${subject}: ${messageOf(error)}`, {
    retry: false,
    cause: error,
  });
};

const triesWhenOvertaken = 5;
const overtakenPauseMs = 50;

/** Apicurio's answer to the later of two processes that register a subject's first version at once: then the earlier's is there to be found. */
const isOvertaken = (error: unknown): boolean => /already exists/.test(messageOf(error));

class ConfluentRegistry implements SchemaRegistry {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #client: Client;

  constructor({ url, timeoutMs }: ConfluentRegistryOptions) {
    this.#url = url.replace(/\/$/, "");
    this.#timeoutMs = timeoutMs ?? defaultTimeoutMs;
    this.#client = new Client({ host: this.#url, retry: { retries: 0 } });
  }

  async register(subject: string, schema: object): Promise<number> {
    for (let tries = 1; ; tries++)
      try {
        await this.#demandCompatibility(subject);
        return await this.#registerOnce(subject, schema);
      } catch (error) {
        if (!(isOvertaken(error) && tries < triesWhenOvertaken)) throw registering(subject, this.#url, error);
        await sleep(overtakenPauseMs * tries);
      }
  }

  async #registerOnce(subject: string, schema: object): Promise<number> {
    const registered = this.#client.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
      { subject, compatibility },
    );
    return (await this.#inTime(registered)).id;
  }

  async all(subject: string): Promise<readonly RegisteredSchema[]> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const versions = ((await this.#get(path)) ?? []) as readonly number[];
    const schemas: RegisteredSchema[] = [];
    for (const version of versions.toSorted((a, b) => a - b)) {
      const found = (await this.#get(`${path}/${version}`)) as { id: number; schema: string } | undefined;
      if (found !== undefined) schemas.push({ id: found.id, schema: JSON.parse(found.schema) as object });
    }
    return schemas;
  }

  async byId(id: number): Promise<object | undefined> {
    const found = (await this.#get(`/schemas/ids/${id}`)) as { schema: string } | undefined;
    return found === undefined ? undefined : (JSON.parse(found.schema) as object);
  }

  async close(): Promise<void> {}

  /** Apicurio starts with NONE; set before the first version, so that no version ever goes in unchecked. */
  async #demandCompatibility(subject: string): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`;
    const level = async (): Promise<unknown> =>
      ((await this.#get(path)) as { compatibilityLevel?: unknown } | undefined)?.compatibilityLevel;
    if ((await level()) === compatibility) return;
    await this.#fetch(path, { method: "PUT", body: JSON.stringify({ compatibility }) });
    const now = await level();
    if (now !== compatibility)
      throw new OperatingError(
        "registry-misconfigured",
        `Registering a schema for ${subject}: the registry at ${this.#url} checks compatibility ${now}, not ${compatibility}`,
        { retry: false },
      );
  }

  /** Undefined where the server has no such thing. */
  async #get(path: string): Promise<unknown> {
    const { status, body } = await this.#fetch(path, { method: "GET" });
    return status === 404 ? undefined : body;
  }

  async #fetch(path: string, init: RequestInit): Promise<{ status: number; body: unknown }> {
    const headers = { "content-type": contentType, accept: `${contentType}, application/json` };
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await fetch(this.#url + path, { ...init, headers, signal });
      const text = await response.text();
      if (!response.ok && response.status !== 404) throw new Error(`${response.status} ${text.slice(0, 300)}`);
      return { status: response.status, body: JSON.parse(text) as unknown };
    } catch (error) {
      throw unavailable(this.#url, error instanceof Error && error.cause instanceof Error ? error.cause : error);
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const clock = new AbortController();
    const late = sleep(this.#timeoutMs, undefined, { signal: clock.signal }).then(() => {
      throw new Error(`no answer within ${this.#timeoutMs} ms`);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clock.abort();
      late.catch(() => undefined);
    }
  }
}

/** Nothing is asked of the server before the first call. Codes as in the port, and `registry-misconfigured`, `schema-invalid`. */
export const confluentRegistry = (options: ConfluentRegistryOptions): SchemaRegistry => new ConfluentRegistry(options);
