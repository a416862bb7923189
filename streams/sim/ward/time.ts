/** How the ward's devices write times. */

/** The ward lies an hour east of Greenwich, and its devices know no daylight saving. */
const offsetMs = 3_600_000;

/** E.g. "2026-11-21T06:05:17.000+01:00". */
export const isoWithOffset = (ms: number): string => new Date(ms + offsetMs).toISOString().replace("Z", "+01:00");

export const isoUtc = (ms: number): string => new Date(ms).toISOString();
