/**
 * The ceiling of clinical.md 22, kept in one ledger per destination, rule, bed and UTC day (of the episode's start). Up to
 * `ceilingPerDay` episodes become Observations of their own. Each further one is refused as `ceiling-folded`, with a decision,
 * and the last Observation of the day says so in a note: once when the first is folded, so that the chart is never silent about
 * it, and once more with the whole count when the day is over. Amending it each time would be the noise that this prevents.
 */
import { endOfUtcDay, utcDay, utcInstant } from "../../schemas/fhir/instant.ts";
import type { Candidate } from "../../schemas/records/clinical.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import type { LogTime } from "../../streams/core/time.ts";

/** How long after the day's end (or the last episode, if later) the whole count is told, and the ledger forgotten. */
const latenessMs = 3_600_000;
const keptMs = 7 * 86_400_000;

export interface Ledger {
  readonly kind: "ledger";
  readonly destination: string;
  readonly day: string;
  readonly ceiling: number;
  /** Identities with an Observation of their own, in the order in which they came. */
  readonly admitted: readonly string[];
  /** Those of them that were written as final: what comes after is an amendment. */
  readonly final: readonly string[];
  /** The newest form of the last admitted one; further episodes are folded into it. */
  readonly last: Candidate | null;
  readonly lastRevision: number;
  readonly folded: number;
  /** As many of them as the last Observation's note has told of, and since when. */
  readonly foldedTold: number;
  readonly foldedSince: number | null;
  readonly foldedLeast: number;
  readonly foldedMost: number;
  readonly tellAt: number;
}

const emptyLedger = (destination: string, episode: Episode): Ledger => ({
  kind: "ledger",
  destination,
  day: utcDay(episode.start),
  ceiling: episode.rule.ceilingPerDay,
  admitted: [],
  final: [],
  last: null,
  lastRevision: 0,
  folded: 0,
  foldedTold: 0,
  foldedSince: null,
  foldedLeast: Number.MAX_VALUE,
  foldedMost: -Number.MAX_VALUE,
  tellAt: 0,
});

/** What an episode is known by that was folded; it names its ledger, for a link that is corrected may name another bed. */
export interface Folded {
  readonly kind: "folded";
  readonly ledger: string;
  /** Its values reached from here to there. Absent in what an older version kept. */
  readonly least?: number;
  readonly most?: number;
}
export const foldedCell = (destination: string, identity: string): string =>
  `folded/${JSON.stringify([destination, identity])}`;

/** The cell that holds the ledger of a candidate. */
export const ledgerCell = (destination: string, { episode, association }: Candidate): string =>
  `ledger/${JSON.stringify([destination, episode.rule.id, association?.bed ?? null, utcDay(episode.start)])}`;

/** The ledger, brought up to this candidate's time. */
export const openLedger = (
  known: Ledger | undefined,
  destination: string,
  { episode }: Candidate,
  now: LogTime,
): Ledger => ({
  ...(known ?? emptyLedger(destination, episode)),
  tellAt: Math.max(endOfUtcDay(episode.start), now) + latenessMs,
});

export type Standing = "admitted" | "new" | "folded";

/** Where an episode stands. A later revision stands where the first one stood. */
export const standingOf = (ledger: Ledger, identity: string): Standing =>
  ledger.admitted.includes(identity) ? "admitted" : ledger.admitted.length < ledger.ceiling ? "new" : "folded";

/** Every amendment for folded episodes adds one to what the episode's own revisions count. */
export const revisionIn = (ledger: Ledger, episode: Episode): number =>
  episode.revision + (ledger.last?.episode.identity === episode.identity ? ledger.lastRevision : 0);

/** Enters an episode that was promoted. */
export const admit = (ledger: Ledger, candidate: Candidate, status: string): Ledger => {
  const { identity } = candidate.episode;
  const isNew = !ledger.admitted.includes(identity);
  const isLast = isNew || ledger.last?.episode.identity === identity;
  return {
    ...ledger,
    admitted: isNew ? [...ledger.admitted, identity] : ledger.admitted,
    final: status === "final" ? [...ledger.final, identity] : ledger.final,
    last: isLast ? candidate : ledger.last,
  };
};

