/**
 * What lies ahead of its own reception is not so: nothing is measured after it was received. A value dated in the future would count as
 * the latest of its series until that time has come, and silence its rule (clinical.md 6).
 */
import type { Problem } from "../streams/core/failure.ts";
import type { Measurement } from "../schemas/records/telemetry.ts";

/** Beyond the clock's uncertainty: for times rounded up to the second, and for the way of a server's clock that is set back a little. */
export const aheadMarginMs = 2_000;

export const aheadReason = "ahead-of-received";

type Timed = Pick<Measurement, "eventTime" | "receivedTime" | "clockUncertaintyMs">;

/** The latest event time, in ms, that can be true of what was received then. */
export const latestTrueTime = ({ receivedTime, clockUncertaintyMs }: Omit<Timed, "eventTime">): number =>
  receivedTime + clockUncertaintyMs + aheadMarginMs;

/** `ahead-of-received`, or null where the time can be true. */
export const aheadOfReceived = (m: Timed): Problem | null =>
  m.eventTime <= latestTrueTime(m)
    ? null
    : {
        reason: aheadReason,
        detail: `eventTime: ${m.eventTime} is ${m.eventTime - m.receivedTime} ms after it was received, at most ${m.clockUncertaintyMs + aheadMarginMs} can be so`,
      };
