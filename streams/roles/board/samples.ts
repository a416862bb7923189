/** What the charts of one bed show: its latest vitals, ten minutes of samples and the newest waveform chunks. Bounded. */
import type { SampleView, VitalView, WaveView } from "../../../schemas/board.ts";
import type { Measurement, WaveformChunk } from "../../../schemas/records/telemetry.ts";
import { isMetric, metricOf } from "../../../schemas/terminology.ts";

/** Ten minutes of ten metrics at 1 Hz. */
const samplesKept = 6_000;
/** About 12 s of three waveforms in chunks of a second. */
const chunksKept = 36;
const metricsKept = 40;

interface Numbered<T> {
  readonly n: number;
  readonly item: T;
}

export const displayOf = (metric: string): string => (isMetric(metric) ? metricOf(metric).display : metric);

/**
 * When a value says nothing about now any more: ten periods of a fast stream (10 s at 1 Hz, as clinical.md 5), one and a half of a
 * slow one and a minute's grace, half an hour where no period is known.
 */
export const staleAfterMs = (periodMs: number | null): number => {
  if (periodMs === null) return 30 * 60_000;
  return periodMs < 60_000 ? Math.max(10_000, 10 * periodMs) : 1.5 * periodMs + 60_000;
};

/** Whether a measurement says something about the patient; zeros of a lead that is off, tests and invalid values don't (clinical.md 1, 3). */
export const isUsable = ({ value, validity }: { readonly value: number | null; readonly validity: string }): boolean =>
  value !== null && (validity === "valid" || validity === "questionable" || validity === "indeterminate");

const push = <T>(ring: Numbered<T>[], entry: Numbered<T>, kept: number): void => {
  ring.push(entry);
  if (ring.length > kept * 1.25) ring.splice(0, ring.length - kept);
};

export class BedSamples {
  readonly #vitals = new Map<string, VitalView>();
  readonly #samples: Numbered<SampleView>[] = [];
  readonly #chunks: Numbered<WaveformChunk>[] = [];
  #n = 0;

  /** Position after everything so far, for {@link samplesAfter} and {@link wavesAfter}. */
  get newest(): number {
    return this.#n;
  }

  /** Where two devices measure the same, the one shown is kept until its value is stale, so that the chart doesn't flicker between them. */
  measurement(m: Measurement): void {
    const shown = this.#vitals.get(m.metric);
    if (shown === undefined && this.#vitals.size >= metricsKept) return;
    if (shown !== undefined && m.eventTime < shown.at) return;
    if (shown !== undefined && shown.device !== m.device && m.eventTime - shown.at < shown.staleAfterMs) return;
    this.#vitals.set(m.metric, {
      metric: m.metric,
      device: m.device,
      display: displayOf(m.metric),
      ucum: m.ucum,
      value: m.value,
      validity: m.validity,
      at: m.eventTime,
      staleAfterMs: staleAfterMs(m.periodMs),
    });
    push(
      this.#samples,
      { n: ++this.#n, item: { metric: m.metric, at: m.eventTime, value: isUsable(m) ? m.value : null } },
      samplesKept,
    );
  }

  waveform(chunk: WaveformChunk): void {
    push(this.#chunks, { n: ++this.#n, item: chunk }, chunksKept);
  }

  /** The patient has changed or the device has gone: what it said is nobody's here any more. */
  forget(device: string): void {
    for (const [metric, vital] of this.#vitals)
      if (vital.device === device) {
        this.#vitals.delete(metric);
        this.#drop(metric);
      }
    const chunks = this.#chunks.filter(({ item }) => item.device !== device);
    this.#chunks.splice(0, this.#chunks.length, ...chunks);
  }

  #drop(metric: string): void {
    const samples = this.#samples.filter(({ item }) => item.metric !== metric);
    this.#samples.splice(0, this.#samples.length, ...samples);
  }

  vitals(): VitalView[] {
    return [...this.#vitals.values()];
  }

  /** Oldest first. */
  samplesSince(at: number): SampleView[] {
    return this.#samples.filter(({ item }) => item.at >= at).map(({ item }) => item);
  }

  samplesAfter(n: number): SampleView[] {
    return after(this.#samples, n);
  }

  wavesAfter(n: number): WaveView[] {
    return after(this.#chunks, n).map(waveView);
  }
}

const after = <T>(ring: readonly Numbered<T>[], n: number): T[] => {
  let first = ring.length;
  while (first > 0 && (ring[first - 1]?.n ?? 0) > n) first--;
  return ring.slice(first).map(({ item }) => item);
};

const waveView = (chunk: WaveformChunk): WaveView => ({
  metric: chunk.metric,
  display: displayOf(chunk.metric),
  start: chunk.eventTime,
  rateHz: chunk.rateHz,
  samples: chunk.samples.map((sample) => (sample - chunk.baseline) / chunk.gain),
});
