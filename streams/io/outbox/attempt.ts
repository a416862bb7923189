/**
 * What one kind of destination must be able to do: try one intent once, and say whether it is there. Everything else (order, pauses,
 * giving up, what is said back into the log) is the same for all of them and stands in this folder.
 */
import type { Delivery, Intent } from "../../../schemas/records/clinical.ts";

/** Settled: it goes into clinical.deliveries and is not tried again. */
export interface Outcome {
  readonly outcome: Delivery["outcome"];
  readonly detail: string;
  readonly versionId: string | null;
  /** Of `alreadyThere`: this very revision was disclosed there, by a try of which nothing may have come into the log. */
  readonly taken?: boolean;
}

/** Not settled: to be tried again. */
export interface Unsettled {
  /** In words, for whoever reads why it is late. */
  readonly again: string;
  /** How long the destination asks to be left alone; null where it doesn't. */
  readonly afterMs: number | null;
  /**
   * `destination`: it is down or busy, whatever it is asked. `way`: credentials or an address, which a person has to mend. `intent`: it
   * answered, and failed on this one. `unsure`: no answer came to what was sent.
   */
  readonly whose: "destination" | "way" | "intent" | "unsure";
}

export type Attempt = Outcome | Unsettled;

export const isUnsettled = (attempt: Attempt): attempt is Unsettled => "again" in attempt;

export const refused = (detail: string): Outcome => ({ outcome: "refused", detail, versionId: null });
/** What a destination has already, or never had so that there is nothing to take back. */
export const alreadyThere = (detail: string, versionId: string | null = null, taken = false): Outcome => ({
  outcome: "alreadyThere",
  detail,
  versionId,
  taken,
});
export const unsettled = (whose: Unsettled["whose"], again: string, afterMs: number | null = null): Unsettled => ({
  again,
  afterMs,
  whose,
});

export interface Trying {
  /** Where it stands in the outbox: the same in every try of it, and another when a person has it sent again. */
  readonly at: string;
  /** True once an earlier try may have reached the destination. */
  readonly sentBefore: boolean;
  /**
   * Asks for consent. To be called immediately before what is sent, in every try; gives what to return instead of sending, or null: send.
   * A retraction is always permitted, for it discloses nothing (clinical.md 10).
   */
  readonly withheld: () => Promise<Outcome | null>;
  /** Aborted when the destination is closed: what is on its way is given up, and comes again with the next start. */
  readonly signal: AbortSignal;
}

export interface Adapter {
  /** One try. Rejects only with what can't be (a defect). */
  attempt(intent: Intent, trying: Trying): Promise<Attempt>;
  /** True where it reads what stands before it writes: then a retraction of what was never written is found by itself. */
  readonly readsBack: boolean;
  /** True where the destination answers at all, without giving it anything. Never rejects. */
  probe(signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** Asked immediately before each write; a refusal withholds it. */
export type ConsentCheck = (intent: Intent) => Promise<{ passed: boolean; reason: string; detail: string }>;
