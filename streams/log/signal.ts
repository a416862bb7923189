/** Waking whoever waits for something to change, with or without a limit of time. */

/** Calls `fire` after `ms` unless cancelled. The simulator passes its own. */
export type Timer = (ms: number, fire: () => void) => () => void;

export const realTimer: Timer = (ms, fire) => {
  const timeout = setTimeout(fire, ms);
  return () => clearTimeout(timeout);
};

/** Resolves after `ms` of the timer, or at once when the signal is aborted. */
export const pause = (ms: number, timer: Timer, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const cancel = timer(ms, () => {
      stop.removeEventListener("abort", end);
      resolve();
    });
    const end = (): void => {
      cancel();
      resolve();
    };
    stop.addEventListener("abort", end, { once: true });
  });

/** A change that others wait for. Says nothing about what changed: they look again. */
export class Signal {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  get waited(): boolean {
    return this.#waiting.size > 0;
  }

  /** What `look` finds, now or after a notification; undefined when `waitMs` (Infinity: no limit, no timer) have passed without. */
  async wait<T>(look: () => T | undefined, waitMs: number, timer: Timer): Promise<T | undefined> {
    const first = look();
    if (first !== undefined || waitMs <= 0) return first;
    let expired = false;
    let wake = (): void => {};
    const cancel = Number.isFinite(waitMs)
      ? timer(waitMs, () => {
          expired = true;
          wake();
        })
      : () => {};
    try {
      for (;;) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#waiting.add(resolve);
        });
        const found = look();
        if (found !== undefined || expired) return found;
      }
    } finally {
      this.#waiting.delete(wake);
      cancel();
    }
  }
}
