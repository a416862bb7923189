/**
 * One way to one address. Sends what the outbox has for it, the gravest first, a bounded number at a time, each with a time limit. One that
 * fails three times in a row is down: from then on it is tried with one sending at a time, further and further apart, and what has waited
 * for its limit is given up, so that somebody else is told.
 */
import { OperatingError } from "../../core/failure.ts";
import type { Notifier } from "../../io/notify/notifier.ts";
import type { Notification } from "../../../schemas/records/alert.ts";
import type { Priority } from "../../../schemas/priority.ts";
import type { LaneName, Outbox, Outcome, Sending } from "./outbox.ts";

export interface DispatchLimits {
  /** Under way to one address at a time. */
  readonly atOnce: number;
  /** Of one attempt. */
  readonly attemptMs: number;
  /** How long one is tried before somebody else is told in its place: well inside the minute in which a high one must be accepted. */
  readonly giveUpMs: Readonly<Record<Priority, number>>;
  /** The same of a delayed item or an end, in whose place nobody is told: they are worth trying for long. */
  readonly giveUpDelayedMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** So many failures in a row, and it is down. */
  readonly failuresUntilDown: number;
}

export const usualLimits: DispatchLimits = {
  atOnce: 8,
  attemptMs: 5_000,
  giveUpMs: { high: 15_000, medium: 60_000, low: 300_000 },
  giveUpDelayedMs: 24 * 3_600_000,
  firstPauseMs: 250,
  longestPauseMs: 5_000,
  failuresUntilDown: 3,
};

/** What an attempt showed of the way to its address. */
export interface Tried {
  readonly confirmed: boolean;
  /** Whether the address counts as down after it. */
  readonly down: boolean;
  readonly detail: string;
}

/** What is to be sent now in a notification's place (itself, as a rule); null: not yet. */
export type Revise = (notification: Notification, nowMs: number) => Notification | null;

export interface LaneOptions {
  readonly name: LaneName;
  /** Undefined where no notifier has that name: everything fails at once. */
  readonly notifier: Notifier | undefined;
  readonly outbox: Outbox;
  readonly limits: DispatchLimits;
  readonly now: () => number;
  readonly revise: Revise;
  readonly settled: (outcome: Outcome, sending: Sending) => void;
  /** An attempt was confirmed, or failed for want of an answer; what is refused for good says nothing of the way. */
  readonly onTried: (tried: Tried) => void;
  /** The outbox failed; it is asked again soon. */
  readonly onError: (error: unknown) => void;
}

const lookAgainMs = 200;
const outboxAgainMs = 500;

