/** The watch's own configuration: it runs on another machine and shares nothing with the platform but one secret and a way to its broker. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { platformUser } from "../schemas/platform.ts";
import { OperatingError } from "./core/failure.ts";
import { isLoopback } from "./io/notify/loopback.ts";
import { notifierSettings } from "./io/notify/open.ts";

const name = z.string().min(1);
const secret = z.string().min(16, "at least 16 characters");
const ms = z.int().positive();

const shape = z.strictObject({
  /** The synthetic device of model `afferent-heartbeat` in the circuit's roster, whose beats this watch sends. */
  device: z.string().regex(/^[^/+#]+$/, "one level of an MQTT topic"),
  /** The only credential that may write below the platform's own topic root. */
  broker: z.strictObject({
    url: name,
    username: name.default(platformUser),
    password: name.optional(),
    /** PEM of whom to trust beside the usual. */
    caFile: name.optional(),
  }),
  /** With `tls` (PEM files) it is reached by https, which the circuit's webhooks want of every other machine. */
  http: z.strictObject({
    host: name,
    port: z.int().min(0).max(65535),
    tls: z.strictObject({ certFile: name, keyFile: name }).optional(),
  }),
  /** Shared with the circuit's webhook notifier and its sign of life. */
  secret,
  /** Whoever acknowledges shows this. */
  acknowledgeToken: secret,
  /** Its own, by name: none of the circuit's. */
  notifiers: notifierSettings,
  /** Each is told by the first address whose notifier takes it. */
  recipients: z
    .array(z.strictObject({ id: name, addresses: z.array(z.strictObject({ notifier: name, to: name })).min(1) }))
    .min(1),
  beatEveryMs: ms.default(5_000),
  beatLimitMs: ms.default(10_000),
  aliveLimitMs: ms.default(20_000),
  repeatMs: ms.default(30_000),
  /** What one notifier gets before the next is tried. */
  notifyLimitMs: ms.default(4_000),
});

export type WatchConfig = z.infer<typeof shape>;

/** Somebody is told this long after the whole platform is gone, at the latest. */
const soundMs_max = 30_000;

/** Checks a configuration as a whole. Codes: `config-invalid`, with every problem and its place. */
export const checkWatchConfig = (value: unknown, source: string): WatchConfig => {
  const parsed = shape.safeParse(value);
  const problems = parsed.success
    ? wholeProblems(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
  if (problems.length === 0 && parsed.success) return parsed.data;
  throw new OperatingError("config-invalid", [`watch configuration ${source}:`, ...problems].join("\n  "), {
    retry: false,
  });
};

const wholeProblems = (config: WatchConfig): string[] => {
  const addresses = config.recipients.flatMap(({ id, addresses }) =>
    addresses.map(({ notifier }) => ({ id, notifier })),
  );
  const tried = Math.max(...config.recipients.map((recipient) => recipient.addresses.length));
  // a platform that goes right after a beat came back misses the next one
  const soundMs = Math.min(config.beatEveryMs + config.beatLimitMs, config.aliveLimitMs) + tried * config.notifyLimitMs;
  return [
    ...(config.http.tls !== undefined || isLoopback(config.http.host)
      ? []
      : ["http.tls: is wanted where others than this machine come in"]),
    ...addresses
      .filter(({ notifier }) => !Object.hasOwn(config.notifiers, notifier))
      .map(({ id, notifier }) => `recipients: ${id} is told by ${notifier}, which is none of the notifiers`),
    ...(soundMs > soundMs_max
      ? [`limits: with every notifier but the last one hung, it would sound after ${soundMs} ms, not ${soundMs_max}`]
      : []),
  ];
};

/** Reads and checks a configuration file. Codes: `config-unreadable`, `config-invalid`. */
export const readWatchConfig = async (file: string): Promise<WatchConfig> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("config-unreadable", `watch configuration ${file}: can't be read`, {
      retry: false,
      cause,
    });
  });
  try {
    return checkWatchConfig(JSON.parse(text), file);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new OperatingError("config-invalid", `watch configuration ${file}: is not JSON: ${cause.message}`, {
      retry: false,
      cause,
    });
  }
};
