/**
 * ECG (250 Hz), pleth and arterial pressure (125 Hz) synthesised from the heart rate, a second at a time. Beats are sums of Gaussians
 * (after McSharry et al., IEEE Trans Biomed Eng 2003;50:289, without its limit cycle); the pulse wave follows each beat that is perfused.
 */
import { type Random, random } from "../random.ts";
import { encodeChunk, type ChunkChannel } from "./chunk.ts";
import type { Demand, Vitals } from "./physiology.ts";
import type { Effect } from "./stories.ts";

const ecgRateHz = 250;
const pulseRateHz = 125;
const ecgGain = 200;
const plethGain = 1000;
const artGain = 10;

/** One bump: where (s after the R peak), how wide (s), how high. */
interface Bump {
  readonly at: number;
  readonly width: number;
  readonly height: number;
}

/** P, Q, R, S, T of lead II in mV. */
const ecgBeat: readonly Bump[] = [
  { at: -0.17, width: 0.022, height: 0.13 },
  { at: -0.026, width: 0.009, height: -0.12 },
  { at: 0, width: 0.011, height: 1.05 },
  { at: 0.028, width: 0.01, height: -0.24 },
  { at: 0.26, width: 0.045, height: 0.28 },
];
/** Atrial fibrillation has no P. */
const ecgBeatWithoutP = ecgBeat.slice(1);
/** Systolic wave and dicrotic wave, from the arrival of the pulse. */
const pulseBeat: readonly Bump[] = [
  { at: 0.14, width: 0.055, height: 0.92 },
  { at: 0.36, width: 0.08, height: 0.34 },
];
/** From the R peak to the finger, and to the radial artery. */
const toFingerS = 0.24;
const toArteryS = 0.16;

/** Ready-made noise around 0 within 1: a draw for each sample would cost more than all the beats. */
const noiseTable = ((): Float64Array => {
  const { next } = random(1, "noise of the amplifiers");
  return Float64Array.from({ length: 4093 }, () => next() + next() - 1);
})();

interface Beat {
  readonly atS: number;
  readonly perfused: boolean;
  readonly hasP: boolean;
}

const addBump = (into: Float64Array, rateHz: number, centreS: number, { width, height }: Bump, scale: number): void => {
  const from = Math.max(0, Math.ceil((centreS - 4 * width) * rateHz));
  const to = Math.min(into.length - 1, Math.floor((centreS + 4 * width) * rateHz));
  const step = 1 / (rateHz * width);
  let z = from * step - centreS / width;
  for (let i = from; i <= to; i++, z += step) into[i] = (into[i] ?? 0) + scale * height * Math.exp(-z * z * 0.5);
};

export class Waves {
  readonly #random: Random;
  readonly #arterialLine: boolean;
  #beats: Beat[] = [];
  #nextBeatS: number;
  #seconds = 0;
  #sequence = 0;

  constructor(random: Random, arterialLine: boolean) {
    this.#random = random;
    this.#arterialLine = arterialLine;
    this.#nextBeatS = random.next();
  }

  /** Goes on by a second and gives the writer of that second's chunk. */
  second(vitals: Vitals, demand: Demand, effect: Effect): (device: string, boot: string, timeMs: number) => Uint8Array {
    const startS = this.#seconds++;
    this.#grow(startS + 1.3, vitals, demand);
    const sequence = ++this.#sequence;
    const breath = Math.sin((2 * Math.PI * vitals.respiratoryRate * startS) / 60);
    const channels = [
      this.#ecg(startS, breath, effect.electrodesOff === true),
      this.#pleth(startS, breath, effect.probe !== undefined),
      ...(this.#arterialLine ? [this.#art(startS, vitals)] : []),
    ];
    this.#beats = this.#beats.filter(({ atS }) => atS > startS - 0.2);
    return (device, boot, timeMs) => encodeChunk(device, boot, sequence, timeMs, channels);
  }

  /** Beats up to `untilS`; none in an arrest. */
  #grow(untilS: number, vitals: Vitals, demand: Demand): void {
    if (demand.arrest || vitals.heartRate < 5) {
      this.#beats = this.#beats.filter(({ atS }) => atS < untilS - 1.3);
      this.#nextBeatS = Math.max(this.#nextBeatS, untilS);
      return;
    }
    while (this.#nextBeatS < untilS) {
      const share = this.#random.next();
      const deficit = demand.pulseDeficit;
      this.#beats.push({
        atS: this.#nextBeatS,
        perfused: deficit === undefined || share >= deficit,
        hasP: deficit === undefined,
      });
      this.#nextBeatS += (60 / vitals.heartRate) * this.#stretch(share, deficit !== undefined, vitals.respiratoryRate);
    }
  }

  /** Of the beat's interval: the breath's rhythm (respiratory sinus arrhythmia), or the chaos of fibrillation. */
  #stretch(share: number, fibrillating: boolean, respiratoryRate: number): number {
    if (fibrillating) return 0.65 + 0.7 * share;
    return 1 + 0.03 * Math.sin((2 * Math.PI * respiratoryRate * this.#nextBeatS) / 60) + 0.008 * this.#random.gauss();
  }

  #ecg(startS: number, breath: number, off: boolean): ChunkChannel {
    const signal = new Float64Array(ecgRateHz);
    if (!off)
      for (const { atS, hasP } of this.#beats)
        for (const bump of hasP ? ecgBeat : ecgBeatWithoutP)
          addBump(signal, ecgRateHz, atS - startS + bump.at, bump, 1 + 0.05 * breath);
    const samples = this.#quantise(signal, ecgGain, off ? 0.002 : 0.008);
    return { metric: "ecgII", rateHz: ecgRateHz, gain: ecgGain, baseline: 0, samples };
  }

  #pleth(startS: number, breath: number, off: boolean): ChunkChannel {
    const signal = new Float64Array(pulseRateHz);
    if (!off) this.#addPulses(signal, startS, toFingerS, 1 + 0.08 * breath);
    const samples = this.#quantise(signal, plethGain, 0.004);
    return { metric: "pleth", rateHz: pulseRateHz, gain: plethGain, baseline: 0, samples };
  }

  #art(startS: number, { systolic, diastolic }: Vitals): ChunkChannel {
    const signal = new Float64Array(pulseRateHz).fill(diastolic);
    this.#addPulses(signal, startS, toArteryS, systolic - diastolic);
    const samples = this.#quantise(signal, artGain, 0.4);
    return { metric: "artWave", rateHz: pulseRateHz, gain: artGain, baseline: 0, samples };
  }

  #addPulses(signal: Float64Array, startS: number, delayS: number, scale: number): void {
    for (const { atS, perfused } of this.#beats)
      if (perfused)
        for (const bump of pulseBeat) addBump(signal, pulseRateHz, atS + delayS + bump.at - startS, bump, scale);
  }

  /** Steps of 1/gain, with noise of about this size from a random place of the table. */
  #quantise(signal: Float64Array, gain: number, noise: number): Int16Array {
    const samples = new Int16Array(signal.length);
    const from = Math.floor(this.#random.next() * noiseTable.length);
    for (let i = 0; i < signal.length; i++) {
      const disturbed = (signal[i] ?? 0) + noise * (noiseTable[(from + i) % noiseTable.length] ?? 0);
      samples[i] = Math.round(disturbed * gain);
    }
    return samples;
  }
}
