/**
 * The simulated monitor's waveform chunk: little-endian, magic "AFW1", then id (u8 length and text), boot (the same), sequence (u32),
 * device time of the first sample (f64, ms since 1970 UTC), channels (u8), and per channel: code (u8), rate in Hz (u16), gain in
 * steps per unit (f32), baseline (i16), sample count (u16), samples (i16).
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import { deviceTime } from "../../streams/core/time.ts";
import type { DecodedReading, DecodedWaveform } from "../devices/adapter.ts";
import { type MetricName, metricOf } from "../terminology.ts";
import { ByteReader } from "./bytes.ts";

const magic = "AFW1";

/** Channel codes of the format; also for whoever writes it. */
export const chunkChannels: readonly {
  readonly code: number;
  readonly channel: string;
  readonly metric: MetricName;
}[] = [
  { code: 1, channel: "ecg", metric: "ecgII" },
  { code: 2, channel: "spo2", metric: "pleth" },
  { code: 3, channel: "art", metric: "artWave" },
];

const readChannel = (reader: ByteReader, place: string): Result<DecodedWaveform> => {
  const code = reader.u8(`${place}.code`);
  const rateHz = reader.u16(`${place}.rate`);
  const gain = reader.f32(`${place}.gain`);
  const baseline = reader.i16(`${place}.baseline`);
  const samples = reader.samples(reader.u16(`${place}.count`), `${place}.samples`);
  const known = chunkChannels.find((channel) => channel.code === code);
  if (known === undefined) return refuse("unknown-metric", `${place}.code: ${code}`);
  if (!(gain > 0) || !Number.isFinite(gain) || rateHz === 0)
    return refuse("not-a-number", `${place}: rate ${rateHz}, gain ${gain}`);
  const { channel, metric } = known;
  return ok({ channel, metric, ucum: metricOf(metric).ucum, rateHz, gain, baseline, samples });
};

/** Refuses with `malformed-chunk`, `truncated` or `trailing-bytes`; an unknown channel is a problem of its own. */
export const decodeChunk = (payload: Uint8Array): Result<DecodedReading> => {
  const reader = new ByteReader(payload);
  if (reader.text(magic.length, "magic") !== magic) return refuse("malformed-chunk", `magic: not ${magic}`);
  const device = reader.text(reader.u8("id length"), "id");
  const boot = reader.text(reader.u8("boot length"), "boot");
  const sequence = reader.u32("sequence");
  const time = reader.f64("time");
  const count = reader.u8("channels");
  const waveforms: DecodedWaveform[] = [];
  const problems: Problem[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const one = readChannel(reader, `channels[${i}]`);
    if (one.ok) waveforms.push(one.value);
    else problems.push(one.problem);
  }
  const whole = reader.finish();
  if (!whole.ok) return whole;
  if (!Number.isSafeInteger(Math.trunc(time))) return refuse("bad-time", `time: ${time}`);
  if (device === "") return refuse("missing-field", "id: empty");
  const at = deviceTime(Math.round(time));
  return ok({ device, boot, sequence, deviceTime: at, measurements: [], waveforms, problems });
};
