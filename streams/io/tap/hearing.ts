/**
 * Whether a listener is heard of at the circuit's end of the tap: it says each second that it is there. Silence is measured by this process's own
 * turns, so that one that was stopped or busy itself does not take its own sleep for the other's silence.
 */
export interface HearingOptions {
  /** At each change, and once at the start of either. */
  readonly onStanding: (up: boolean, detail: string) => void;
  /** Silent for longer, and it is away. */
  readonly silentMs_max?: number;
  /** At a start both may be on their way up. */
  readonly firstMs_max?: number;
}

export interface Hearing {
  heard(): void;
  /** False until it was heard for the first time. */
  there(): boolean;
  close(): void;
}

const usualSilentMs = 3_000;
const usualFirstMs = 10_000;
const lookEveryMs = 250;
/** A turn that took longer was this process's own sleep. */
const turnMs_max = 2 * lookEveryMs;

export const hearing = (options: HearingOptions): Hearing => {
  const { onStanding, silentMs_max = usualSilentMs, firstMs_max = usualFirstMs } = options;
  let there: boolean | undefined;
  let silentMs = 0;
  let lookedMs = performance.now();
  const look = setInterval(() => {
    const nowMs = performance.now();
    silentMs += Math.min(nowMs - lookedMs, turnMs_max);
    lookedMs = nowMs;
    if (there === false || silentMs <= (there === undefined ? firstMs_max : silentMs_max)) return;
    const since = there === undefined ? "since the start" : `for ${(silentMs / 1_000).toFixed(1)} s`;
    there = false;
    onStanding(false, `the listener has given no sign of life ${since}`);
  }, lookEveryMs);
  return {
    heard: () => {
      silentMs = 0;
      if (there === true) return;
      there = true;
      onStanding(true, "the listener gives signs of life");
    },
    there: () => there === true,
    close: () => clearInterval(look),
  };
};
