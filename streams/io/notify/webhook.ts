/** Posts notifications as signed JSON; a 2xx answer confirms. Who receives them verifies with signature.ts and drops equal Idempotency-Keys. */
import { OperatingError } from "../../core/failure.ts";
import { isLoopback } from "./loopback.ts";
import type { Notifier } from "./notifier.ts";
import { sign, signatureHeader } from "./signature.ts";
import { messageOf } from "./wording.ts";

export interface WebhookOptions {
  readonly name: string;
  /** Shared with the receiver. */
  readonly secret: string;
  /** Wall clock, ms: what is signed says when. */
  readonly now?: () => number;
}

/** Answers that say "later" though they are 4xx: RFC 9110 15.5.9, RFC 8470, RFC 6585. */
const laterStatuses = new Set([408, 425, 429]);
const saidBytes_max = 500;

/**
 * An address is a URL: https, or http to this machine. Codes of `send`: `webhook-url-refused`, `webhook-redirected` and `webhook-refused`
 * (final), `webhook-unavailable` (an answer that says later or that something is broken there; it tells what Retry-After asks for),
 * `webhook-unreachable` (no answer, or none in its time).
 */
export const openWebhook = ({ name, secret, now = Date.now }: WebhookOptions): Notifier => ({
  name,
  send: async (notification, to, signal) => {
    const url = allowedUrl(to);
    const body = JSON.stringify(messageOf(notification));
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": notification.identity,
        [signatureHeader]: sign(secret, body, now()),
      },
      body,
      redirect: "manual",
      signal,
    }).catch((cause: unknown) => Promise.reject(unreachable(url, cause)));
    if (response.ok) return void response.body?.cancel().catch(() => undefined);
    throw failureOf(response, url, await said(response));
  },
  close: async () => undefined,
});

/** Codes: `webhook-url-refused`. */
const allowedUrl = (to: string): URL => {
  const url = URL.parse(to);
  const why =
    url === null
      ? "is no URL"
      : url.username !== "" || url.password !== ""
        ? "carries a password, which logs would show"
        : url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))
          ? null
          : "is neither https nor on this machine";
  if (url === null || why !== null) throw final("webhook-url-refused", `webhook: ${JSON.stringify(to)} ${why}`);
  return url;
};

const failureOf = (response: Response, { origin }: URL, words: string): OperatingError => {
  const { status, headers } = response;
  const answered = `webhook: ${origin} answered ${status}${words === "" ? "" : `: ${words}`}`;
  if (status >= 300 && status < 400)
    return final("webhook-redirected", `${answered}; a redirect is not followed: what is told would go elsewhere`);
  if (status >= 400 && status < 500 && !laterStatuses.has(status)) return final("webhook-refused", answered);
  const after = headers.get("retry-after");
  const asks = after === null ? "" : `; it asks to wait: Retry-After ${after.slice(0, 40)}`;
  return new OperatingError("webhook-unavailable", answered + asks, { retry: true });
};

/** The beginning of an error's body; what can't be read of it is not waited for longer than the caller's signal lets the response live. */
const said = async (response: Response): Promise<string> => {
  const parts: string[] = [];
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      parts.push(decoder.decode(part, { stream: true }));
      bytes += part.byteLength;
      if (bytes >= saidBytes_max) break;
    }
  } catch {
    // the status is what counts; of the words there is what came
  }
  return parts
    .join("")
    .slice(0, saidBytes_max)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
};

const final = (code: string, message: string): OperatingError => new OperatingError(code, message, { retry: false });

const unreachable = ({ origin }: URL, cause: unknown): OperatingError => {
  const deepest = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return new OperatingError("webhook-unreachable", `webhook: no answer from ${origin}: ${String(deepest)}`, {
    retry: true,
    cause,
  });
};
