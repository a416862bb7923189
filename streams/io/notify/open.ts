/** Which ways of telling people there are and what each wants: a configuration's `notifiers`, by the names that the policy's addresses use. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { displayRoot } from "../../../schemas/platform.ts";
import { OperatingError } from "../../core/failure.ts";
import { openConsole } from "./console.ts";
import { openMllp } from "./mllp.ts";
import { openMqtt } from "./mqtt.ts";
import type { Notifier } from "./notifier.ts";
import { openSmtp } from "./smtp.ts";
import { openWebhook } from "./webhook.ts";

const name = z.string().min(1);
const port = z.int().min(1).max(65535);
/** A PEM file's path. */
const pemFile = name.optional();

const shape = z.discriminatedUnion("kind", [
  /** Addresses may be anything: they are printed. `to`: stderr, stdout or a file. */
  z.strictObject({ kind: z.literal("console"), to: name.default("stderr") }),
  /** Addresses are topic levels below `root`. */
  z.strictObject({
    kind: z.literal("mqtt"),
    url: z.string().regex(/^mqtts?:\/\//, "mqtt:// or mqtts://"),
    username: name.optional(),
    password: name.optional(),
    caFile: pemFile,
    root: z
      .string()
      .regex(/^[^+#]*[^+#/]$/, "a topic without + and #")
      .default(displayRoot),
  }),
  /** Addresses are URLs. */
  z.strictObject({ kind: z.literal("webhook"), secret: z.string().min(16, "at least 16 characters") }),
  /** Addresses are mailboxes. */
  z.strictObject({
    kind: z.literal("smtp"),
    host: name,
    port: port.default(587),
    tlsFromStart: z.boolean().default(false),
    from: name,
    user: name.optional(),
    password: name.optional(),
    caFile: pemFile,
  }),
  /** Addresses are receiving applications (MSH-5). */
  z.strictObject({
    kind: z.literal("mllp"),
    host: name,
    port: port.default(2575),
    answerWithinMs: z.int().min(100).max(60_000).default(2_000),
    tls: z.strictObject({ caFile: pemFile, certFile: pemFile, keyFile: pemFile }).optional(),
    sender: z
      .strictObject({ namespace: name, universalId: name.optional(), universalIdType: name.optional() })
      .default({ namespace: "AFFERENT" }),
    sendingFacility: name.optional(),
    receivingFacility: name.optional(),
  }),
]);

/** The `notifiers` of a configuration. */
export const notifierSettings = z.record(name, shape);

/**
 * Opens each by its name; connections come up in the background, for one that is away must not keep the others from starting. `settings` is
 * checked here. Codes: `config-invalid` with every problem and its place, `config-unreadable` (a PEM file), `console-unwritable`.
 */
export const openNotifiers = async (settings: unknown): Promise<ReadonlyMap<string, Notifier>> => {
  const parsed = notifierSettings.safeParse(settings);
  if (!parsed.success)
    throw new OperatingError(
      "config-invalid",
      [
        "notifiers:",
        ...parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`),
      ].join("\n  "),
      { retry: false },
    );
  const opened = new Map<string, Notifier>();
  try {
    for (const [named, one] of Object.entries(parsed.data)) opened.set(named, await openOne(named, one));
  } catch (error) {
    await Promise.allSettled([...opened.values()].map((notifier) => notifier.close()));
    throw error;
  }
  return opened;
};

const openOne = async (named: string, settings: z.infer<typeof shape>): Promise<Notifier> => {
  switch (settings.kind) {
    case "console":
      return openConsole({ name: named, to: settings.to });
    case "mqtt":
      return openMqtt({ ...settings, name: named, ca: await pem(settings.caFile) });
    case "webhook":
      return openWebhook({ name: named, secret: settings.secret });
    case "smtp":
      return openSmtp({ ...settings, name: named, ca: await pem(settings.caFile) });
    case "mllp":
      return openMllp({ ...settings, name: named, tls: await tlsOf(settings.tls) });
  }
};

const tlsOf = async (
  tls:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined,
) =>
  tls === undefined
    ? undefined
    : { ca: await pem(tls.caFile), cert: await pem(tls.certFile), key: await pem(tls.keyFile) };

/** Codes: `config-unreadable`. */
const pem = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined
    ? undefined
    : readFile(file, "utf8").catch((cause: unknown) =>
        Promise.reject(
          new OperatingError("config-unreadable", `notifiers: ${file} can't be read`, { retry: false, cause }),
        ),
      );
