/** How we prove to a destination who we are: the Authorization header of each request. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { OperatingError } from "../../core/failure.ts";
import { isLoopback } from "../notify/loopback.ts";
import { smartAuthorization } from "./smart.ts";

export interface Authorization {
  /** Codes: `credentials-refused` (a person has to mend it), `token-unavailable`; both may be tried again. */
  header(): Promise<string>;
  /** The destination answered 401 to this header: the next one is a new one. */
  rejected(header: string): void;
}

const privateUrl = z.url().refine((text) => {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)));
}, "a secret goes over https only, or to this machine");

export const authorizationShape = z.discriminatedUnion("kind", [
  /** SMART App Launch 2.0, Backend Services: a token for a signed assertion. */
  z.strictObject({
    kind: z.literal("smart"),
    tokenUrl: privateUrl,
    clientId: z.string().min(1),
    /** The private key, as PKCS #8 in PEM or as a JWK. */
    keyFile: z.string().min(1),
    /** Which of our registered keys it is; a JWK may say it itself. */
    keyId: z.string().min(1).optional(),
    algorithm: z.enum(["RS384", "ES384"]),
    scope: z.string().min(1).default("system/*.rs"),
  }),
  /** A token that somebody issued for us; read again when it is refused. */
  z.strictObject({ kind: z.literal("bearer"), tokenFile: z.string().min(1) }),
]);
export type AuthorizationConfig = z.infer<typeof authorizationShape>;

/** Codes: `file-unreadable`, `config-invalid` (no key of that kind). */
export const openAuthorization = async (config: AuthorizationConfig): Promise<Authorization> => {
  if (config.kind === "smart")
    return smartAuthorization({ ...config, key: await secretIn(config.keyFile), timeoutMs: 10_000, now: Date.now });
  const { tokenFile } = config;
  let token: string | undefined = (await secretIn(tokenFile)).trim();
  return {
    async header() {
      token ??= (await secretIn(tokenFile)).trim();
      return `Bearer ${token}`;
    },
    rejected() {
      token = undefined;
    },
  };
};

const secretIn = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new OperatingError("file-unreadable", `${file}: can't be read`, { retry: false, cause });
  });
