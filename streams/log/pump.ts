/**
 * Carries one partition's records to its handler for as long as this process has the partition: open, read, process;
 * after a rejection close, pause and open again at the handler's own offset.
 */
import { OperatingError } from "../core/failure.ts";
import type { PartitionHandler, Reader } from "./log.ts";
import { pause, type Timer } from "./signal.ts";

export interface PumpOptions {
  readonly handler: PartitionHandler;
  read(from: number | "start"): Promise<Reader>;
  readonly timer: Timer;
  /** Told of an error after which the subscription must not go on. */
  onFatal(error: unknown): void;
}

const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** A new claim cures these although the same call never succeeds. */
const curedByClaim = new Set(["fenced", "commit-unsure"]);

/** Defects, broken invariants and operating errors that no repetition cures. */
export const isFatal = (error: unknown): boolean =>
  !(error instanceof OperatingError) || !(error.retry || curedByClaim.has(error.code));

export class Pump {
  readonly #options: PumpOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #reader: Reader | undefined;
  #failures = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  get stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Closes the handler at once; resolves when nothing of it runs any more. Never rejects. */
  async stop(): Promise<void> {
    if (!this.stopping) {
      this.#stop.abort();
      await Promise.all([this.#closeHandler(), this.#closeReader()]);
    }
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.#carry();
      } catch (error) {
        // Of what is being closed, a call that comes too late is no news; a defect is.
        if (!(this.stopping && error instanceof OperatingError)) this.#options.handler.failed?.(error);
        if (this.stopping) break;
        if (isFatal(error)) {
          this.#stop.abort();
          this.#options.onFatal(error);
          break;
        }
      }
      await this.#closeReader();
      if (this.stopping) break;
      await this.#closeHandler();
      const pauseMs = Math.min(firstPauseMs * 2 ** this.#failures++, longestPauseMs);
      await pause(pauseMs, this.#options.timer, this.#stop.signal);
    }
    await this.#closeReader();
    await this.#closeHandler();
  }

  async #carry(): Promise<void> {
    const from = await this.#options.handler.open();
    if (this.stopping) return;
    const reader = await this.#options.read(from === 0 ? "start" : from);
    this.#reader = reader;
    while (!this.stopping) {
      const records = await reader.next(Number.POSITIVE_INFINITY);
      if (this.stopping || records.length === 0) continue;
      await this.#options.handler.process(records);
      this.#failures = 0;
    }
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      await reader?.close();
    } catch (error) {
      this.#options.handler.failed?.(error);
      this.#options.onFatal(error);
    }
  }

  async #closeHandler(): Promise<void> {
    try {
      await this.#options.handler.close();
    } catch (error) {
      this.#options.handler.failed?.(error);
      this.#options.onFatal(error);
    }
  }
}
