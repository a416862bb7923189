/** The page's alarm for an episode that only the telemetry plane had reported, until the circuit's own comes (clinical.md 13). */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime } from "../../streams/core/time.ts";
import type { Alarm } from "../../schemas/records/alert.ts";

export const standInIdentity = (episode: string): string => contentHash("reported", episode).slice(0, 32);

/** Whether `one` stands in for that alarm: of its very episode, or of the same thing at the same time. */
export const standsInFor = (one: Alarm, alarm: Alarm): boolean =>
  one.identity !== alarm.identity &&
  one.identity === standInIdentity(one.origin) &&
  (one.origin === alarm.origin ||
    (one.device === alarm.device &&
      one.metric === alarm.metric &&
      (one.event === alarm.event || (one.direction !== "none" && one.direction === alarm.direction)) &&
      one.onset <= (alarm.end ?? Number.POSITIVE_INFINITY) &&
      alarm.onset <= (one.end ?? Number.POSITIVE_INFINITY)));

/** The circuit's own has come in its place. */
export const madeWay = (one: Alarm, alarm: Alarm): Alarm => ({
  ...one,
  revision: one.revision + 1,
  phase: "end",
  present: false,
  signal: "inactive",
  end: alarm.end ?? eventTime(Math.max(alarm.onset, one.onset)),
});
