/** ISO 8601 date-times as devices write them, without a Date: this folder reads no clock. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { deviceTime, type DeviceTime } from "../../streams/core/time.ts";

const pattern = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/;

/** Days since 1970-01-01 of a proleptic Gregorian date: Howard Hinnant, "chrono-compatible low-level date algorithms". */
const dayNumber = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

/** Minutes east of UTC; undefined where no zone lies. */
const offsetMinutes = (zone: string): number | undefined => {
  if (zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 18 || minutes > 59) return undefined;
  return (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
};

/** A date-time with zone or offset, to the millisecond below. Refuses with `bad-time`; a time without a zone is one. */
export const parseInstant = (text: string, place: string): Result<DeviceTime> => {
  const parts = pattern.exec(text);
  if (parts === null) return refuse("bad-time", `${place}: ${JSON.stringify(text)} is no date-time with a zone`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const offset = offsetMinutes(parts[8] ?? "");
  const dated = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!dated || hour > 23 || minute > 59 || second > 59 || offset === undefined)
    return refuse("bad-time", `${place}: ${JSON.stringify(text)} is no time that exists`);
  const millis = Number((parts[7] ?? "").padEnd(3, "0").slice(0, 3));
  const seconds = dayNumber(year, month, day) * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
  return ok(deviceTime(seconds * 1000 + millis));
};
