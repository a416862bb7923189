/**
 * Where the watch listens: beats that come back as notifications, the circuit's sign of life, and people who acknowledge. Only what is
 * signed with the shared secret counts; an acknowledgement needs the watch's token and a name. Everything refused is answered with why.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ok, type Problem, refuse, type Result } from "../../core/failure.ts";
import { signatureHeader, verifySignature } from "../../io/notify/signature.ts";

export interface HearingOptions {
  readonly host: string;
  readonly port: number;
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Shared with the circuit's webhook notifier and its sign of life. */
  readonly secret: string;
  readonly acknowledgeToken: string;
  /** The synthetic device whose beats are ours. */
  readonly device: string;
  /** Wall clock, ms. */
  readonly now: () => number;
  readonly onBeat: (seq: number) => void;
  readonly onAlive: (circuit: string) => void;
  /** Whose name it is; false where nothing sounds. */
  readonly onAcknowledged: (who: string) => boolean;
  readonly onRefused: (path: string, problem: Problem) => void;
  /** Adds what else the watch serves. */
  readonly routes?: (server: FastifyInstance) => void;
}

export interface Hearing {
  readonly port: number;
  close(): Promise<void>;
}

const bodyBytes_max = 65_536;

export const openHearing = async (options: HearingOptions): Promise<Hearing> => {
  const { cert, key } = options.tls ?? {};
  const server: FastifyInstance =
    cert === undefined || key === undefined
      ? Fastify({ bodyLimit: bodyBytes_max })
      : (Fastify({ bodyLimit: bodyBytes_max, https: { cert, key } }) as unknown as FastifyInstance);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const { onRefused } = options;
  const post = (path: string, take: (request: FastifyRequest, body: Buffer) => Result<unknown>): void => {
    server.post(path, (request, reply) => {
      const taken = take(request, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
      if (taken.ok) return reply.code(204).send();
      onRefused(path, taken.problem);
      return answerRefusal(reply, taken.problem);
    });
  };
  const signed = signedBody(options);
  let aliveSignedAt = 0;

  post("/beat", (request, body) => {
    const heard = signed(request, body);
    if (!heard.ok) return heard;
    const beat = beatIn(heard.value.json, options.device);
    if (beat.ok && beat.value !== null) options.onBeat(beat.value);
    return beat;
  });
  post("/alive", (request, body) => {
    const heard = signed(request, body);
    if (!heard.ok) return heard;
    const life = aliveShape.safeParse(heard.value.json);
    if (!life.success) return refuse("not-a-sign-of-life", "the body is not {kind: alive, circuit}");
    // a recorded sign of life that is played again would mute the dead man's switch
    if (heard.value.signedAt <= aliveSignedAt)
      return refuse("signature-repeated", "not later than the last sign of life");
    aliveSignedAt = heard.value.signedAt;
    options.onAlive(life.data.circuit);
    return ok(null);
  });
  post("/acknowledge", (request, body) => {
    if (!hasToken(request, options.acknowledgeToken))
      return refuse("unauthorised", "authorization: Bearer <token> is wanted");
    const said = acknowledgeShape.safeParse(jsonOf(body));
    if (!said.success) return refuse("acknowledged-by-nobody", "the body is not {who: name}");
    return options.onAcknowledged(said.data.who)
      ? ok(null)
      : refuse("nothing-sounds", "there is nothing to acknowledge");
  });
  options.routes?.(server);
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () => server.close(),
  };
};

const statusOf: Readonly<Record<string, number>> = {
  "not-json": 400,
  "not-a-beat": 422,
  "not-a-sign-of-life": 422,
  "acknowledged-by-nobody": 422,
  "nothing-sounds": 409,
};

/** 401 for whoever has not shown who it is. */
const answerRefusal = (reply: FastifyReply, problem: Problem): FastifyReply =>
  reply.code(statusOf[problem.reason] ?? 401).send(problem);

const signedBody =
  ({ secret, now }: HearingOptions) =>
  (request: FastifyRequest, body: Buffer): Result<{ readonly json: unknown; readonly signedAt: number }> => {
    const header = request.headers[signatureHeader];
    const verified = verifySignature(secret, body, typeof header === "string" ? header : undefined, now());
    if (!verified.ok) return verified;
    const json = jsonOf(body);
    return json === undefined ? refuse("not-json", "the body is not JSON") : ok({ json, signedAt: verified.value });
  };

const jsonOf = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // whoever asked answers with what it wanted
  }
};

const hasToken = (request: FastifyRequest, token: string): boolean => {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

const aliveShape = z.object({ kind: z.literal("alive"), circuit: z.string().min(1) });
const acknowledgeShape = z.object({ who: z.string().trim().min(1).max(200) });

/** The part of a notification (schemas/records/alert.ts) that says which beat it is: the adapter gives the beat's sequence as the alarm's value. */
const beatShape = z.object({
  what: z.enum(["test", "ended"]),
  event: z.literal("heartbeat"),
  device: z.string(),
  value: z.int().nullable(),
});

/**
 * A beat is what the circuit itself marks as a test, of the watch's own device; its end says nothing (null). A device that forges one comes
 * from another root and is an alarm like any other: not taken here, so that the circuit redirects it. Reasons: `not-a-beat`.
 */
const beatIn = (json: unknown, device: string): Result<number | null> => {
  const beat = beatShape.safeParse(json);
  if (!beat.success) return refuse("not-a-beat", "not a heartbeat that the circuit marked as a test");
  if (beat.data.device !== device) return refuse("not-a-beat", `of ${beat.data.device}, not of ${device}`);
  return ok(beat.data.what === "test" ? beat.data.value : null);
};
