/**
 * A chunk of one recorded signal: little-endian, magic "RECW", version (u8, 1), then device, signal name as in the record's WFDB header,
 * and unit (each u8 length and text), device time of the first sample (f64, ms since 1970 UTC), rate in Hz (f64), gain in steps per
 * unit (f64), baseline (i16), sample count (u16), samples (i16). WFDB's gain and baseline are ours: value = (sample - baseline) / gain.
 */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import { deviceTime } from "../../streams/core/time.ts";
import type { DecodedReading, DecodedWaveform } from "../devices/adapter.ts";
import { type MetricName, ucumFor } from "../terminology.ts";
import { ByteReader } from "./bytes.ts";

export const recordedChunkMagic = "RECW";
export const recordedChunkVersion = 1;

interface Signal {
  readonly channel: string;
  readonly metric: MetricName;
}

/** By WFDB signal name. MLII is lead II from electrodes on the chest (MIT-BIH directory): MDC has no code of its own for it. */
const signals: Readonly<Record<string, Signal>> = {
  I: { channel: "ecg", metric: "ecgI" },
  II: { channel: "ecg", metric: "ecgII" },
  MLII: { channel: "ecg", metric: "ecgII" },
  V: { channel: "ecg", metric: "ecgV" },
  V5: { channel: "ecg", metric: "ecgV5" },
  MCL: { channel: "ecg", metric: "ecgMcl" },
  MCL1: { channel: "ecg", metric: "ecgMcl1" },
  PLETH: { channel: "spo2", metric: "pleth" },
  ABP: { channel: "abp", metric: "artWave" },
  RESP: { channel: "resp", metric: "respiration" },
};

interface Said extends Omit<DecodedWaveform, "channel" | "metric" | "ucum"> {
  readonly name: string;
  readonly unit: string;
}

const waveformOf = ({ name, unit, ...rest }: Said): Result<DecodedWaveform> => {
  const signal = Object.hasOwn(signals, name) ? signals[name] : undefined;
  if (signal === undefined) return refuse("unknown-metric", `signal: ${JSON.stringify(name)}`);
  const ucum = ucumFor(signal.metric, unit);
  if (!ucum.ok) return refuse(ucum.problem.reason, `unit: ${ucum.problem.detail}`);
  if (!(rest.rateHz > 0) || !Number.isFinite(rest.rateHz)) return refuse("not-a-number", `rate: ${rest.rateHz}`);
  if (!(rest.gain > 0) || !Number.isFinite(rest.gain)) return refuse("not-a-number", `gain: ${rest.gain}`);
  if (rest.samples.length === 0) return refuse("missing-field", "samples: none");
  return ok({ ...signal, ucum: ucum.value, ...rest });
};

/** Refuses with `malformed-chunk`, `unknown-version`, `truncated`, `trailing-bytes`, `bad-time` or `missing-field`. */
export const decodeRecordedChunk = (payload: Uint8Array): Result<DecodedReading> => {
  const reader = new ByteReader(payload);
  if (reader.text(recordedChunkMagic.length, "magic") !== recordedChunkMagic)
    return refuse("malformed-chunk", `magic: not ${recordedChunkMagic}`);
  const version = reader.u8("version");
  if (!reader.failed && version !== recordedChunkVersion) return refuse("unknown-version", `version: ${version}`);
  const device = reader.text(reader.u8("device length"), "device");
  const name = reader.text(reader.u8("signal length"), "signal");
  const unit = reader.text(reader.u8("unit length"), "unit");
  const time = reader.f64("time");
  const rateHz = reader.f64("rate");
  const gain = reader.f64("gain");
  const baseline = reader.i16("baseline");
  const samples = reader.samples(reader.u16("count"), "samples");
  const whole = reader.finish();
  if (!whole.ok) return whole;
  if (device === "") return refuse("missing-field", "device: empty");
  if (!Number.isSafeInteger(time)) return refuse("bad-time", `time: ${time} is no whole number of milliseconds`);
  const wave = waveformOf({ name, unit, rateHz, gain, baseline, samples });
  return ok({
    device,
    boot: null,
    sequence: null,
    deviceTime: deviceTime(time),
    measurements: [],
    waveforms: wave.ok ? [wave.value] : [],
    problems: wave.ok ? [] : [wave.problem],
  });
};
