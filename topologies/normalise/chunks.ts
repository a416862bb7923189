/** Waveforms: the samples as they came, in the metric's unit by their gain and baseline, with their corrected start. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { DecodedReading, DecodedWaveform } from "../../schemas/devices/adapter.ts";
import type { WaveformChunk } from "../../schemas/records/telemetry.ts";
import { metricOf, toMetricUnit } from "../../schemas/terminology.ts";
import { inForceAt } from "./holder.ts";
import { chunkIdentity } from "./identity.ts";
import { type Context, timeOf } from "./measurements.ts";

/** In the order of the payload. Refuses `bad-waveform` and what the unit conversion refuses. */
export const chunksOf = (reading: DecodedReading, context: Context): Result<WaveformChunk>[] =>
  reading.waveforms.map((wave, ordinal) => chunkOf(reading, wave, ordinal, context));

const chunkOf = (
  reading: DecodedReading,
  wave: DecodedWaveform,
  ordinal: number,
  context: Context,
): Result<WaveformChunk> => {
  const place = `${wave.channel}.${wave.metric}`;
  if (!(wave.rateHz > 0) || !(Math.abs(wave.gain) > 0) || !Number.isFinite(wave.baseline) || wave.samples.length === 0)
    return refuse("bad-waveform", `${place}: ${wave.samples.length} samples at ${wave.rateHz} Hz, gain ${wave.gain}`);
  const scale = scaleOf(wave);
  if (!scale.ok) return refuse(scale.problem.reason, `${wave.channel}: ${scale.problem.detail}`);
  const at = timeOf(reading.deviceTime, context);
  const { mdc, ucum } = metricOf(wave.metric);
  return ok({
    kind: "waveformChunk",
    identity: chunkIdentity(context.identity, wave.channel, wave.metric, ordinal),
    subject: inForceAt(context.associations, at)?.subject ?? null,
    device: context.device,
    channel: wave.channel,
    metric: wave.metric,
    mdc,
    ucum,
    rateHz: wave.rateHz,
    ...scale.value,
    samples: wave.samples,
    deviceTime: reading.deviceTime,
    receivedTime: context.receivedTime,
    eventTime: at,
  });
};

/** Units of a waveform differ by a factor and a shift, which gain and baseline take up; the samples stay whole numbers. */
const scaleOf = ({ metric, ucum, gain, baseline }: DecodedWaveform): Result<{ gain: number; baseline: number }> => {
  if (ucum === metricOf(metric).ucum) return ok({ gain, baseline });
  const zero = toMetricUnit(metric, 0, ucum);
  const one = toMetricUnit(metric, 1, ucum);
  if (!zero.ok) return zero;
  if (!one.ok) return one;
  const inUnit = gain / (one.value - zero.value);
  return ok({ gain: inUnit, baseline: baseline - zero.value * inUnit });
};
