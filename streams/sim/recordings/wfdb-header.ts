/** WFDB headers, as header(5) of the WFDB Applications Guide describes them: a line on the record, one on each signal, comments after `#`. */
import { OperatingError } from "../../core/failure.ts";

export interface SignalHeader {
  readonly file: string;
  /** 16, 80 or 212 are read here. */
  readonly format: number;
  readonly samplesPerFrame: number;
  /** So many of the signal's first frames precede sample 0; initial value and checksum include them. */
  readonly skewFrames: number;
  /** Bytes before the first sample. */
  readonly byteOffset: number;
  /** Steps per unit. */
  readonly gain: number;
  readonly baseline: number;
  /** Null where the header names none. */
  readonly unit: string | null;
  readonly initialValue: number;
  /** 16-bit signed sum of the samples. */
  readonly checksum: number;
  readonly name: string;
}

export interface RecordHeader {
  readonly record: string;
  readonly framesPerSecond: number;
  readonly frames: number;
  readonly signals: readonly SignalHeader[];
}

const recordLine = /^(\S+)\s+(\d+)\s+([\d.]+)(?:\/\S+)?\s+(\d+)(?:\s|$)/;
const formatField = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/;
const gainField = /^([\d.eE+-]+?)(?:\((-?\d+)\))?(?:\/(\S+))?$/;
/** What header(5) says to take where the gain is 0 or missing. */
const gainUnlessStated = 200;

const invalid = (what: string): OperatingError =>
  new OperatingError("recording-invalid", `WFDB header: ${what}`, { retry: false });

const signalOf = (line: string): SignalHeader => {
  const [file = "", format = "", gain = "", , zero = "", initial = "", checksum = "", , ...name] = line.split(/\s+/);
  const formatParts = formatField.exec(format);
  const gainParts = gainField.exec(gain);
  if (formatParts === null || gainParts === null || checksum === "") throw invalid(`no signal line: ${line}`);
  return {
    file,
    format: Number(formatParts[1]),
    samplesPerFrame: Number(formatParts[2] ?? 1),
    skewFrames: Number(formatParts[3] ?? 0),
    byteOffset: Number(formatParts[4] ?? 0),
    gain: Number(gainParts[1]) || gainUnlessStated,
    baseline: Number(gainParts[2] ?? zero),
    unit: gainParts[3] ?? null,
    initialValue: Number(initial),
    checksum: Number(checksum),
    name: name.join(" "),
  };
};

/** Codes: `recording-invalid`, with the line. */
export const parseWfdbHeader = (text: string): RecordHeader => {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const parts = recordLine.exec(lines[0] ?? "");
  if (parts === null) throw invalid(`no record line: ${lines[0] ?? "(empty)"}`);
  const count = Number(parts[2]);
  const signals = lines.slice(1, 1 + count).map(signalOf);
  if (signals.length !== count) throw invalid(`${count} signals announced, ${signals.length} described`);
  return { record: parts[1] ?? "", framesPerSecond: Number(parts[3]), frames: Number(parts[4]), signals };
};
