/** Writes a chunk of a recorded signal; schemas/decoding/recorded-chunk.ts describes and reads it. */
import { recordedChunkMagic, recordedChunkVersion } from "../../../schemas/decoding/recorded-chunk.ts";
import type { WfdbSignal } from "./wfdb-signals.ts";

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
};

/**
 * The unit that is sent for a signal: its header's; where that names none, mV for an ECG as header(5) says, and arbitrary units for
 * respiration (MIMIC DB's gain of 2000 is one for nothing in particular).
 */
const unitOf = ({ name, unit }: WfdbSignal["header"]): string => unit ?? (name === "RESP" ? "NU" : "mV");

/** `timeMs`: device time of the first sample. At most 65,535 samples. */
export const encodeRecordedChunk = (
  device: string,
  timeMs: number,
  { header, rateHz }: WfdbSignal,
  samples: Int16Array,
): Uint8Array => {
  const numbers = Buffer.alloc(28 + 2 * samples.length);
  let at = numbers.writeDoubleLE(timeMs, 0);
  at = numbers.writeDoubleLE(rateHz, at);
  at = numbers.writeDoubleLE(header.gain, at);
  at = numbers.writeInt16LE(header.baseline, at);
  at = numbers.writeUInt16LE(samples.length, at);
  for (const sample of samples) at = numbers.writeInt16LE(sample, at);
  return Buffer.concat([
    Buffer.from(recordedChunkMagic, "ascii"),
    Buffer.from([recordedChunkVersion]),
    text(device),
    text(header.name),
    text(unitOf(header)),
    numbers,
  ]);
};
