/**
 * A device of which nothing is expected for a while, by a named person's word (clinical.md 5). Monitoring lost of it is held, and nothing else:
 * what a rule or the device itself alarms pages as ever. While it lasts it is an open note among the pages.
 */
import { eventTime, type LogTime } from "../../streams/core/time.ts";
import type { Alarm, Page, Standby } from "../../schemas/records/alert.ts";
import type { Book } from "./book.ts";

export interface StandingBy {
  readonly act: Standby;
  /** The note among the pages, and its last revision. */
  readonly note: string;
  readonly revision: number;
  readonly raisedAt: LogTime;
  /** Its monitoring is lost by now: told when the time is over, unless it is heard again. */
  readonly held: Alarm | null;
}

/** True where the alarm is held, or was and has ended. */
export const takeHeld = (book: Book, alarm: Alarm): boolean => {
  const standby = isMonitoringLost(alarm) ? book.standby(alarm.device) : undefined;
  if (standby === undefined) return false;
  const before = standby.held;
  const isHeld = before?.identity === alarm.identity;
  if (!isHeld && (standby.act.to <= book.now || alarm.timeliness !== "current")) return false;
  if (isHeld && alarm.revision <= before.revision) return true;
  book.keepStandby(alarm.device, { ...standby, held: alarm.present ? alarm : null });
  return true;
};

export const isMonitoringLost = ({ source, event }: Alarm): boolean =>
  source === "technical" && event === "monitoringLost";

/** The note as people see it. `overAt`: it is over. */
export const noteOf = ({ act, note, revision, raisedAt }: StandingBy, overAt: LogTime | null): Page => ({
  kind: "page",
  identity: note,
  revision,
  unit: act.unit,
  bed: act.bed,
  bedSince: null,
  bedConfirmed: false,
  device: act.device,
  event: "standby",
  alertType: "advisory",
  text: `not monitored, by ${act.by}: ${act.reason} (${act.device})`,
  priority: "low",
  onset: eventTime(act.from),
  alarms: [],
  state: overAt === null ? "accepted" : "over",
  latched: false,
  step: 0,
  lastResort: false,
  nextAt: overAt === null ? (act.to as LogTime) : null,
  acceptedBy: act.by,
  responsibilities: [],
  raisedAt,
  overAt,
  test: false,
});
