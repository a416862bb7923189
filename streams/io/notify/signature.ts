/**
 * What the circuit posts is signed, so that a receiver can tell it from what anybody else on the network posts: HMAC-SHA256 of the moment,
 * a full stop and the body's bytes, in one header, `afferent-signature: t=<ms since 1970>,v1=<hex>`. The moment is signed too: an old
 * message that is sent again is seen to be old.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ok, refuse, type Result } from "../../core/failure.ts";

export const signatureHeader = "afferent-signature";

/** The header's value. `at`: wall clock, ms. */
export const sign = (secret: string, body: string | Uint8Array, at: number): string =>
  `t=${at},v1=${mac(secret, body, at).toString("hex")}`;

/** How far the clocks of two machines may be apart, in either direction. */
const apartMs_max = 60_000;

/**
 * When it was signed (ms). Reasons: `unsigned`, `signature-malformed`, `signature-wrong`, `signature-old` (or from the future: more
 * than a minute off `now`).
 */
export const verifySignature = (
  secret: string,
  body: Uint8Array,
  header: string | undefined,
  now: number,
): Result<number> => {
  if (header === undefined) return refuse("unsigned", `no ${signatureHeader} header`);
  const [, t, v1] = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (t === undefined || v1 === undefined)
    return refuse("signature-malformed", `${signatureHeader}: is not t=<ms>,v1=<hex>`);
  const at = Number(t);
  if (!timingSafeEqual(mac(secret, body, at), Buffer.from(v1, "hex")))
    return refuse("signature-wrong", "signed with another secret, or changed since");
  if (Math.abs(now - at) > apartMs_max)
    return refuse("signature-old", `signed ${Math.round((now - at) / 1000)} s before this machine's time`);
  return ok(at);
};

const mac = (secret: string, body: string | Uint8Array, at: number): Buffer =>
  createHmac("sha256", secret).update(`${at}.`).update(body).digest();
