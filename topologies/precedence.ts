/**
 * Which source of a quantity a chart shows, by the policy and what was heard of the sources (clinical.md 14: never what alarms).
 * Pure, and without oscillation: the source that is shown gives way only to one that was better without a break for `steadyMs`, or
 * once it was stale for `takeOverAfterMs`. What is heard at one instant may come in any order: each look starts from how it stood before it.
 */
import { type Dispute, disputesAt, lasts, sameDispute } from "./precedence/disputes.ts";
import { doubt, type Heard, heardAfter, isFresh, type Said, staleForMs } from "./precedence/heard.ts";
import { classOf, type Quantity, seriesName } from "./precedence/policy.ts";

export interface Choice {
  /** As metric/device/channel. */
  readonly source: string;
  readonly since: number;
  readonly reason: "first-known" | "preferred-steady" | "previous-stale" | "previous-gone";
  readonly detail: string;
  /** The better one that waits until it is steady. */
  readonly challenger: { readonly source: string; readonly since: number } | null;
}

/** A source that was charted once, in log time [since, until). */
interface Past {
  readonly source: string;
  readonly since: number;
  readonly until: number;
}

interface View {
  readonly choice: Choice | null;
  /** The latest of those before it. */
  readonly past: readonly Past[];
  readonly disputes: readonly Dispute[];
}

/** What is known of one quantity of one patient; plain JSON. */
export interface Sources {
  readonly kind: "sources";
  readonly quantity: string;
  readonly heard: readonly Heard[];
  /** The instant of the last look, how it stood before that, and how it stands. */
  readonly at: number;
  readonly before: View;
  readonly now: View;
  /** Identities of the latest episodes that began on what was charted: they are told to their end. */
  readonly begun: readonly string[];
}

/** What a look found settled: it stood so at the end of the instant before, whatever order that instant's entries came in. */
export interface Settled {
  readonly chosen: { readonly choice: Choice; readonly previous: string } | null;
  readonly disputes: readonly Dispute[];
}

/** A source that is stale is forgotten after this long. */
const staleKeptMs = 3_600_000;
const begunMost = 64;
const pastMost = 16;

export const noSources = (q: Quantity): Sources => {
  const nothing: View = { choice: null, past: [], disputes: [] };
  return { kind: "sources", quantity: q.name, heard: [], at: 0, before: nothing, now: nothing, begun: [] };
};

const rank = (q: Quantity, heard: Heard): number => q.sources.indexOf(classOf(q, heard));

/** Negative: `a` is to be preferred. The order is total, so that no order of arrival decides. */
const preference = (q: Quantity, a: Heard, b: Heard): number =>
  doubt(a) - doubt(b) ||
  (q.choose === "mostRecent" ? b.lastAt - a.lastAt || rank(q, a) - rank(q, b) : rank(q, a) - rank(q, b)) ||
  b.lastAt - a.lastAt ||
  (seriesName(a) < seriesName(b) ? -1 : 1);

const choiceOf = (source: Heard, since: number, reason: Choice["reason"], detail: string): Choice => ({
  source: seriesName(source),
  since,
  reason,
  detail,
  challenger: null,
});

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** Of the sources and the choice before `at`: the choice at `at`. */
const choose = (q: Quantity, all: readonly Heard[], before: Choice | null, at: number): Choice | null => {
  const [best] = all.filter((heard) => isFresh(q, heard, at)).sort((a, b) => preference(q, a, b));
  const incumbent = all.find((heard) => seriesName(heard) === before?.source);
  if (before === null || incumbent === undefined) {
    if (best === undefined) return null;
    if (before === null) return choiceOf(best, at, "first-known", `${seriesName(best)} is the first that is known`);
    return choiceOf(best, at, "previous-gone", `nothing more is known of ${before.source}`);
  }
  if (best === undefined || best === incumbent) return { ...before, challenger: null };
  const staleMs = staleForMs(q, incumbent, at);
  if (staleMs >= q.takeOverAfterMs)
    return choiceOf(best, at, "previous-stale", `${before.source} has been stale for ${seconds(staleMs)}`);
  if (preference(q, incumbent, best) < 0) return { ...before, challenger: null };
  const since = before.challenger?.source === seriesName(best) ? before.challenger.since : at;
  const steadyMs = at - Math.max(since, best.freshSince);
  if (steadyMs < q.steadyMs) return { ...before, challenger: { source: seriesName(best), since } };
  const why = doubt(best) < doubt(incumbent) ? "is valid and the other questionable" : "is the better source";
  return choiceOf(best, at, "preferred-steady", `${seriesName(best)} ${why}, steady for ${seconds(steadyMs)}`);
};

const pastAt = ({ choice, past }: View, next: Choice | null, at: number): readonly Past[] => {
  if (choice === null || choice.source === next?.source) return past;
  return [...past, { source: choice.source, since: choice.since, until: at }].slice(-pastMost);
};

