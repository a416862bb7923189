/** The ward's log time as the board has seen it: how fast it goes, and whether it stands still. */

const rateOverMs = 10_000;
const stalledAfterMs = 5_000;

interface Reading {
  readonly nowMs: number;
  readonly logTime: number;
}

export class WardClock {
  readonly #readings: Reading[] = [];
  #logTime = 0;
  #movedAtMs: number;

  /** `startMs`: wall clock when the board began to look. */
  constructor(startMs: number) {
    this.#movedAtMs = startMs;
  }

  get logTime(): number {
    return this.#logTime;
  }

  tick(logTime: number): void {
    this.#logTime = Math.max(this.#logTime, logTime);
  }

  /** To be called about once a second, only while the board is not catching up with old records. */
  read(nowMs: number): void {
    const last = this.#readings.at(-1);
    if (last === undefined || this.#logTime > last.logTime) this.#movedAtMs = nowMs;
    this.#readings.push({ nowMs, logTime: this.#logTime });
    while ((this.#readings[0]?.nowMs ?? nowMs) < nowMs - rateOverMs) this.#readings.shift();
  }

  /** Log seconds per second over the last 10 s; 0 while that is not known. */
  speed(): number {
    const [first, last] = [this.#readings[0], this.#readings.at(-1)];
    if (first === undefined || last === undefined || first === last || first.logTime === 0) return 0;
    return (last.logTime - first.logTime) / (last.nowMs - first.nowMs);
  }

  /** Wall clock since which log time has stood still; null while it runs. */
  stalledSince(nowMs: number): number | null {
    return nowMs - this.#movedAtMs > stalledAfterMs ? this.#movedAtMs : null;
  }
}
