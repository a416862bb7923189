/** How long to wait before the next try: doubling, spread by chance so that many that failed together do not come back together. */

/** The time and the chance of a destination, so that tests decide both. */
export interface Waiting {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Rejects with the signal's reason once it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to under 1. */
  random(): number;
}

export interface Pauses {
  /** Before the second try. */
  readonly firstMs: number;
  /** However long a destination asks for or how often it failed, no longer than this. */
  readonly mostMs: number;
}

/** Between half and the whole of the doubled pause, as `chance` (0 to 1) has it; never under what the destination asked for, unless that is more than the most. */
export const pauseBefore = (failures: number, asked: number | null, pauses: Pauses, chance: number): number => {
  const doubled = Math.min(pauses.firstMs * 2 ** Math.max(0, failures - 1), pauses.mostMs);
  const spread = doubled / 2 + (doubled / 2) * chance;
  return Math.min(Math.max(spread, asked ?? 0), pauses.mostMs);
};
