/**
 * The alert circuit's own configuration: nothing in it names Kafka's log, the registry, a store or an EHR, for the circuit starts and runs
 * without any of them. `kafka` is read only to compare what the telemetry plane saw, and may be away for ever.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { displayRoot } from "../schemas/platform.ts";
import { OperatingError } from "./core/failure.ts";
import { notifierSettings } from "./io/notify/open.ts";

const port = z.int().min(0).max(65535);
const name = z.string().min(1);

const shape = z.strictObject({
  /** Names this circuit to the watch. */
  name: name.default("circuit"),
  /** A production configuration refuses scaled time, plain rules and demo approvals. */
  production: z.boolean(),
  /** Folder of the circuit's own log, outbox and schemas. Nobody else's. */
  data: name,
  /** Folder with roster.json, policy.json and one or more rules*.json; to be swapped whole, by rename or symlink. */
  ward: name,
  intake: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("subscriber"),
      url: name,
      protocolVersion: z.union([z.literal(4), z.literal(5)]),
      /** Names the persistent session: the circuit's own, never that of ingest. */
      clientId: name,
      /** Of the platform's own user, who alone may read the heartbeats' topics; without one leave them out of `topics`. */
      username: name.optional(),
      password: name.optional(),
      topics: z.array(name).min(1).default(["afferent/#", "afferent-platform/#"]),
    }),
    /** The listener hands each message over (io/tap), before it acknowledges the device. */
    z.strictObject({ kind: z.literal("tap"), host: name, port }),
  ]),
  api: z.strictObject({ host: name, port, /** For answers that come by webhook. */ answerSecret: name.optional() }),
  /** By name, as the policy's addresses name them. */
  notifiers: notifierSettings,
  kafka: z.strictObject({ brokers: z.array(name).min(1), registryUrl: z.url() }).optional(),
  /** Whom the sign of life is posted to, while the audit passes; signed with the secret that the two share. */
  watch: z.strictObject({ url: z.url(), secret: name }).optional(),
  /** Where displays look for the banner of what is degraded. */
  displays: z
    .strictObject({
      url: name,
      username: name.optional(),
      password: name.optional(),
      topic: name.default(`${displayRoot}/banner`),
    })
    .optional(),
  demoApproval: z.boolean().default(false),
  allowPlainRules: z.boolean().default(false),
  /** A demo's ward time; in production there is none. */
  scale: z.strictObject({ originMs: z.int(), speed: z.number().positive() }).optional(),
  /** Records kept per partition of what can be made again; what people were told and said is kept in full. */
  keepRecords: z.int().min(10_000).default(500_000),
  /** A short batch waits this long for company. */
  lingerMs: z.int().min(0).max(50).default(2),
});

export type AlertConfig = z.infer<typeof shape>;

/** Checks a configuration as a whole. Codes: `config-invalid`, with every problem and its place. */
export const checkAlertConfig = (value: unknown, source: string): AlertConfig => {
  const parsed = shape.safeParse(value);
  const problems = parsed.success
    ? productionProblems(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
  if (problems.length > 0 || !parsed.success)
    throw new OperatingError("config-invalid", [`alert configuration ${source}:`, ...problems].join("\n  "), {
      retry: false,
    });
  return parsed.data;
};

const productionProblems = (config: AlertConfig): string[] =>
  !config.production
    ? []
    : [
        ...(config.scale === undefined ? [] : ["scale: production runs in real time only"]),
        ...(config.allowPlainRules ? ["allowPlainRules: limits without delay are for tests"] : []),
        ...(config.demoApproval ? ["demoApproval: a person approves rules in production"] : []),
      ];

/** Reads and checks the circuit's configuration file. Codes: `config-unreadable`, `config-invalid`. */
export const readAlertConfig = async (file: string): Promise<AlertConfig> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("config-unreadable", `alert configuration ${file}: can't be read`, {
      retry: false,
      cause,
    });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OperatingError("config-invalid", `alert configuration ${file}: is not JSON: ${String(cause)}`, {
      retry: false,
      cause,
    });
  }
  return checkAlertConfig(value, file);
};
