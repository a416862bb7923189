/** Writes a recorded monitor's alarm; schemas/decoding/recorded-alarm.ts describes and reads it. */

const text = new TextEncoder();

/** `alarm`: as the recording's header names it, e.g. "Ventricular_Tachycardia". */
export const encodeAlarm = (device: string, timeMs: number, alarm: string): Uint8Array =>
  text.encode(`device=${device};time=${new Date(timeMs).toISOString()};alarm=${alarm}`);
