/**
 * Glucose as CSV, a reading every five minutes, in four spellings: the Glucose-ML extraction (`timestamp,glucose_value_mg_dl`), Dexcom's
 * Clarity export, T1D-UOM's `bg_ts,value` in mmol/L with DD/MM/YYYY. The times are local and name no zone: only their differences count.
 */
import { OperatingError } from "../../core/failure.ts";
import { cellsOf, type RecordedRow } from "./recorded-row.ts";

interface Spelling {
  readonly timeColumn: string;
  readonly valueColumn: string;
  /** As schemas/devices/recorded-numerics.ts names it. */
  readonly column: "Glucose" | "GlucoseMmol";
  readonly isReading: (cells: readonly string[]) => boolean;
}

const spellings: readonly Spelling[] = [
  { timeColumn: "timestamp", valueColumn: "glucose_value_mg_dl", column: "Glucose", isReading: () => true },
  { timeColumn: "bg_ts", valueColumn: "value", column: "GlucoseMmol", isReading: () => true },
  {
    timeColumn: "Timestamp (YYYY-MM-DDThh:mm:ss)",
    valueColumn: "Glucose Value (mg/dL)",
    column: "Glucose",
    // The rest are the person, the device, its alert settings and what was eaten and injected.
    isReading: (cells) => cells[2] === "EGV",
  },
];

const invalid = (what: string): OperatingError => new OperatingError("recording-invalid", what, { retry: false });

/** A wall clock's time as if it were UTC's; YYYY-MM-DD or DD/MM/YYYY. */
export const wallClockMs = (text: string): number => {
  const iso = text.replace(/^(\d\d)\/(\d\d)\/(\d{4})/, "$3-$2-$1").replace(" ", "T");
  const ms = Date.parse(`${iso}Z`);
  if (Number.isNaN(ms)) throw invalid(`glucose: ${JSON.stringify(text)} is no time`);
  return ms;
};

/** The wall clock's time of the first reading, and the readings in the order of time. Codes: `recording-invalid`. */
export const readGlucoseCsv = (text: string): { readonly firstMs: number; readonly rows: RecordedRow[] } => {
  const [header = [], ...lines] = cellsOf(text);
  const spelling = spellings.find((s) => header.includes(s.timeColumn) && header.includes(s.valueColumn));
  if (spelling === undefined) throw invalid(`glucose header: ${header.join(",")} is none that we know`);
  const { timeColumn, valueColumn, column, isReading } = spelling;
  const [timeAt, valueAt] = [header.indexOf(timeColumn), header.indexOf(valueColumn)];
  const readings = lines
    .filter(isReading)
    .map((cells) => ({ atMs: wallClockMs(cells[timeAt] ?? ""), value: cells[valueAt] ?? "" }))
    .sort((a, b) => a.atMs - b.atMs);
  const firstMs = readings[0]?.atMs ?? 0;
  return {
    firstMs,
    rows: readings.map(({ atMs, value }) => ({
      offsetMs: atMs - firstMs,
      values: value === "" ? [] : [[column, value] as const],
    })),
  };
};
