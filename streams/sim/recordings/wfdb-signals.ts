/** WFDB signal files, as signal(5) of the WFDB Applications Guide describes them: formats 16, 80 and 212, all signals of a record in one file. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatingError } from "../../core/failure.ts";
import { parseWfdbHeader, type SignalHeader } from "./wfdb-header.ts";

export interface WfdbSignal {
  readonly header: SignalHeader;
  readonly rateHz: number;
  /** value = (sample - baseline) / gain; a sample that equals `missing` is none. */
  readonly samples: Int16Array;
  readonly missing: number;
}

interface Format {
  /** The value that stands for a missing sample. */
  readonly missing: number;
  /** Bytes that hold so many samples. */
  readonly bytesFor: (samples: number) => number;
  readonly sampleAt: (bytes: Buffer, index: number) => number;
}

const signed12 = (value: number): number => (value << 20) >> 20;

/** Two samples in three bytes; the high nibbles of both stand in the middle one. */
const sample212 = (bytes: Buffer, index: number): number => {
  const at = 3 * (index >> 1);
  const middle = bytes.readUInt8(at + 1);
  return index % 2 === 0
    ? signed12(((middle & 0x0f) << 8) | bytes.readUInt8(at))
    : signed12(((middle & 0xf0) << 4) | bytes.readUInt8(at + 2));
};

const formats: Readonly<Record<number, Format>> = {
  16: { missing: -32_768, bytesFor: (n) => 2 * n, sampleAt: (bytes, i) => bytes.readInt16LE(2 * i) },
  80: { missing: -128, bytesFor: (n) => n, sampleAt: (bytes, i) => bytes.readUInt8(i) - 128 },
  212: { missing: -2_048, bytesFor: (n) => Math.ceil(1.5 * n), sampleAt: sample212 },
};

/** The samples of one frame stand together, signal by signal. A skewed signal begins so many frames later, and as many are missing at its end. */
const samplesOf = (bytes: Buffer, format: Format, signals: readonly SignalHeader[], which: number, frames: number) => {
  const perFrame = signals.reduce((sum, signal) => sum + signal.samplesPerFrame, 0);
  const before = signals.slice(0, which).reduce((sum, signal) => sum + signal.samplesPerFrame, 0);
  const { samplesPerFrame: own = 1, skewFrames: skew = 0 } = signals[which] ?? {};
  const samples = new Int16Array(frames * own).fill(format.missing);
  for (let frame = 0; frame + skew < frames; frame++)
    for (let i = 0; i < own; i++)
      samples[frame * own + i] = format.sampleAt(bytes, (frame + skew) * perFrame + before + i);
  return samples;
};

/** All signals of a record. Codes: `recording-invalid` for a layout that is not read here or a file that ends too early. */
export const readWfdb = (headerFile: string): WfdbSignal[] => {
  const { signals, frames, framesPerSecond } = parseWfdbHeader(readFileSync(headerFile, "latin1"));
  const [first] = signals;
  const invalid = (what: string): OperatingError =>
    new OperatingError("recording-invalid", `${headerFile}: ${what}`, { retry: false });
  const format = formats[first?.format ?? 0];
  if (first === undefined || format === undefined) throw invalid(`format ${first?.format} is not read`);
  if (signals.some((s) => s.file !== first.file || s.format !== first.format))
    throw invalid("its signals lie in several files or formats");
  const bytes = readFileSync(join(dirname(headerFile), first.file)).subarray(first.byteOffset);
  const perFrame = signals.reduce((sum, signal) => sum + signal.samplesPerFrame, 0);
  if (bytes.length < format.bytesFor(frames * perFrame)) throw invalid(`${first.file} ends before frame ${frames}`);
  return signals.map((header, i) => ({
    header,
    rateHz: framesPerSecond * header.samplesPerFrame,
    samples: samplesOf(bytes, format, signals, i, frames),
    missing: format.missing,
  }));
};
