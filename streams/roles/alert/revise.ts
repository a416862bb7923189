/**
 * What lay in the outbox while the circuit was down, or while nobody could be reached, may no longer be true when it goes out: what is over
 * by then is told as a delayed item and not as an alarm (clinical.md 7). What is still true goes out as it is, with its real onset.
 */
import type { Notification } from "../../../schemas/records/alert.ts";
import { contentHash } from "../../core/hash.ts";
import { eventTime } from "../../core/time.ts";
import type { Revise } from "./lane.ts";
import type { Pages } from "./pages.ts";

export interface ReviseOptions {
  readonly pages: Pages;
  /** Log time in ms. */
  readonly logNow: () => number;
  /** Whether the stages have worked through what came before now: only then is it known what is over. */
  readonly caughtUp: () => boolean;
}

/** Older than this, it says nothing of now (clinical.md 7). */
const currentMs = 60_000;
const spoken = new Set<Notification["what"]>(["alarm", "reminder"]);

export const reviseOld =
  ({ pages, logNow, caughtUp }: ReviseOptions): Revise =>
  (notification) => {
    const { what, at, identity } = notification;
    if (!spoken.has(what) || logNow() - at <= currentMs) return notification;
    if (!caughtUp()) return null;
    const page = pages.find(notification.page);
    if (page === undefined || page.state !== "over") return notification;
    const end = notification.end ?? (page.overAt === null ? null : eventTime(page.overAt));
    return { ...notification, what: "delayed", identity: contentHash("delayed", identity), end };
  };
