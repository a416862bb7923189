/**
 * Brings one intent to its end at one destination: waits its turn at the breaker, tries, pauses and tries again, until it is settled, or
 * parked because the destination takes others and not this one. What is only down is waited for and never parked.
 */
import type { Intent } from "../../../schemas/records/clinical.ts";
import { OperatingError } from "../../core/failure.ts";
import { type Alone, stillAlone } from "./alone.ts";
import {
  type Adapter,
  alreadyThere,
  type ConsentCheck,
  isUnsettled,
  type Outcome,
  refused,
  type Unsettled,
} from "./attempt.ts";
import type { Breaker } from "./breaker.ts";
import { type Pauses, pauseBefore, type Waiting } from "./pauses.ts";
import { type Standing, unsure } from "./standing.ts";

export interface SettleOptions {
  readonly destination: string;
  readonly adapter: Adapter;
  readonly breaker: Breaker;
  readonly consent: ConsentCheck;
  readonly waiting: Waiting;
  readonly pauses: Pauses;
  /** Tries of one intent, each answered with a fault of its own by a destination that is well, before it is parked. */
  readonly triesMost: number;
  /** How long one call waits for a destination that is down, before it says so. */
  readonly patienceMs: number;
  /** How long one may go without an answer while the destination lives and nothing else is tried there, before it is parked. */
  readonly aloneMostMs: number;
  readonly signal: AbortSignal;
}

/** What is remembered of an intent over calls that rejected. */
export interface Efforts {
  /** The place in the outbox of what they are about. */
  readonly at: string;
  tries: number;
  sent: boolean;
  /** A try had no answer: whatever is said later, it may be there. */
  unsure: boolean;
  /** Not tried again before this time. */
  notBefore: number;
  /** What the breaker had counted as answers when this one failed last. */
  answersThen: number;
  /** Failures between which others were answered. */
  failedAmid: number;
  /** Since when it has hung by itself; null: it does not. */
  alone: Alone | null;
}

export const noEfforts = (at: string): Efforts => ({
  at,
  tries: 0,
  sent: false,
  unsure: false,
  notBefore: 0,
  answersThen: 0,
  failedAmid: 0,
  alone: null,
});

/** What the log knows makes some writes wrong before the destination is asked. Null: it may be tried. */
export const superseded = (intent: Intent, standing: Standing, readsBack: boolean): Outcome | null => {
  if (standing.newest !== null && standing.newest > intent.revision)
    return alreadyThere(`superseded: revision ${standing.newest} was settled after it`);
  if (intent.resentBy !== null && standing.written === intent.revision)
    return alreadyThere("sent again, and taken since: nothing is left to do");
  if (intent.action === "retract" && !standing.mayStand && !readsBack)
    return alreadyThere("nothing to take back: no revision of it was ever taken there");
  return null;
};

/**
 * Rejects with OperatingError, to be called again with the same efforts: `destination-down`, `destination-misconfigured` (nothing could be
 * settled in its patience), `closed`.
 */
export const settle = async (intent: Intent, efforts: Efforts, options: SettleOptions): Promise<Outcome> => {
  const { waiting, signal } = options;
  const until = waiting.now() + options.patienceMs;
  let last: Unsettled | undefined;
  try {
    for (;;) {
      const pause = Math.min(efforts.notBefore, until) - waiting.now();
      if (pause > 0) await waiting.sleep(pause, signal);
      if (efforts.notBefore > until) throw notSettled(options, last);
      const result = await tryOnce(intent, efforts, options, Math.max(0, until - waiting.now()));
      if (result === null) throw notSettled(options, last);
      if (!isUnsettled(result)) return withDoubt(result, efforts, options.adapter);
      last = result;
    }
  } catch (error) {
    if (signal.aborted && !(error instanceof OperatingError)) throw closed(options, error);
    throw error;
  }
};

/** Null where the breaker lets nobody through. */
const tryOnce = async (
  intent: Intent,
  efforts: Efforts,
  options: SettleOptions,
  patienceMs: number,
): Promise<Outcome | Unsettled | null> => {
  const { adapter, breaker, signal, waiting, pauses } = options;
  const pass = await breaker.admit(patienceMs, signal);
  if (pass === null) return null;
  const sentBefore = efforts.sent;
  const withheld = async (): Promise<Outcome | null> => {
    const refusal = intent.action === "retract" ? null : await withheldBy(options.consent, intent);
    if (refusal === null) efforts.sent = true;
    return refusal;
  };
  let attempt: Outcome | Unsettled;
  try {
    attempt = await adapter.attempt(intent, { at: efforts.at, sentBefore, withheld, signal });
  } catch (error) {
    pass.failed(null);
    throw error;
  }
  const { whose } = isUnsettled(attempt) ? attempt : { whose: "intent" as const };
  if (whose === "intent") pass.answered();
  else pass.failed(isUnsettled(attempt) ? attempt.afterMs : null);
  if (!isUnsettled(attempt)) return attempt;
  efforts.tries++;
  efforts.unsure ||= whose === "unsure" && efforts.sent;
  if (breaker.answers > efforts.answersThen && efforts.tries > 1) efforts.failedAmid++;
  efforts.answersThen = breaker.answers;
  const mayHang = attempt.whose === "unsure" && efforts.tries >= options.triesMost;
  efforts.alone = mayHang ? await stillAlone(efforts.alone, efforts.tries, options) : null;
  efforts.notBefore = waiting.now() + pauseBefore(efforts.tries, attempt.afterMs, pauses, waiting.random());
  return (await parked(attempt, efforts, options)) ?? attempt;
};

const withheldBy = async (consent: ConsentCheck, intent: Intent): Promise<Outcome | null> => {
  const { passed, reason, detail } = await consent(intent);
  return passed ? null : { outcome: "withheld", detail: `${reason}: ${detail}`, versionId: null };
};

/** Where one intent would else hold all others for ever: it fails while the destination is well, or takes others, or lives and has no other. */
const parked = async (attempt: Unsettled, efforts: Efforts, options: SettleOptions): Promise<Outcome | null> => {
  const { tries } = efforts;
  const because =
    attempt.whose !== "intent"
      ? hangs(efforts, options)
      : tries >= options.triesMost && (await options.adapter.probe(options.signal))
        ? "the destination is well"
        : null;
  return because === null ? null : refused(`${attempt.again} (${tries} tries, ${because})`);
};

const hangs = ({ failedAmid, alone }: Efforts, { triesMost, waiting, aloneMostMs }: SettleOptions): string | null => {
  if (failedAmid >= 2 * triesMost) return "others were taken meanwhile";
  if (alone === null || waiting.now() - alone.sinceMs < aloneMostMs) return null;
  return `alone for ${Math.round(aloneMostMs / 60_000)} min, the destination lives`;
};

/** Who does not read what stands there can't know what became of a try without an answer: a later retraction must be sent. */
const withDoubt = (outcome: Outcome, { unsure: doubt }: Efforts, { readsBack }: Adapter): Outcome =>
  doubt && !readsBack && (outcome.outcome === "refused" || outcome.outcome === "withheld")
    ? { ...outcome, detail: `${unsure}${outcome.detail}` }
    : outcome;

const notSettled = ({ destination }: SettleOptions, last: Unsettled | undefined): OperatingError =>
  new OperatingError(
    last?.whose === "way" ? "destination-misconfigured" : "destination-down",
    `${destination}: ${last?.again ?? "nothing is sent there until it answers again"}`,
    { retry: true },
  );

const closed = ({ destination }: SettleOptions, cause: unknown): OperatingError =>
  new OperatingError("closed", `${destination}: closed before it was settled`, { retry: true, cause });
