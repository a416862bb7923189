/** What the status of an HTTP answer says of whom: of the way there, of the moment, or of what was sent. */
import type { Unsettled } from "./outbox/attempt.ts";

/** Credentials, address, redirects: a person has to mend them, and whatever is sent until then fares alike. */
const way = new Set([401, 403, 404, 405, 407]);
/** Too many, too early, too slow (RFC 6585, 8470, 9110 15.5.9). */
const later = new Set([408, 425, 429]);
/** Somebody else changed it, or is at it. */
const contended = new Set([409, 412, 423]);

/** Whose an answer is that does not settle it; null: it is one to what was sent (2xx, or refused for good). */
export const whoseStatus = (status: number): Unsettled["whose"] | null => {
  if (way.has(status) || (status >= 300 && status < 400)) return "way";
  if (later.has(status) || status > 500) return "destination";
  return status === 500 || contended.has(status) ? "intent" : null;
};

/** How long a Retry-After asks to wait, in ms (RFC 9110 10.2.3: seconds or a date); null where there is none that can be read. */
export const retryAfterMs = (header: string | null, nowMs: number): number | null => {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
};
