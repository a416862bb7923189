/**
 * What the watch makes of beats that come back or don't, of the circuit's sign of life, and of people who acknowledge. Pure: times are
 * milliseconds of one steady clock and arrive with the events, so that nothing here depends on how time is kept.
 *
 * Two concerns, each alone: a beat did not come back in time; no sign of life came for its limit. A concern is told when it rises, again
 * until somebody acknowledges it or it is well, and once more when it ends. A watch that has just started is armed: it has heard nothing.
 */

export interface Limits {
  /** A beat is due this often. */
  readonly beatEveryMs: number;
  /** A beat that has not come back this long after it was due is missed. */
  readonly beatLimitMs: number;
  /** Nothing heard of the circuit for this long is a concern. */
  readonly aliveLimitMs: number;
  /** So many beats in a row, sent after the last missed one, and back in time, end the concern. */
  readonly wellAfterBeats: number;
  /** Told again after this, until acknowledged or well. */
  readonly repeatMs: number;
  /** Told again after this where no notifier took it. */
  readonly retryMs: number;
}

export const concernNames = ["beat", "alive"] as const;
export type ConcernName = (typeof concernNames)[number];

export interface Concern {
  /** Counts the concerns of this watch's process, from 1. */
  readonly instance: number;
  /** When what is missed was due or last heard. */
  readonly since: number;
  readonly raisedAt: number;
  /** How often it was told. */
  readonly attempt: number;
  /** Null once acknowledged: silent, and not forgotten. */
  readonly tellAgainAt: number | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: number | null;
}

export interface Beat {
  readonly seq: number;
  readonly dueAt: number;
}

export interface Watching {
  readonly startedAt: number;
  /** Due, not back, not yet missed; oldest first. */
  readonly awaited: readonly Beat[];
  /** The latest missed ones: one that comes back after all is late, not unknown. */
  readonly missed: readonly Beat[];
  readonly wellBeats: number;
  readonly lastBeatAt: number | null;
  readonly lastAliveAt: number | null;
  readonly raised: number;
  readonly concerns: Readonly<Record<ConcernName, Concern | null>>;
}

export type WatchEvent =
  /** A beat was due now, whether or not the broker could be reached to take it. */
  | { readonly kind: "due"; readonly seq: number; readonly at: number }
  | { readonly kind: "came"; readonly seq: number; readonly at: number }
  | { readonly kind: "alive"; readonly at: number }
  | { readonly kind: "acknowledged"; readonly who: string; readonly at: number }
  /** No notifier took a telling of the concern. */
  | { readonly kind: "untold"; readonly instance: number; readonly at: number }
  | { readonly kind: "tick"; readonly at: number };

export interface Telling {
  readonly concern: ConcernName;
  readonly what: "alarm" | "reminder" | "ended";
  readonly instance: number;
  readonly attempt: number;
  readonly since: number;
}

/** What a beat that came was: unknown is one that this watch never sent, or has had already. */
export type Arrival =
  | { readonly outcome: "inTime" | "late"; readonly roundTripMs: number }
  | { readonly outcome: "unknown" };

export interface Watched {
  readonly watching: Watching;
  readonly tell: readonly Telling[];
  /** Of a `came` only. */
  readonly arrival?: Arrival;
}

const missedKept = 100;
/** What is not well so long after somebody took it sounds again: he may have gone, and a new outage hides behind the old one. */
const soundsAgainMs = 600_000;

export const beginWatching = (at: number): Watching => ({
  startedAt: at,
  awaited: [],
  missed: [],
  wellBeats: 0,
  lastBeatAt: null,
  lastAliveAt: null,
  raised: 0,
  concerns: { beat: null, alive: null },
});

/** One step. Every event looks at the time too, so that a late tick delays nothing that anything else could have said. */
export const watch = (watching: Watching, event: WatchEvent, limits: Limits): Watched => {
  const known = take(watching, event, limits);
  const judged = judge(known.watching, event.at, limits);
  return { ...known, watching: judged.watching, tell: [...known.tell, ...judged.tell] };
};

const take = (watching: Watching, event: WatchEvent, limits: Limits): Watched => {
  switch (event.kind) {
    case "due":
      return {
        watching: { ...watching, awaited: [...watching.awaited, { seq: event.seq, dueAt: event.at }] },
        tell: [],
      };
    case "came":
      return came(strike(watching, event.at, limits), event.seq, event.at, limits);
    case "alive":
      return end({ ...watching, lastAliveAt: event.at }, "alive");
    case "acknowledged":
      return { watching: acknowledge(watching, event.who, event.at), tell: [] };
    case "untold":
      return { watching: hurry(watching, event.instance, event.at + limits.retryMs), tell: [] };
    case "tick":
      return { watching, tell: [] };
  }
};

