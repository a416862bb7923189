/** A delayed item leaves no open page behind. Where none of those it was for could be told, the last resort is, once (clinical.md 7, 12). */
import type { LogTime } from "../../streams/core/time.ts";
import type { Alarm, Notified } from "../../schemas/records/alert.ts";
import { lastResortOf } from "../policy.ts";
import type { Book, Standing } from "./book.ts";
import type { OpenPage } from "./page.ts";
import { notificationOf } from "./tell.ts";

/** A delayed item of which nothing is confirmed yet. */
export interface Undelivered {
  readonly page: Pick<OpenPage, "identity" | "policyUnit" | "priority">;
  readonly alarms: readonly Alarm[];
  /** By notification, the notifiers that have not failed with it. */
  readonly ways: Readonly<Record<string, readonly string[]>>;
  /** Log time. */
  readonly since: LogTime;
}

/** A notifier tries a delayed item for a day, and then says so; in ms of log time. */
const keptMs = 25 * 3_600_000;
const keptMost = 64;

/** To be called with the page as its delayed item was told, before it ends. */
export const awaitDelivery = (book: Book, page: OpenPage): void => {
  const { identity, policyUnit, priority } = page;
  const ways = Object.fromEntries(page.people.map(({ notification, ways }) => [notification ?? "", ways ?? []]));
  const item = { page: { identity, policyUnit, priority }, alarms: book.alarmsOf(page), ways, since: book.now };
  book.keepUndelivered(identity, item, keptMs);
};

/** Whether what became of a notification was about a delayed item. */
export const heardOfDelayed = (book: Book, said: Notified): boolean => {
  const item = book.undelivered(said.page);
  const left = item?.ways[said.notification];
  if (item === undefined || left === undefined) return false;
  if (said.outcome === "confirmed") {
    book.forget("undelivered", said.page);
    return true;
  }
  const ways = { ...item.ways, [said.notification]: left.filter((way) => way !== said.notifier) };
  if (Object.values(ways).some((some) => some.length > 0)) {
    book.keepUndelivered(said.page, { ...item, ways }, keptMs);
    return true;
  }
  book.forget("undelivered", said.page);
  const plan = book.plan(item.page);
  const telling = { what: "delayed", phase: "end", step: plan.steps.length, lastResort: true, attempt: 0 } as const;
  for (const recipient of lastResortOf(book.policy, plan))
    book.notify(notificationOf(book, item.page, item.alarms, recipient, telling));
  return true;
};

/** The last ones only, and none for longer than anybody may try. */
export const forgetUndelivered = (book: Book, { undelivered }: Standing): void => {
  const kept = undelivered
    .map((page) => ({ page, since: book.undelivered(page)?.since ?? book.now }))
    .sort((a, b) => b.since - a.since);
  for (const [place, { page, since }] of kept.entries())
    if (place >= keptMost || since + keptMs <= book.now) book.forget("undelivered", page);
    else book.comeBackAt(since + keptMs);
};
