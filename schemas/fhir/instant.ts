/** Milliseconds since the epoch as a FHIR instant in UTC, without a Date: this folder reads no clock. */

const dayMs = 86_400_000;
const two = (n: number): string => String(n).padStart(2, "0");

/** Proleptic Gregorian date of a day number (1970-01-01 is 0): Howard Hinnant, "chrono-compatible low-level date algorithms". */
const civil = (day: number): { year: number; month: number; day: number } => {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
};

/** The UTC day of a time, e.g. "2026-11-21". */
export const utcDay = (ms: number): string => {
  const { year, month, day } = civil(Math.floor(ms / dayMs));
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
};

/** E.g. "2026-11-21T04:46:10.000Z". For the years 0000 to 9999. */
export const utcInstant = (ms: number): string => {
  const day = Math.floor(ms / dayMs);
  const inDay = Math.floor(ms) - day * dayMs;
  const seconds = Math.floor(inDay / 1000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return `${utcDay(ms)}T${time}.${String(inDay % 1000).padStart(3, "0")}Z`;
};

/** The first millisecond after the UTC day of a time. */
export const endOfUtcDay = (ms: number): number => (Math.floor(ms / dayMs) + 1) * dayMs;
