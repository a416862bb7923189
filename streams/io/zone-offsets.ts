/** When a zone's clocks are set, from the zone's own rules as this machine has them: data for a policy that must not read a clock. */
import { ok, refuse, type Result } from "../core/failure.ts";

export interface ZoneOffsets {
  /** Minutes ahead of UTC before the first change. */
  readonly utcOffsetMinutes: number;
  /** Each change, in ms since 1970, with the minutes ahead of UTC from then on. */
  readonly offsets: readonly { readonly from: number; readonly minutes: number }[];
}

const nsPerMinute = 60_000_000_000;
/** This year and the next two, whole: what is computed changes once a year, and not with every look. */
const years = 3;

/** Of an IANA zone, e.g. "Europe/Berlin". Reason: `zone-unknown`. */
export const zoneOffsets = (zone: string, nowMs: number): Result<ZoneOffsets> => {
  const year = new Date(nowMs).getUTCFullYear();
  const end = Date.UTC(year + years, 0, 1);
  try {
    let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(
      Date.UTC(year, 0, 1),
    ).toZonedDateTimeISO(zone);
    const utcOffsetMinutes = minutesOf(at);
    const offsets: { from: number; minutes: number }[] = [];
    for (at = at.getTimeZoneTransition("next"); at !== null && at.epochMilliseconds < end; ) {
      offsets.push({ from: at.epochMilliseconds, minutes: minutesOf(at) });
      at = at.getTimeZoneTransition("next");
    }
    return ok({ utcOffsetMinutes, offsets });
  } catch (error) {
    if (error instanceof RangeError) return refuse("zone-unknown", `${zone} is no zone that this machine knows`);
    throw error;
  }
};

const minutesOf = (at: Temporal.ZonedDateTime): number => Math.trunc(at.offsetNanoseconds / nsPerMinute);
