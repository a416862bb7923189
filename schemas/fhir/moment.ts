/**
 * FHIR's date and dateTime as milliseconds. One with less precision than a millisecond, or a date without a zone, is a span and
 * not an instant: where privacy hangs on it, what it may have meant at the earliest and at the latest both matter.
 */

/** When it began and ended (exclusive), each at the earliest and at the latest, in ms since the epoch. */
export interface Moment {
  readonly beginEarliest: number;
  readonly beginLatest: number;
  readonly endEarliest: number;
  readonly endLatest: number;
}

/** Minutes east of UTC, at the least and at the most, of the places where dates without a zone are written. */
export interface Zones {
  readonly leastMinutes: number;
  readonly mostMinutes: number;
}

/** Anywhere on earth. */
export const anyZone: Zones = { leastMinutes: -720, mostMinutes: 840 };

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Days since 1970-01-01 of a proleptic Gregorian date: Howard Hinnant, "chrono-compatible low-level date algorithms". */
const dayNumber = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
};

const daysIn = (year: number, month: number): number =>
  (month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1)) - dayNumber(year, month, 1);

const pattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2}))?)?)?$/;

const offsetMinutes = (zone: string): number => {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone.startsWith("-") ? -minutes : minutes;
};

const exact = (beginMs: number, lengthMs: number): Moment => ({
  beginEarliest: beginMs,
  beginLatest: beginMs,
  endEarliest: beginMs + lengthMs,
  endLatest: beginMs + lengthMs,
});

const somewhere = (beginMs: number, endMs: number, { leastMinutes, mostMinutes }: Zones): Moment => ({
  beginEarliest: beginMs - mostMinutes * minuteMs,
  beginLatest: beginMs - leastMinutes * minuteMs,
  endEarliest: endMs - mostMinutes * minuteMs,
  endLatest: endMs - leastMinutes * minuteMs,
});

/** A FHIR R4 date or dateTime (YYYY, YYYY-MM, YYYY-MM-DD, or with seconds and zone); null where it is none. */
export const momentOf = (text: string, zones: Zones = anyZone): Moment | null => {
  const parts = pattern.exec(text);
  if (parts === null) return null;
  const [year, month, day] = [Number(parts[1]), Number(parts[2] ?? 1), Number(parts[3] ?? 1)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  const beginMs = dayNumber(year, month, day) * dayMs;
  if (parts[2] === undefined) return somewhere(beginMs, dayNumber(year + 1, 1, 1) * dayMs, zones);
  if (parts[3] === undefined) return somewhere(beginMs, beginMs + daysIn(year, month) * dayMs, zones);
  const zone = parts[8];
  if (zone === undefined) return somewhere(beginMs, beginMs + dayMs, zones);
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6])];
  if (hour > 23 || minute > 59 || second > 60) return null;
  const fraction = parts[7];
  const ms = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
  const inDay = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  return exact(beginMs + inDay - offsetMinutes(zone) * minuteMs, fraction === undefined ? 1000 : 1);
};
