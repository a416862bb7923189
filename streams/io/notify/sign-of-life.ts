/** The circuit's sign of life to the watch: given only when its own audit passes; the watch sounds when it stops. */
import { OperatingError } from "../../core/failure.ts";
import { sign, signatureHeader } from "./signature.ts";

export interface SignOfLife {
  readonly kind: "alive";
  /** Which circuit says so. */
  readonly circuit: string;
}

/**
 * Posts it to the watch's `/alive`, signed at `at` (wall clock, ms). Codes: `watch-unreachable`, `watch-refused` (with its answer); both may be
 * tried again, with a new `at`: the watch takes no moment twice.
 */
export const giveSignOfLife = async (
  to: { readonly url: string; readonly secret: string },
  circuit: string,
  at: number,
  signal: AbortSignal,
): Promise<void> => {
  const body = JSON.stringify({ kind: "alive", circuit } satisfies SignOfLife);
  const response = await fetch(to.url, {
    method: "POST",
    headers: { "content-type": "application/json", [signatureHeader]: sign(to.secret, body, at) },
    body,
    signal,
  }).catch((cause: unknown) => {
    throw new OperatingError("watch-unreachable", `sign of life: ${to.url} can't be reached: ${String(cause)}`, {
      retry: true,
      cause,
    });
  });
  const answer = await response.text();
  if (!response.ok)
    throw new OperatingError("watch-refused", `sign of life: the watch answered ${response.status}: ${answer}`, {
      retry: true,
    });
};
