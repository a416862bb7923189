/** Writes a recorded patient's line of numerics; schemas/devices/recorded-numerics.ts describes and reads it. */
import type { RecordedRow } from "./recorded-row.ts";

const text = new TextEncoder();

/** The values stand as the recording's file wrote them. */
export const encodeLine = (
  device: string,
  timeMs: number,
  periodMs: number,
  values: RecordedRow["values"],
): Uint8Array => {
  const fields = [["device", device], ["time", new Date(timeMs).toISOString()], ["period", periodMs], ...values];
  return text.encode(fields.map(([key, value]) => `${key}=${value}`).join(";"));
};
