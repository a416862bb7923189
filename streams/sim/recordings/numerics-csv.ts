/**
 * Numerics of bedside monitors as CSV: seconds in the first column, then a column a metric. BIDMC writes a missing value as `NaN` (which
 * is played: the monitor said that it had none), MIMIC-III leaves it empty (not played). BIDMC's header has blanks and its first time may be `-0`.
 */
import { OperatingError } from "../../core/failure.ts";
import { cellsOf, type RecordedRow } from "./recorded-row.ts";

/** As the MIMIC-III header writes them; BIDMC's has none (HR, PULSE and RESP are in /min, SpO2 in %). */
const units: Readonly<Record<string, string>> = {
  HR: "bpm",
  PULSE: "bpm",
  RESP: "pm",
  SpO2: "%",
  ABPSys: "mmHg",
  ABPDias: "mmHg",
  ABPMean: "mmHg",
  NBPSys: "mmHg",
  NBPDias: "mmHg",
  NBPMean: "mmHg",
};

/** Code `recording-invalid` for a column or unit that we do not know. */
const columnOf = (cell: string): string => {
  const [, name = "", unit] = /^(\w+)(?:\[(.+)\])?$/.exec(cell) ?? [];
  if (Object.hasOwn(units, name) && (unit === undefined || unit === units[name])) return name;
  throw new OperatingError("recording-invalid", `numerics header: ${JSON.stringify(cell)} is no column that we know`, {
    retry: false,
  });
};

/** Rows in the file's order. Codes: `recording-invalid`, with the line. */
export const readNumericsCsv = (text: string): RecordedRow[] => {
  const [header = [], ...rows] = cellsOf(text);
  const columns = header.slice(1).map(columnOf);
  return rows.map(([seconds = "", ...cells], i) => {
    // The sum makes "-0" an ordinary zero.
    const offsetMs = Number(seconds) * 1_000 + 0;
    if (seconds === "" || !Number.isSafeInteger(offsetMs) || cells.length !== columns.length)
      throw new OperatingError("recording-invalid", `numerics line ${i + 2}: ${seconds},${cells}`, { retry: false });
    return {
      offsetMs,
      values: columns.flatMap((column, c) => (cells[c] ? [[column, cells[c]] as const] : [])),
    };
  });
};
