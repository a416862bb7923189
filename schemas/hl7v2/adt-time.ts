/** HL7 v2's DTM (2.A.21) as milliseconds since 1970. A time without an offset is the hospital's local one, and its zone is asked. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { parseInstant } from "../decoding/instant.ts";

/**
 * What a local time such as `2026-11-21T10:30:00.000` is in UTC. Reasons: `time-ambiguous` in the hour that summer time repeats or leaves out
 * (clinical.md 6), `bad-time`.
 */
export type ReadLocalTime = (local: string) => Result<number>;

const pattern = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?([+-]\d{4})?$/;

/** Needs minutes at least: a day is no time at which somebody moved. Reasons: `bad-time` and those of the zone. */
export const parseDateTime = (text: string, place: string, local: ReadLocalTime): Result<number> => {
  const parts = pattern.exec(text);
  if (parts === null) return refuse("bad-time", `${place} is no date and time to the minute`);
  const [, year, month, day, hour, minute, second = "00", fraction = "0", offset] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0").slice(0, 3)}`;
  const read = parseInstant(`${iso}${offset ?? "Z"}`, place);
  if (!read.ok) return read;
  return offset === undefined ? local(iso) : ok(read.value);
};

/** The date of a DTM of any precision from a day on, as FHIR writes it; null where there is none. */
export const dateIn = (text: string): string | null => {
  const parts = /^(\d{4})(\d\d)(\d\d)/.exec(text);
  if (parts === null) return null;
  const date = `${parts[1]}-${parts[2]}-${parts[3]}`;
  return parseInstant(`${date}T00:00:00Z`, "date").ok ? date : null;
};
