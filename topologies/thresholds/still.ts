/** That an open episode still holds is said again after a gap of its series, and once the first sample comes in time where its start came late. */
import type { StillCrossing } from "../../schemas/records/alert.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import type { Machine } from "./machine.ts";
import { silenceLimitMs } from "./sensor.ts";

/** Older than this on arrival is late (clinical.md 7). */
export const lateMs = 60_000;

/** `now`: log time, which is later than received time where the log itself was away. */
export const isLate = ({ eventTime, receivedTime }: Measurement, now: number): boolean =>
  Math.max(receivedTime, now) - eventTime > lateMs;

/** Why it is to be said that `after`, open before `m` and after it, still holds; null: it is not. A value inside `clear` still holds it. */
export const stillWhy = (
  before: Machine | undefined,
  after: Machine | undefined,
  m: Measurement,
  now: number,
): StillCrossing["why"] | null => {
  if (before === undefined || before.phase === "pending" || after?.phase !== "open") return null;
  if (after.judgedAt !== m.eventTime) return null;
  if (before.late && !isLate(m, now)) return "current";
  const limitMs = silenceLimitMs(m);
  return limitMs !== null && m.eventTime - before.judgedAt > limitMs ? "afterGap" : null;
};