/** How far the values of a ledger's folded episodes reach. Of what an older version kept only the ledger knows it. */
export const reachOf = (
  { foldedLeast, foldedMost }: Ledger,
  marks: readonly Folded[],
): Pick<Ledger, "foldedLeast" | "foldedMost"> => ({
  foldedLeast: Math.min(Number.MAX_VALUE, ...marks.map(({ least }) => least ?? foldedLeast)),
  foldedMost: Math.max(-Number.MAX_VALUE, ...marks.map(({ most }) => most ?? foldedMost)),
});

/** Counts an episode that was folded, or a later form of one (`again`). `marks`: of all that are folded here now, this one among them. */
export const fold = (ledger: Ledger, { episode }: Candidate, again: boolean, marks: readonly Folded[]): Ledger => ({
  ...ledger,
  folded: ledger.folded + (again ? 0 : 1),
  foldedSince: Math.min(ledger.foldedSince ?? episode.start, episode.start),
  ...reachOf(ledger, marks),
});

/** Without an episode that turned out to be another patient's. `marks`: of those that are left. */
export const unfold = (ledger: Ledger, marks: readonly Folded[]): Ledger => ({
  ...ledger,
  folded: Math.max(0, ledger.folded - 1),
  ...reachOf(ledger, marks),
});

/** What else was taken back at once is known by then. */
const settleMs = 60_000;

/**
 * Without an Observation that was retracted. If it told of folded episodes, `other` does so from now on, the last that stands; null: none
 * does, and a person is told (`isUntold`).
 */
export const withdraw = (ledger: Ledger, identity: string, other: Candidate | null, now: LogTime): Ledger => {
  const without = {
    ...ledger,
    admitted: ledger.admitted.filter((one) => one !== identity),
    final: ledger.final.filter((one) => one !== identity),
  };
  if (ledger.last?.episode.identity !== identity) return without;
  return { ...without, last: other, lastRevision: 0, foldedTold: 0, tellAt: now + settleMs };
};

/** The ledger with the newest form of its last candidate, if this is it. */
export const refreshed = (ledger: Ledger, candidate: Candidate): Ledger =>
  ledger.last?.episode.identity === candidate.episode.identity ? { ...ledger, last: candidate } : ledger;

/** Folded episodes that no Observation tells of. */
export const isUntold = (ledger: Ledger, now: LogTime): boolean =>
  ledger.last === null && ledger.folded > ledger.foldedTold && now >= ledger.tellAt;

/** The ledger after a person was told instead. */
export const toldToPerson = (ledger: Ledger): Ledger => ({ ...ledger, foldedTold: ledger.folded });

/** The ledger after its last Observation was amended. */
export const told = (ledger: Ledger): Ledger => ({
  ...ledger,
  foldedTold: ledger.folded,
  lastRevision: ledger.lastRevision + 1,
});

/** True at the first folded episode, and once the day is over and there are more, or fewer. */
export const mustTell = (ledger: Ledger, now: LogTime): boolean =>
  ledger.folded !== ledger.foldedTold && (ledger.foldedTold === 0 || now >= ledger.tellAt);

/** When the ledger next asks for a look. */
export const nextLook = (ledger: Ledger): number =>
  ledger.folded !== ledger.foldedTold ? ledger.tellAt : ledger.tellAt + keptMs;

export const isForgotten = (ledger: Ledger, now: LogTime): boolean => now >= ledger.tellAt + keptMs;

/** What the last Observation of the day says of the others; null where it need say nothing. */
export const foldingNote = (ledger: Ledger, episode: Episode): string | null => {
  if (ledger.folded === 0 || ledger.last?.episode.identity !== episode.identity) return null;
  const { rule } = episode;
  const since = utcInstant(ledger.foldedSince ?? episode.start);
  const range = `${ledger.foldedLeast} to ${ledger.foldedMost} ${episode.ucum}`;
  const count = ledger.folded === 1 ? "1 further episode" : `${ledger.folded} further episodes`;
  return (
    `Ceiling of ${ledger.ceiling} for rule ${rule.id} version ${rule.version} on ${ledger.day} (UTC) reached: ` +
    `${count} so far since ${since} (${range}) folded into this one; more may follow.`
  );
};