const came = (watching: Watching, seq: number, at: number, limits: Limits): Watched => {
  const late = watching.missed.find((beat) => beat.seq === seq);
  if (late !== undefined) {
    const missed = watching.missed.filter((beat) => beat !== late);
    return { watching: { ...watching, missed }, tell: [], arrival: { outcome: "late", roundTripMs: at - late.dueAt } };
  }
  const beat = watching.awaited.find((awaited) => awaited.seq === seq);
  if (beat === undefined) return { watching, tell: [], arrival: { outcome: "unknown" } };
  const concern = watching.concerns.beat;
  const wellBeats = concern === null || beat.dueAt > concern.raisedAt ? watching.wellBeats + 1 : watching.wellBeats;
  const next: Watching = {
    ...watching,
    awaited: watching.awaited.filter((awaited) => awaited !== beat),
    wellBeats,
    lastBeatAt: at,
  };
  const arrival = { outcome: "inTime", roundTripMs: at - beat.dueAt } as const;
  return { ...(wellBeats >= limits.wellAfterBeats ? end(next, "beat") : { watching: next, tell: [] }), arrival };
};

/** Moves the beats whose limit has passed to the missed ones: a concern, if it is none yet. */
const strike = (watching: Watching, at: number, limits: Limits): Watching => {
  const struck = watching.awaited.filter(({ dueAt }) => at - dueAt >= limits.beatLimitMs);
  const [first] = struck;
  if (first === undefined) return watching;
  const awaited = watching.awaited.filter((beat) => !struck.includes(beat));
  const missed = [...watching.missed, ...struck].slice(-missedKept);
  return raise({ ...watching, awaited, missed, wellBeats: 0 }, "beat", first.dueAt, at);
};

const raise = (watching: Watching, name: ConcernName, since: number, at: number): Watching => {
  if (watching.concerns[name] !== null) return watching;
  const raised = watching.raised + 1;
  const concern: Concern = {
    instance: raised,
    since,
    raisedAt: at,
    attempt: 0,
    tellAgainAt: at,
    acknowledgedBy: null,
    acknowledgedAt: null,
  };
  return { ...watching, raised, concerns: { ...watching.concerns, [name]: concern } };
};

const judge = (before: Watching, at: number, limits: Limits): Watched => {
  const struck = strike(before, at, limits);
  const heardAt = struck.lastAliveAt ?? struck.startedAt;
  const watching = at - heardAt >= limits.aliveLimitMs ? raise(struck, "alive", heardAt, at) : struck;
  const concerns = { ...watching.concerns };
  const tell: Telling[] = [];
  for (const name of concernNames) {
    const concern = wake(concerns[name], at);
    if (concern === null || concern.tellAgainAt === null || at < concern.tellAgainAt) continue;
    const { instance, attempt, since } = concern;
    tell.push({ concern: name, what: attempt === 0 ? "alarm" : "reminder", instance, attempt, since });
    concerns[name] = { ...concern, attempt: attempt + 1, tellAgainAt: at + limits.repeatMs };
  }
  return { watching: { ...watching, concerns }, tell };
};

const end = (watching: Watching, name: ConcernName): Watched => {
  const concern = watching.concerns[name];
  if (concern === null) return { watching, tell: [] };
  const { instance, attempt, since } = concern;
  return {
    watching: { ...watching, concerns: { ...watching.concerns, [name]: null } },
    tell: [{ concern: name, what: "ended", instance, attempt, since }],
  };
};

/** An acknowledgement holds for a while only. */
const wake = (concern: Concern | null, at: number): Concern | null =>
  concern?.acknowledgedAt == null || at - concern.acknowledgedAt < soundsAgainMs
    ? concern
    : { ...concern, tellAgainAt: at, acknowledgedBy: null, acknowledgedAt: null };

/** Everything that sounds now; what rises later sounds anew. */
const acknowledge = (watching: Watching, who: string, at: number): Watching => {
  const silence = (concern: Concern | null): Concern | null =>
    concern === null || concern.acknowledgedBy !== null
      ? concern
      : { ...concern, acknowledgedBy: who, acknowledgedAt: at, tellAgainAt: null };
  const { beat, alive } = watching.concerns;
  return { ...watching, concerns: { beat: silence(beat), alive: silence(alive) } };
};

const hurry = (watching: Watching, instance: number, tellAt: number): Watching => {
  const sooner = (concern: Concern | null): Concern | null =>
    concern?.instance === instance && concern.tellAgainAt !== null
      ? { ...concern, tellAgainAt: Math.min(concern.tellAgainAt, tellAt) }
      : concern;
  const { beat, alive } = watching.concerns;
  return { ...watching, concerns: { beat: sooner(beat), alive: sooner(alive) } };
};
