/** Writes the simulated monitor's waveform chunks; schemas/decoding/sim-monitor-chunk.ts describes and reads them. */
import { chunkChannels } from "../../../schemas/decoding/sim-monitor-chunk.ts";
import type { MetricName } from "../../../schemas/terminology.ts";

export interface ChunkChannel {
  readonly metric: MetricName;
  readonly rateHz: number;
  /** Steps per unit. */
  readonly gain: number;
  readonly baseline: number;
  readonly samples: Int16Array;
}

/** `timeMs`: device time of the first sample. */
export const encodeChunk = (
  device: string,
  boot: string,
  sequence: number,
  timeMs: number,
  channels: readonly ChunkChannel[],
): Uint8Array => {
  const samples = channels.reduce((sum, channel) => sum + channel.samples.length, 0);
  const bytes = Buffer.alloc(4 + 2 + device.length + boot.length + 4 + 8 + 1 + 11 * channels.length + 2 * samples);
  let at = bytes.write("AFW1", 0, "ascii");
  for (const text of [device, boot]) {
    at = bytes.writeUInt8(text.length, at);
    at += bytes.write(text, at, "ascii");
  }
  at = bytes.writeUInt32LE(sequence, at);
  at = bytes.writeDoubleLE(timeMs, at);
  at = bytes.writeUInt8(channels.length, at);
  for (const channel of channels) {
    at = bytes.writeUInt8(chunkChannels.find(({ metric }) => metric === channel.metric)?.code ?? 0, at);
    at = bytes.writeUInt16LE(channel.rateHz, at);
    at = bytes.writeFloatLE(channel.gain, at);
    at = bytes.writeInt16LE(channel.baseline, at);
    at = bytes.writeUInt16LE(channel.samples.length, at);
    for (const sample of channel.samples) at = bytes.writeInt16LE(sample, at);
  }
  return bytes;
};
