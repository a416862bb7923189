/** Where the circuit's log ends: what people are to be told goes to the outbox, pages and alarms to what is shown and counted. */
import type { DatabaseSync } from "node:sqlite";
import type { Alarm, Notification } from "../../../schemas/records/alert.ts";
import { alarms, type AlarmsBody, notifications, type NotificationsBody } from "../../../schemas/topics.ts";
import type { Sink } from "../../core/sink.ts";
import type { Nuisance } from "./nuisance.ts";
import type { Outbox } from "./outbox.ts";
import { inTransaction } from "./outbox-transaction.ts";
import type { Pages } from "./pages.ts";

export interface NotificationSinkOptions {
  readonly outbox: Outbox;
  readonly pages: Pages;
  readonly now: () => number;
  /** What was new; on its way from now on. */
  readonly onKept: (notifications: readonly Notification[]) => void;
}

/** Confirms once outbox and pages are durable: the sending starts from there. */
export const notificationSink = ({ outbox, pages, now, onKept }: NotificationSinkOptions): Sink<NotificationsBody> => ({
  name: "dispatcher",
  reads: notifications,
  writes: {},
  async write(entries) {
    const bodies = entries.map(({ body }) => body);
    const told = bodies.filter((body) => body.kind === "notification");
    const kept = outbox.transaction(() => {
      for (const body of bodies)
        if (body.kind === "page") pages.put(body);
        else if (body.kind === "mode") pages.putMode(body);
      return outbox.keep(told, now());
    });
    if (kept.length > 0) onKept(kept);
    return [];
  },
});

export const alarmSink = (
  db: DatabaseSync,
  nuisance: Nuisance,
  onRaised: (alarm: Alarm) => void,
): Sink<AlarmsBody> => ({
  name: "alarm-counts",
  reads: alarms,
  writes: {},
  async write(entries) {
    const told = entries.flatMap(({ body, logTime }) => (body.kind === "alarm" ? [{ alarm: body, logTime }] : []));
    if (told.length === 0) return [];
    inTransaction(db, () => {
      for (const { alarm, logTime } of told) nuisance.put(alarm, logTime);
    });
    for (const { alarm } of told) if (alarm.phase === "start") onRaised(alarm);
    return [];
  },
});