const viewAt = (q: Quantity, heard: readonly Heard[], before: View, at: number): View => {
  const choice = choose(q, heard, before.choice, at);
  return { choice, past: pastAt(before, choice, at), disputes: disputesAt(q, heard, before.disputes, at) };
};

/** What is settled once time has come to `at`. Nothing before that: what an instant brings may still be on its way. */
export const settled = (q: Quantity, known: Sources, at: number): Settled => {
  const { before, now } = known;
  if (at <= known.at) return { chosen: null, disputes: [] };
  const previous = before.choice?.source ?? null;
  const changed = now.choice !== null && previous !== null && now.choice.source !== previous;
  const wasTold = (d: Dispute): boolean =>
    before.disputes.some((b) => sameDispute(b, d) && b.since === d.since && lasts(q, b));
  return {
    chosen: changed && now.choice !== null ? { choice: now.choice, previous } : null,
    disputes: now.disputes.filter((d) => lasts(q, d) && !wasTold(d)),
  };
};

/** With what was said of a source, or with time alone having passed (`said` null). `at`: log time; it never goes back. */
export const look = (q: Quantity, known: Sources, said: Said | null, now: number): Sources => {
  const at = Math.max(now, known.at);
  const others = said === null ? known.heard : known.heard.filter((heard) => seriesName(heard) !== seriesName(said));
  const its = said === null ? undefined : known.heard.find((heard) => seriesName(heard) === seriesName(said));
  const all = said === null ? others : [...others, heardAfter(q, its, said, at)];
  const heard = all
    .filter((one) => staleForMs(q, one, at) < q.takeOverAfterMs + staleKeptMs)
    .sort((a, b) => (seriesName(a) < seriesName(b) ? -1 : 1));
  const before = at > known.at ? known.now : known.before;
  return { ...known, heard, at, before, now: viewAt(q, heard, before, at) };
};

/** Without the sources of a link that is over or never held. */
export const withoutLink = (q: Quantity, known: Sources, association: string, now: number): Sources =>
  look(q, { ...known, heard: known.heard.filter((heard) => heard.association !== association) }, null, now);

/** An episode of a source that is charted begins; it is told to its end, whatever is charted then. */
export const beginning = (q: Quantity, known: Sources, episode: string, source: string, at: number): Sources =>
  known.begun.includes(episode) || !charted(q, known, at).from.includes(source)
    ? known
    : { ...known, begun: [...known.begun, episode].slice(-begunMost) };

export interface Charted {
  /** The sources that the chart's value comes from; empty: none is known. */
  readonly from: readonly string[];
  readonly value: number | null;
  readonly lastAt: number | null;
  readonly validity: "valid" | "questionable";
  readonly why: string;
}

/** What a chart shows at `at`: the chosen source's value, or the mean of all that are fresh and as valid as the best. */
export const charted = (q: Quantity, sources: Sources, at: number): Charted => {
  const { choice } = sources.now;
  const of = (all: readonly Heard[], why: string): Charted => {
    const means = all.flatMap(({ mean }) => mean ?? []);
    return {
      from: all.map(seriesName),
      value: means.length === 0 ? null : means.reduce((sum, mean) => sum + mean, 0) / means.length,
      lastAt: all.length === 0 ? null : Math.max(...all.map(({ lastAt }) => lastAt)),
      validity: all.some((heard) => doubt(heard) > 0) ? "questionable" : "valid",
      why,
    };
  };
  const chosen = sources.heard.filter((heard) => seriesName(heard) === choice?.source);
  if (q.choose !== "average") return of(chosen, choice?.detail ?? "no source is known");
  const fresh = sources.heard.filter((heard) => isFresh(q, heard, at));
  const least = Math.min(...fresh.map(doubt));
  const shared = fresh.filter((heard) => doubt(heard) === least);
  return shared.length === 0 ? of(chosen, "no source is fresh") : of(shared, `the mean of ${shared.length} sources`);
};

/** Which source was charted at an instant, as the log had it; null: none was, or it is too long ago to be known. */
export const chartedAt = ({ now: { choice, past } }: Sources, at: number): string | null =>
  choice !== null && choice.since <= at
    ? choice.source
    : (past.findLast(({ since, until }) => since <= at && at < until)?.source ?? null);

/** Of states that were reported, the most severe of those that are fresh; null where none is (clinical.md 14). */
export const mostSevere = <T extends { readonly value: string; readonly at: number }>(
  { severity, freshForMs }: { readonly severity: readonly string[]; readonly freshForMs: number },
  reported: readonly T[],
  at: number,
): T | null => {
  const known = reported.filter((r) => severity.includes(r.value) && at - r.at <= freshForMs);
  const order = (a: T, b: T): number => severity.indexOf(a.value) - severity.indexOf(b.value) || b.at - a.at;
  return known.sort(order)[0] ?? null;
};
