/**
 * The circuit's own interface, on loopback: what is open and expected of whom, answers, its health and numbers. Answers want the token in
 * the circuit's folder (the command line has it) or a signature (a webhook of the hospital's own).
 */
import { hash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { ModeEvent, Page } from "../../../schemas/records/alert.ts";
import type { Problem, Result } from "../../core/failure.ts";
import { signatureHeader, verifySignature } from "../../io/notify/signature.ts";
import type { Answers } from "./answers.ts";
import type { AuditFailure } from "./audit.ts";

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly answerSecret: string | undefined;
  readonly now: () => number;
  readonly pages: () => readonly Page[];
  /** The last modes of degradation that were entered or left, the newest first. */
  readonly modes: () => readonly ModeEvent[];
  readonly answers: Answers;
  readonly audit: () => readonly AuditFailure[];
  readonly status: () => object;
  readonly metrics: () => Promise<string>;
  readonly onRefused: (reason: string) => void;
}

const statuses: Readonly<Record<string, number>> = {
  "page-unknown": 404,
  "page-ambiguous": 409,
  "page-over": 409,
  "device-unknown": 404,
};
const bodyBytesMax = 16 * 1024;

const severity = { high: 0, medium: 1, low: 2 } as const;

/** Codes as fastify has them: `EADDRINUSE`. */
export const serveApi = async (options: ApiOptions): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server = Fastify({ bodyLimit: bodyBytesMax, forceCloseConnections: true });
  // the signature is over the bytes as they came
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  reads(server, options);
  const { answers } = options;
  acts(
    server,
    options,
    "/answers",
    (said, via) => answers.take(said, via),
    ({ identity }) => ({ page: identity }),
  );
  acts(
    server,
    options,
    "/standby",
    (said, via) => answers.standBy(said, via),
    ({ device, to }) => ({ device, to }),
  );
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, close: () => server.close() };
};

type Via = "command line" | "webhook";

/** What a person says, proven to come from where it claims, and what becomes of it. */
const acts = <T>(
  server: FastifyInstance,
  options: ApiOptions,
  path: string,
  take: (said: unknown, via: Via) => Promise<Result<T>>,
  answered: (taken: T) => object,
): void => {
  server.post(path, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const via = viaOf(request, body, options);
    if (typeof via !== "string") {
      options.onRefused(via.reason);
      return reply.code(401).send({ refused: via.reason, detail: via.detail });
    }
    const taken = await take(jsonIn(body), via);
    if (taken.ok) return reply.code(202).send(answered(taken.value));
    const { reason, detail } = taken.problem;
    return reply.code(statuses[reason] ?? 400).send({ refused: reason, detail });
  });
};

const reads = (server: FastifyInstance, { pages, modes, audit, status, metrics, now }: ApiOptions): void => {
  server.get("/alarms", () => ({ now: now(), pages: pages().map(shown).toSorted(gravestFirst), modes: modes() }));
  server.get("/health", async (_request, reply) => {
    const failures = audit();
    return reply.code(failures.length === 0 ? 200 : 503).send({ ok: failures.length === 0, failures });
  });
  server.get("/status", () => status());
  server.get("/metrics", async (_request, reply) => reply.type("text/plain; version=0.0.4").send(await metrics()));
};

/** A page and what is expected of whom until when. */
export interface ShownPage extends Page {
  readonly expected: { readonly of: readonly string[]; readonly until: number | null };
}

const shown = (page: Page): ShownPage => ({
  ...page,
  expected: {
    of: page.responsibilities.filter(({ state }) => state === "pending").map(({ recipient }) => recipient),
    until: page.nextAt,
  },
});

const gravestFirst = (a: Page, b: Page): number => severity[a.priority] - severity[b.priority] || a.onset - b.onset;

/** By which way it comes, once that is proven; why it is refused otherwise. */
const viaOf = ({ headers }: FastifyRequest, body: Buffer, { token, answerSecret }: ApiOptions): Via | Problem => {
  if (headers.authorization !== undefined)
    return isSame(headers.authorization, `Bearer ${token}`)
      ? "command line"
      : { reason: "token-wrong", detail: "the token is not this circuit's" };
  if (answerSecret === undefined)
    return { reason: "unsigned", detail: "no token, and this circuit has no answerSecret" };
  const header = headers[signatureHeader];
  const signed = verifySignature(answerSecret, body, typeof header === "string" ? header : undefined, Date.now());
  return signed.ok ? "webhook" : signed.problem;
};

const isSame = (a: string, b: string): boolean =>
  timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));

const jsonIn = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
};