export class Lane {
  readonly #options: LaneOptions;
  readonly #underWay = new Map<number, AbortController>();
  /** Settled, and not yet in the outbox: the caller writes outcomes together. */
  readonly #settled = new Set<number>();
  #failures = 0;
  #notBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get down(): boolean {
    return this.#failures >= this.#options.limits.failuresUntilDown;
  }

  get idle(): boolean {
    return this.#underWay.size === 0 && this.#settled.size === 0 && this.#timer === undefined;
  }

  /** Sends what there is room for. Call when something was stored, and when outcomes have been written. */
  pump(): void {
    if (this.#closed) return;
    try {
      this.#pump();
    } catch (error) {
      this.#options.onError(error);
      this.#later(outboxAgainMs);
    }
  }

  #pump(): void {
    const { outbox, name, limits, now } = this.#options;
    const nowMs = now();
    if (this.#failures > 0) this.#giveUpOverdue(nowMs);
    const room = (this.down ? 1 : limits.atOnce) - this.#underWay.size;
    if (room <= 0) return;
    if (nowMs < this.#notBeforeMs) {
      this.#later(this.#notBeforeMs - nowMs);
      return;
    }
    const mine = this.#underWay.size + this.#settled.size;
    const found = outbox
      .next(name, nowMs, mine + room)
      .filter(({ row }) => !this.#underWay.has(row) && !this.#settled.has(row))
      .slice(0, room);
    for (const sending of found) this.#begin(sending, nowMs);
    if (this.#underWay.size > 0 || this.#settled.size > 0) return; // looks again when one of them is done
    const soonest = outbox.soonest(name, nowMs);
    if (soonest !== undefined) this.#later(soonest - nowMs);
  }

  /** The outcomes of these are in the outbox now. */
  written(rows: readonly number[]): void {
    for (const row of rows) this.#settled.delete(row);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const attempt of this.#underWay.values()) attempt.abort();
  }

  #begin(sending: Sending, nowMs: number): void {
    const { notifier, name, outbox, revise, limits } = this.#options;
    if (notifier === undefined) {
      this.#settle(sending, "failed", `no notifier is called ${name.notifier}`);
      return;
    }
    const told = revise(sending.notification, nowMs);
    if (told === null) {
      outbox.later(sending.row, nowMs + lookAgainMs);
      return;
    }
    const attempt = new AbortController();
    this.#underWay.set(sending.row, attempt);
    void this.#attempt(notifier, sending, told, attempt, limits.attemptMs).then(
      () => this.#confirmed(sending),
      (error: unknown) => this.#failed(sending, error),
    );
  }

  /** Rejects at the time limit even where the notifier does not heed its signal. */
  async #attempt(
    notifier: Notifier,
    { to }: Sending,
    told: Notification,
    attempt: AbortController,
    limitMs: number,
  ): Promise<void> {
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      attempt.abort();
      limit.reject(new OperatingError("notifier-hangs", `no answer within ${limitMs} ms`, { retry: true }));
    }, limitMs);
    try {
      await Promise.race([notifier.send(told, to, attempt.signal), limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #confirmed(sending: Sending): void {
    this.#underWay.delete(sending.row);
    if (this.#closed) return;
    this.#failures = 0;
    this.#notBeforeMs = 0;
    this.#options.onTried({ confirmed: true, down: false, detail: "it answers" });
    this.#settle(sending, "confirmed", "");
  }

  #failed(sending: Sending, error: unknown): void {
    this.#underWay.delete(sending.row);
    if (this.#closed) return;
    const { now, limits, onTried } = this.#options;
    const nowMs = now();
    const detail = error instanceof Error ? error.message : String(error);
    // a final no comes from somebody who answers: that one is told elsewhere, and the way stands
    const refused = error instanceof OperatingError && !error.retry;
    if (!refused) {
      this.#failures++;
      if (this.down) this.#notBeforeMs = nowMs + pauseMs(this.#failures - limits.failuresUntilDown, limits);
      onTried({ confirmed: false, down: this.down, detail });
    }
    const mayRetry = error instanceof OperatingError && error.retry;
    if (!mayRetry || nowMs - sending.storedMs >= this.#giveUpAfterMs(sending.notification))
      this.#settle(sending, "failed", detail);
    else {
      this.#again(sending, nowMs);
    }
  }

  /** Where the outbox can't be told, the whole address waits instead of the one. */
  #again({ row, attempts }: Sending, nowMs: number): void {
    const { outbox, limits, onError } = this.#options;
    try {
      outbox.again(row, nowMs + pauseMs(attempts, limits));
    } catch (error) {
      onError(error);
      this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + outboxAgainMs);
    }
    this.pump();
  }

  #giveUpAfterMs({ what, priority }: Notification): number {
    const { giveUpMs, giveUpDelayedMs } = this.#options.limits;
    return what === "delayed" || what === "ended" ? giveUpDelayedMs : giveUpMs[priority];
  }

  /** Where nothing gets through, those who wait behind are given up too. */
  #giveUpOverdue(nowMs: number): void {
    const { outbox, name, limits } = this.#options;
    const { giveUpMs } = limits;
    for (const { row, priority, storedMs } of outbox.waitingSince(name, nowMs - giveUpMs.high)) {
      if (this.#underWay.has(row) || this.#settled.has(row) || nowMs - storedMs < giveUpMs[priority]) continue;
      const sending = outbox.sending(row);
      if (sending !== undefined) this.#settle(sending, "failed", "given up: nothing got through there in its time");
    }
  }

  #settle(sending: Sending, outcome: Outcome["outcome"], detail: string): void {
    this.#settled.add(sending.row);
    this.#options.settled({ row: sending.row, outcome, detail, atMs: this.#options.now() }, sending);
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.pump();
      },
      Math.min(Math.max(ms, 1), 1_000),
    );
  }
}

const pauseMs = (times: number, { firstPauseMs, longestPauseMs }: DispatchLimits): number =>
  Math.min(firstPauseMs * 2 ** Math.min(times, 20), longestPauseMs);
