/**
 * The circuit breaker of one destination. After so many failures in a row nothing is sent to it any more; then, after a pause that grows,
 * one try at a time goes through as a probe, in the order in which they asked. The first that is answered lets all others go on.
 */
import { type Pauses, pauseBefore, type Waiting } from "./pauses.ts";

/** up: all may try; down: nobody may; probing: one try is on its way. */
export type DestinationState = "up" | "probing" | "down";

export interface BreakerOptions {
  /** It opens after this many in a row. */
  readonly failuresMost: number;
  readonly pauses: Pauses;
  readonly waiting: Waiting;
  readonly onState: (state: DestinationState) => void;
  /** It answered, whatever it said. */
  readonly onAnswer: () => void;
}

/** What a try reports when it is over: exactly once. */
export interface Pass {
  /** The destination answered, whatever it said. */
  answered(): void;
  /** It is away; `askedMs`: how long it asks to be left alone. */
  failed(askedMs: number | null): void;
}

export class Breaker {
  readonly #options: BreakerOptions;
  #state: DestinationState = "up";
  #failures = 0;
  #openings = 0;
  #probeAt = 0;
  #answers = 0;
  #tries = 0;
  readonly #queue: object[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(options: BreakerOptions) {
    this.#options = options;
    options.onState("up");
  }

  get state(): DestinationState {
    return this.#state;
  }

  /** How often it answered so far. */
  get answers(): number {
    return this.#answers;
  }

  /** How many tries are over, whoever's and however they went. */
  get tries(): number {
    return this.#tries;
  }

  /** A pass, or null where none was to be had within `patienceMs`. Rejects when the signal is aborted. */
  async admit(patienceMs: number, signal: AbortSignal): Promise<Pass | null> {
    if (this.#state === "up" && !signal.aborted) return this.#pass(false);
    const { waiting } = this.#options;
    const until = waiting.now() + patienceMs;
    const me = {};
    this.#queue.push(me);
    const settled = new AbortController();
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#state === "up") return this.#pass(false);
        const left = until - waiting.now();
        if (this.#state === "down" && this.#queue[0] === me && waiting.now() >= this.#probeAt) {
          this.#become("probing");
          return this.#pass(true);
        }
        if (left <= 0) return null;
        const waitMs =
          this.#state === "down" && this.#queue[0] === me ? Math.max(0, this.#probeAt - waiting.now()) : left;
        await Promise.race([
          waiting.sleep(Math.min(left, waitMs), AbortSignal.any([signal, settled.signal])),
          this.#changed.promise,
        ]);
      }
    } finally {
      settled.abort();
      this.#queue.splice(this.#queue.indexOf(me), 1);
      this.#wake();
    }
  }

  /** It was heard to live without a try: the next one need not wait. */
  heard(): void {
    if (this.#state !== "down") return;
    this.#probeAt = this.#options.waiting.now();
    this.#wake();
  }

  #pass(isProbe: boolean): Pass {
    let over = false;
    const once = (does: () => void): void => {
      if (over) return;
      over = true;
      this.#tries++;
      does();
    };
    return {
      answered: () => once(() => this.#answered()),
      failed: (askedMs) => once(() => this.#failed(isProbe, askedMs)),
    };
  }

  #answered(): void {
    this.#answers++;
    this.#options.onAnswer();
    this.#failures = 0;
    this.#openings = 0;
    this.#become("up");
  }

  #failed(isProbe: boolean, askedMs: number | null): void {
    // one that was on its way when it opened says nothing new
    if (this.#state !== "up" && !isProbe) return;
    this.#failures++;
    const asks = askedMs !== null && askedMs > 0;
    if (this.#state === "up" && this.#failures < this.#options.failuresMost && !asks) return;
    const { pauses, waiting } = this.#options;
    this.#openings++;
    this.#probeAt = waiting.now() + pauseBefore(this.#openings, askedMs, pauses, waiting.random());
    this.#become("down");
  }

  #become(state: DestinationState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState(state);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
