/** Times without an offset, as hospital systems send them, by the zone that the hospital is in. */
import type { ReadLocalTime } from "../../../schemas/hl7v2/adt-time.ts";
import { OperatingError } from "../../core/failure.ts";

/**
 * `zone`: an IANA name, "Europe/Berlin". A local time that summer time repeats or leaves out is `time-ambiguous`: which of the two it was decides
 * whose a measurement is. Codes: `config-invalid` where there is no such zone.
 */
export const localTimeIn = (zone: string): ReadLocalTime => {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  } catch (cause) {
    throw new OperatingError("config-invalid", `rosterService.mllp.zone: ${zone} is no time zone`, {
      retry: false,
      cause,
    });
  }
  return (local) => {
    try {
      const zoned = Temporal.PlainDateTime.from(local).toZonedDateTime(zone, { disambiguation: "reject" });
      return { ok: true, value: zoned.epochMilliseconds };
    } catch {
      const detail = `a local time that ${zone} has twice or not at all: send it with its offset`;
      return { ok: false, problem: { reason: "time-ambiguous", detail } };
    }
  };
};
