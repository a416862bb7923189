/**
 * Candidates that consent alone kept from being promoted, kept for as long as they may still be: when a consent becomes known in
 * time they are judged anew. A denial is an answer, and keeps nothing waiting.
 */
import type { Candidate, GateAnswer } from "../../schemas/records/clinical.ts";
import type { Withheld } from "../../schemas/records/consent.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { answer, objection } from "./answer.ts";
import { type GateState, writtenOf } from "./cells.ts";
import type { Verdict } from "./promotable.ts";
import { stands, writtenCell } from "./retraction.ts";

/** How long after the first refusal a consent may still become known, unless told otherwise. */
export const usualPendingMs = 24 * 3_600_000;
/** Of one patient; the oldest makes room. */
const pendingMost = 200;
/** A period may begin, or an override, without any record that says so: each multiple of this (log time) they are looked at. */
const lookAgainMs = 300_000;

/** One cell for each destination and identity: the newest revision of what waits. */
export interface Pending {
  readonly kind: "pending";
  readonly destination: string;
  readonly candidate: Candidate;
  /** Log time of the first refusal. */
  readonly since: number;
  readonly reason: string;
}

const pendingCell = (destination: string, identity: string): string =>
  `pending/${JSON.stringify([destination, identity])}`;

/** The consent's refusal, where nothing else refuses and it may yet be mended. */
const waitsFor = ({ answers }: Verdict): GateAnswer | undefined => {
  const [refusal, ...others] = answers.filter(({ passed }) => !passed);
  return others.length === 0 && refusal?.gate === "consented" && refusal.reason !== "consent-denied"
    ? refusal
    : undefined;
};

/** What waits, the oldest event first. */
export const pendingIn = (state: GateState): readonly Pending[] =>
  [...state.cells()]
    .flatMap(([, cell]) => (cell.kind === "pending" ? [cell] : []))
    .sort((a, b) => a.candidate.episode.start - b.candidate.episode.start);

export const forget = (state: GateState, { destination, candidate }: Pending): void =>
  state.delete(pendingCell(destination, candidate.episode.identity));

export interface Settled {
  /** What waits; null: it does not. */
  readonly pending: Pending | null;
  /** True: it waited before for the same reason, in the same form. */
  readonly asBefore: boolean;
  /** What had to make room for it. */
  readonly pushedOut: Pending | null;
}

/** Keeps what waits for consent, and forgets what does so no longer. */
export const settle = (state: GateState, verdict: Verdict, now: LogTime): Settled => {
  const { candidate, destination } = verdict.question;
  const { identity, revision } = candidate.episode;
  const cell = pendingCell(destination.name, identity);
  const found = state.get(cell);
  const known = found?.kind === "pending" ? found : undefined;
  const refusal = waitsFor(verdict);
  if (refusal === undefined) {
    if (known !== undefined) state.delete(cell);
    return { pending: null, asBefore: false, pushedOut: null };
  }
  const { reason } = refusal;
  if (known?.reason === reason && known.candidate.episode.revision === revision) {
    // The link may have been revised: it is judged anew by what is known of it now.
    const pending = known.candidate === candidate ? known : { ...known, candidate };
    if (pending !== known) state.set(cell, pending);
    return { pending, asBefore: true, pushedOut: null };
  }
  const others = known === undefined ? pendingIn(state) : [];
  const pushedOut = others.length < pendingMost ? null : (others[0] ?? null);
  const pending: Pending = {
    kind: "pending",
    destination: destination.name,
    candidate,
    since: known?.since ?? now,
    reason,
  };
  state.set(cell, pending);
  return { pending, asBefore: false, pushedOut };
};

/**
 * What passed here and was withheld at the moment of writing waits too, from the first time on that it was. Null: it waits not, for a newer
 * form of it is on its way, it was taken back, or its time is over.
 */
export const takeWithheld = (state: GateState, withheld: Withheld, now: LogTime, pendingMs: number): Pending | null => {
  const { destination, identity, revision, reason } = withheld;
  const written = writtenOf(state, destination, identity);
  if (!stands(written) || written.intent.revision !== revision) return null;
  const before = written.withheldSince;
  const since = before !== undefined && now < before + 2 * pendingMs ? before : now;
  // nothing of it is known to stand there: offered again it says something new
  const seenSince = written.firstRevision === revision ? null : written.since;
  const toldEnd = written.toldEndBefore ?? null;
  const kept = { ...written, since: seenSince, episodeRevision: -1, withheldSince: since, toldEnd };
  state.set(writtenCell(destination, identity), kept);
  if (now >= since + pendingMs) return null;
  const pending: Pending = { kind: "pending", destination, candidate: written.candidate, since, reason };
  state.set(pendingCell(destination, identity), pending);
  return pending;
};

export const isOver = ({ since }: Pending, now: number, pendingMs: number): boolean => now >= since + pendingMs;

export const nextPendingLook = ({ since }: Pending, now: number, pendingMs: number): number =>
  Math.min((Math.floor(now / lookAgainMs) + 1) * lookAgainMs, since + pendingMs);

/** Why it is not written any more. */
export const notInTime = ({ reason }: Pending, how: string): GateAnswer =>
  answer(
    "consented",
    [objection("consent-not-in-time", `${reason} until now, ${how}: it is not written any more`)],
    "",
  );
