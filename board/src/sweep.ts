/** Plays waveform chunks the way a monitor does: a trace that sweeps from left to right and is overwritten behind a gap. No DOM. */
import type { WaveView } from "../../schemas/board.ts";

export const sweepMs = 6_000;
const keptMs = 2 * sweepMs;
/** The newest sample is shown this much late, so that the next chunk arrives before it is needed. */
const delayMs = 1_300;
/** Further behind than this, the sweep jumps. */
const jumpMs = 4_000;
/** Faster than this there is nothing for an eye to follow. */
const fastest = 4;

interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly stepMs: number;
  readonly samples: readonly number[];
}

export interface Lane {
  readonly metric: string;
  readonly display: string;
  readonly chunks: Chunk[];
}

export class Sweep {
  readonly lanes = new Map<string, Lane>();
  /** Ward time up to which it has been played. */
  playedTo = 0;
  #newest = 0;

  add(wave: WaveView): void {
    const lane = this.lanes.get(wave.metric) ?? { metric: wave.metric, display: wave.display, chunks: [] };
    this.lanes.set(wave.metric, lane);
    const stepMs = 1000 / wave.rateHz;
    const chunk = { start: wave.start, end: wave.start + wave.samples.length * stepMs, stepMs, samples: wave.samples };
    const last = lane.chunks.at(-1);
    if (last !== undefined && chunk.start < last.start) return;
    lane.chunks.push(chunk);
    this.#newest = Math.max(this.#newest, chunk.end);
    while ((lane.chunks[0]?.end ?? Infinity) < this.#newest - keptMs) lane.chunks.shift();
  }

  /** Moves on by real milliseconds at the ward's speed; never past what has arrived. */
  advance(passedMs: number, speed: number): void {
    const target = this.#newest - delayMs;
    if (this.playedTo === 0 || target - this.playedTo > jumpMs * Math.max(1, speed)) this.playedTo = target;
    this.playedTo = Math.min(this.#newest, this.playedTo + passedMs * Math.min(fastest, Math.max(speed, 0)));
  }

  /** Ward time of the newest sample of a lane. */
  newestOf(metric: string): number {
    return this.lanes.get(metric)?.chunks.at(-1)?.end ?? 0;
  }
}

/** The value range of a lane's samples, with a little air. */
export const extent = (lane: Lane): readonly [number, number] => {
  let [least, most] = [Infinity, -Infinity];
  for (const { samples } of lane.chunks)
    for (const sample of samples) {
      if (sample < least) least = sample;
      if (sample > most) most = sample;
    }
  if (!(most > least)) return [least - 1, least + 1];
  const air = (most - least) * 0.08;
  return [least - air, most + air];
};
