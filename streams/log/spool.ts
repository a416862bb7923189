/**
 * An appender that goes on while its log is away: what the log does not take within a moment becomes durable in a local spool, and is
 * appended from there, in order and before anything newer, once the log is back. At least once: after a crash, or after an append that
 * failed and had been stored all the same, the spool's first batch comes again.
 *
 * Such a repeat keeps its MQTT packet's own DUP flag. Marking it DUP would have `normalise` drop every undated reading that looks like one
 * of the last quarter of an hour in its session (clinical.md 11), which would lose true readings to spare some that are counted twice.
 * What carries a sequence or device time is known as a repeat without the mark.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../core/failure.ts";
import type { Append, Appender } from "./log.ts";
import { closed } from "./refusal.ts";
import type { SpoolFile, SpoolHead } from "./spool-file.ts";

export interface SpoolOptions {
  readonly appender: Appender;
  /** Closed with the spool. */
  readonly file: SpoolFile;
  /** The log does not take what it is given, or not in time, and from now on all goes to the spool. */
  readonly onAway: (error: unknown) => void;
  /** Still so: an append from the spool failed, or the spool's own file did. It is repeated. */
  readonly onError: (error: unknown) => void;
  /** The log has all that was spooled: from now on it is asked first again. */
  readonly onBack: () => void;
  /** Until then nothing is appended, all is spooled: for a log that others must write to first. */
  readonly ready?: Promise<unknown>;
  /** How long the log may take before what it was given goes to the spool as well. */
  readonly patienceMs?: number;
}

const batchMost = { messages: 2_000, bytes: 512 * 1024 };
const retryPauseMs = 250;
const usualPatienceMs = 250;

/** For one caller, who makes one append at a time, as RawIntake does. */
export class Spool implements Appender {
  readonly #options: SpoolOptions;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();
  /** While something is spooled, all goes behind it. */
  #spooling = false;
  #draining: Promise<void> = Promise.resolve();
  readonly #failure = Promise.withResolvers<never>();

  /** Begins at once to append what an earlier run left. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? usualPatienceMs;
    this.#failure.promise.catch(() => undefined); // whoever waits for it is told
    if (options.file.records > 0 || options.ready !== undefined) this.#beginDraining();
  }

  /** Rejects when an append from the spool met a broken invariant: the spool keeps what it has, and nothing is drained any more. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * Resolves once the records are durable in the log or in the spool. Codes: `spool-unavailable` (retryable) when neither takes them;
   * what the log refuses for good while nothing is spooled; `closed`.
   */
  async append(records: readonly Append[]): Promise<void> {
    if (this.#closing.signal.aborted) throw closed("the spool");
    const { appender, file, onAway } = this.#options;
    if (this.#spooling) {
      file.put(records);
      return;
    }
    const direct = appender.append(records);
    const trouble = await this.#troubleOf(direct);
    if (trouble === undefined) return;
    if (!(trouble instanceof OperatingError && trouble.retry)) throw trouble;
    if (this.#closing.signal.aborted) return direct;
    const lastId = file.put(records);
    onAway(trouble);
    this.#beginDraining({ direct, head: { records, lastId } });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#options.appender.close();
    await this.#draining;
    this.#options.file.close();
  }

  /** What the append failed with, or that it takes too long; undefined once it is done. */
  async #troubleOf(direct: Promise<void>): Promise<unknown> {
    const done = new AbortController();
    const late = sleep(this.#patienceMs, undefined, { signal: done.signal }).then(
      () => new OperatingError("log-unavailable", `raw log: no answer within ${this.#patienceMs} ms`, { retry: true }),
      () => undefined,
    );
    const trouble = await Promise.race([
      direct.then(
        () => undefined,
        (error: unknown) => error ?? new Error("rejected without a reason"),
      ),
      late,
    ]);
    done.abort();
    return trouble;
  }

  #beginDraining(underWay?: { readonly direct: Promise<void>; readonly head: SpoolHead }): void {
    this.#spooling = true;
    this.#draining = this.#drain(underWay).catch((error: unknown) => this.#failure.reject(error));
  }

  /** Until nothing is left; the log is asked first again from that moment on. */
  async #drain(underWay?: { readonly direct: Promise<void>; readonly head: SpoolHead }): Promise<void> {
    const { appender, file, onBack, onError, ready } = this.#options;
    await Promise.race([ready, aborted(this.#closing.signal)]);
    // the log may take it yet; what is told of its failure was told
    if (underWay !== undefined) await this.#carry(underWay.head, underWay.direct, () => undefined);
    while (!this.#closing.signal.aborted) {
      const head = file.first(batchMost);
      if (head !== undefined) await this.#carry(head, appender.append(head.records), onError);
      else {
        this.#spooling = false;
        onBack();
        return;
      }
    }
  }

  /** Forgets the head once the log has it; after a failure waits a moment, and it stays. */
  async #carry(head: SpoolHead, append: Promise<void>, onError: (error: unknown) => void): Promise<void> {
    try {
      await append;
    } catch (error) {
      // what the log refuses for good stays too: a listener that ended for it would be deaf for the circuit and for every other device
      if (!(error instanceof OperatingError)) throw error;
      if (this.#closing.signal.aborted) return;
      onError(error);
      await this.#pause();
      return;
    }
    await this.#forget(head);
  }

  /** Appending it once more because the spool's disk is in trouble would repeat it for nothing. */
  async #forget(head: SpoolHead): Promise<void> {
    for (;;)
      try {
        this.#options.file.remove(head);
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#options.onError(error);
        await this.#pause();
      }
  }

  async #pause(): Promise<void> {
    await sleep(retryPauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
