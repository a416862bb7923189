/**
 * The truth table EVENTS.csv: every run of samples beyond a plain limit, without hysteresis or minimum duration. A run ends at a missing
 * sample; a 0 counts only under `==0`. Of the records that are played; the insulin pump's are left out.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatingError } from "../../core/failure.ts";
import { type Recording, readNumerics, recordingsIn } from "./catalogue.ts";
import { wallClockMs } from "./glucose-csv.ts";
import { cellsOf } from "./recorded-row.ts";

export interface TruthRow {
  /** As recordingWard names the device: "bidmc-01". */
  readonly record: string;
  /** Column of the recording: "HR", "glucose_mg_dl", or a difference of two: "HR-PULSE". */
  readonly channel: string;
  /** ">100", "<94", "==0", "missing", "|diff|>10", "gap>15min", "implausible<20". */
  readonly rule: string;
  /** Of the first and last sample of the run, since the record's first; for `gap`, of the samples around it. */
  readonly startMs: number;
  readonly endMs: number;
  readonly samples: number;
  /** Null where the rule has none. */
  readonly extreme: number | null;
}

/** Milliseconds since the record's first sample: glucose rows name a wall clock's time, the others seconds. The first may be `-0`. */
const offsetOf = (text: string, firstMs: number): number =>
  /^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 + 0 : wallClockMs(text) - firstMs;

/** In the table's order. Codes: `recording-invalid`, with the line; what the catalogue refuses. */
export const readTruth = (folder: string): TruthRow[] => {
  const recordings = new Map(recordingsIn(folder).map((recording) => [recording.truthName, recording]));
  const firsts = new Map<Recording, number>();
  const firstMsOf = (recording: Recording): number => {
    const firstMs = firsts.get(recording) ?? readNumerics(folder, recording).firstMs;
    firsts.set(recording, firstMs);
    return firstMs;
  };
  const [, ...lines] = cellsOf(readFileSync(join(folder, "EVENTS.csv"), "utf8"));
  return lines.flatMap((cells, i) => {
    const [name = "", channel = "", rule = "", start = "", end = "", samples = "", extreme = ""] = cells;
    const recording = recordings.get(name);
    if (recording === undefined) return [];
    const firstMs = firstMsOf(recording);
    const row = {
      record: recording.record,
      channel,
      rule,
      startMs: offsetOf(start, firstMs),
      endMs: offsetOf(end, firstMs),
      samples: Number(samples),
      extreme: extreme === "" ? null : Number(extreme),
    };
    if (cells.length !== 7 || Number.isNaN(row.samples) || Number.isNaN(row.extreme ?? 0))
      throw new OperatingError("recording-invalid", `EVENTS.csv line ${i + 2}: ${cells}`, { retry: false });
    return [row];
  });
};
