/**
 * Whether one intent hangs by itself: no try of it has an answer, the destination lives whenever it is asked, and nothing else is tried there
 * whose fate would show whose fault it is. What is tried beside it and hangs too makes it the destination's fault.
 */
import type { Adapter } from "./attempt.ts";
import type { Breaker } from "./breaker.ts";
import type { Waiting } from "./pauses.ts";

export interface Alone {
  readonly sinceMs: number;
  /** Tries of others so far. */
  readonly others: number;
}

interface Around {
  readonly adapter: Adapter;
  readonly breaker: Breaker;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
}

/** After a try without an answer, of `tries` of its own. Null: the destination does not live. One that was not alone any more begins anew. */
export const stillAlone = async (before: Alone | null, tries: number, around: Around): Promise<Alone | null> => {
  const { adapter, breaker, waiting, signal } = around;
  const others = breaker.tries - tries;
  if (!(await adapter.probe(signal))) return null;
  return before?.others === others ? before : { sinceMs: waiting.now(), others };
};
