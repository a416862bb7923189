/** How many values the recordings hold: what the store must show when they have been played. */
import { readNumerics, recordingsIn } from "./catalogue.ts";
import type { RecordedRow } from "./recorded-row.ts";

export interface ValueCounts {
  readonly byRecord: ReadonlyMap<string, number>;
  readonly total: number;
}

const messageOf = ({ offsetMs, values }: RecordedRow): string => JSON.stringify([offsetMs, values]);

const count = (rows: readonly RecordedRow[]): number => {
  const distinct = new Map(rows.map((row) => [messageOf(row), row.values]));
  return [...distinct.values()].flat().filter(([, text]) => text !== "NaN").length;
};

/** Values that are not missing; rows that are the same in time and values are one reading (clinical.md 11), which AZT1D has. */
export const countValues = (folder: string, which?: readonly string[]): ValueCounts => {
  const byRecord = new Map(
    recordingsIn(folder, which).map((recording) => [recording.record, count(readNumerics(folder, recording).rows)]),
  );
  return { byRecord, total: [...byRecord.values()].reduce((sum, values) => sum + values, 0) };
};
