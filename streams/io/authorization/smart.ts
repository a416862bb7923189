/**
 * SMART Backend Services (HL7 SMART App Launch 2.0, "Backend Services" and "Asymmetric client authentication"): a signed JWT says who we are,
 * and the token that comes for it is used until shortly before it expires.
 */
import { randomUUID } from "node:crypto";
import { type CryptoKey, importJWK, importPKCS8, type JWK, SignJWT } from "jose";
import { OperatingError } from "../../core/failure.ts";
import { boundedText } from "../bounded-text.ts";
import { member, parsedJson } from "../json.ts";
import type { Authorization } from "./authorization.ts";

export interface SmartOptions {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** PKCS #8 in PEM, or a JWK as JSON. */
  readonly key: string;
  readonly keyId?: string | undefined;
  readonly algorithm: "RS384" | "ES384";
  readonly scope: string;
  readonly timeoutMs: number;
  /** Wall clock, ms. */
  readonly now: () => number;
}

interface Token {
  readonly header: string;
  readonly untilMs: number;
}

/** An assertion lives at most five minutes. */
const assertionSeconds = 240;
/** A token that expires on its way helps nobody. */
const marginMs = 30_000;
const answerBytes_max = 262_144;

/** Codes of `header`: `credentials-refused` (400, 401, 403), `token-unavailable`; both may be tried again. Rejects with `config-invalid`. */
export const smartAuthorization = async (options: SmartOptions): Promise<Authorization> => {
  const { key, keyId } = await signingKey(options);
  let token: Token | undefined;
  let coming: Promise<Token> | undefined;

  const assertion = (): Promise<string> => {
    const { clientId, tokenUrl, algorithm, now } = options;
    const seconds = Math.floor(now() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(keyId !== undefined && { kid: keyId }) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(tokenUrl)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + assertionSeconds)
      .setJti(randomUUID())
      .sign(key);
  };

  const fetchToken = async (): Promise<Token> => {
    const askedMs = options.now();
    const { status, json } = await ask(options, await assertion());
    const [access, type, seconds] = [
      member(json, "access_token"),
      member(json, "token_type"),
      Number(member(json, "expires_in")),
    ];
    if ([400, 401, 403].includes(status)) {
      const why = member(json, "error");
      throw failed(
        "credentials-refused",
        options,
        `${status}${typeof why === "string" ? `: ${why.slice(0, 60)}` : ""}`,
      );
    }
    if (status !== 200 || typeof access !== "string" || String(type).toLowerCase() !== "bearer")
      throw failed("token-unavailable", options, `${status}, and no bearer token in it`);
    const livesMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
    return { header: `Bearer ${access}`, untilMs: askedMs + livesMs - Math.min(marginMs, livesMs / 2) };
  };

  return {
    async header() {
      if (token !== undefined && options.now() < token.untilMs) return token.header;
      // whoever asks meanwhile waits for the same one
      coming ??= fetchToken().finally(() => {
        coming = undefined;
      });
      token = await coming;
      return token.header;
    },
    rejected(header) {
      if (token?.header === header) token = undefined;
    },
  };
};

const ask = async (
  { tokenUrl, scope, timeoutMs }: SmartOptions,
  assertion: string,
): Promise<{ status: number; json: unknown }> => {
  try {
    const response = await fetch(tokenUrl, {
      method: "POST",
      redirect: "manual",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        scope,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
      }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, json: parsedJson(await boundedText(response, answerBytes_max)) };
  } catch (cause) {
    throw new OperatingError("token-unavailable", `${tokenUrl}: no answer: ${String(cause)}`, { retry: true, cause });
  }
};

const signingKey = async ({ key, keyId, algorithm }: SmartOptions): Promise<{ key: CryptoKey; keyId?: string }> => {
  try {
    if (!key.trimStart().startsWith("{"))
      return { key: await importPKCS8(key, algorithm), ...(keyId !== undefined && { keyId }) };
    const jwk = JSON.parse(key) as JWK;
    const imported = await importJWK(jwk, algorithm);
    if (imported instanceof Uint8Array || imported.type !== "private") throw new TypeError("it is no private key");
    const kid = keyId ?? jwk.kid;
    return { key: imported, ...(kid !== undefined && { keyId: kid }) };
  } catch {
    // the cause may quote the key
    throw new OperatingError("config-invalid", `keyFile: holds no private key for ${algorithm}`, { retry: false });
  }
};

const failed = (code: string, { tokenUrl }: SmartOptions, detail: string): OperatingError =>
  new OperatingError(code, `${tokenUrl}: answered ${detail}`, { retry: true });
