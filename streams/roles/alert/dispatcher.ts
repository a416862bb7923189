/**
 * Brings what the outbox holds to people: a lane for each address, so that one that hangs delays no other. What became of each is written
 * down first and then told to the log, in which it may appear twice after a crash, and never not.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Notifier } from "../../io/notify/notifier.ts";
import { type DispatchLimits, Lane, type Revise, type Tried, usualLimits } from "./lane.ts";
import type { LaneName, Outbox, Outcome, Sending, Unreported } from "./outbox.ts";

export interface DispatcherOptions {
  readonly outbox: Outbox;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Wall clock in ms. */
  readonly now: () => number;
  readonly limits?: DispatchLimits;
  readonly revise?: Revise;
  /** Resolves once the log has them. Tried again until it does. */
  readonly report: (outcomes: readonly Unreported[]) => Promise<void>;
  readonly onOutcome: (outcome: Outcome, sending: Sending) => void;
  /** What an attempt showed of the way to that address. */
  readonly onTried: (lane: LaneName, tried: Tried) => void;
  readonly onError: (error: unknown) => void;
}

const reportMost = 200;
const againMs = 500;
const keepToldMs = 7 * 24 * 3_600_000;
const pruneEveryMs = 3_600_000;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, { readonly name: LaneName; readonly lane: Lane }>();
  readonly #stop = new AbortController();
  #outcomes: Outcome[] = [];
  #writing = false;
  #reporting: Promise<void> | undefined;
  #prune: NodeJS.Timeout | undefined;
  readonly #again = new Set<NodeJS.Timeout>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Takes up what waits from before. */
  start(): void {
    this.wake();
    this.#report();
    const { outbox, now, onError } = this.#options;
    this.#prune = setInterval(() => {
      try {
        outbox.prune(now() - keepToldMs);
      } catch (error) {
        onError(error); // at the next hour, then
      }
    }, pruneEveryMs);
  }

  /** Something was stored. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    try {
      for (const name of this.#options.outbox.lanes()) this.#laneOf(name).pump();
    } catch (error) {
      this.#failed(error, () => this.wake());
    }
  }

  /** Addresses that nothing gets through to now. */
  down(): readonly LaneName[] {
    return [...this.#lanes.values()].filter(({ lane }) => lane.down).map(({ name }) => name);
  }

  /** Sends nothing any more; resolves when the outcomes there are have been written. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#prune);
    for (const timer of this.#again) clearTimeout(timer);
    for (const { lane } of this.#lanes.values()) lane.close();
    this.#write();
    await this.#reporting;
  }

  #laneOf(name: LaneName): Lane {
    return this.#lanes.getOrInsertComputed(`${name.notifier}\u0000${name.to}`, () => {
      const { outbox, notifiers, now, limits = usualLimits, revise = (told) => told } = this.#options;
      const lane = new Lane({
        name,
        notifier: notifiers.get(name.notifier),
        outbox,
        limits,
        now,
        revise,
        settled: (outcome, sending) => this.#settled(outcome, sending),
        onTried: (tried) => this.#tried(name, tried),
        onError: this.#options.onError,
      });
      return { name, lane };
    }).lane;
  }

  #tried(name: LaneName, tried: Tried): void {
    try {
      this.#options.onTried(name, tried);
    } catch (error) {
      this.#options.onError(error); // what became of the attempt counts all the same
    }
  }

  #settled(outcome: Outcome, sending: Sending): void {
    this.#outcomes.push(outcome);
    this.#options.onOutcome(outcome, sending);
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => this.#write());
  }

  /** All that were settled in one turn of the event loop, in one transaction. */
  #write(): void {
    this.#writing = false;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    if (outcomes.length === 0) return;
    try {
      this.#options.outbox.settle(outcomes);
    } catch (error) {
      this.#outcomes = [...outcomes, ...this.#outcomes];
      this.#writing = true;
      this.#failed(error, () => this.#write());
      return;
    }
    const rows = outcomes.map(({ row }) => row);
    for (const { lane } of this.#lanes.values()) lane.written(rows);
    this.#report();
    for (const { lane } of this.#lanes.values()) lane.pump();
  }

  /** A disk that is full or a file that is locked ends nobody's alarms: it is tried again. */
  #failed(error: unknown, again: () => void): void {
    this.#options.onError(error);
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      again();
    }, againMs);
    this.#again.add(timer);
  }

  #report(): void {
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = undefined;
    });
  }

  async #reportAll(): Promise<void> {
    const { outbox, report, onError } = this.#options;
    for (;;) {
      try {
        const outcomes = outbox.unreported(reportMost);
        if (outcomes.length === 0) return;
        await report(outcomes);
        outbox.reported(outcomes.map(({ row }) => row));
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        onError(error);
        await sleep(againMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }
}
