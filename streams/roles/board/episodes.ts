/** Episodes as the page shows them: the newest revision of each, all open ones, and the newest that have ended. */
import type { EpisodeView } from "../../../schemas/board.ts";
import type { Episode } from "../../../schemas/records/telemetry.ts";
import { displayOf } from "./samples.ts";

const openKept = 2_000;
const endedKept = 300;

interface Seen {
  readonly revision: number;
  readonly view: EpisodeView;
}

export class Episodes {
  readonly #open = new Map<string, Seen>();
  readonly #ended = new Map<string, Seen>();

  /** An older revision than the one had changes nothing. */
  fold(episode: Episode, bed: string): void {
    const had = this.#open.get(episode.identity) ?? this.#ended.get(episode.identity);
    if (had !== undefined && had.revision >= episode.revision) return;
    const seen: Seen = { revision: episode.revision, view: viewOf(episode, bed) };
    this.#open.delete(episode.identity);
    if (episode.phase === "end") keep(this.#ended, episode.identity, seen, endedKept);
    else keep(this.#open, episode.identity, seen, openKept);
  }

  /** Open episodes, worst first, then oldest first. */
  open(): EpisodeView[] {
    return [...this.#open.values()]
      .map(({ view }) => view)
      .sort((a, b) => rank[b.priority] - rank[a.priority] || a.start - b.start);
  }

  newest(most: number): EpisodeView[] {
    return [...this.#open.values(), ...this.#ended.values()]
      .map(({ view }) => view)
      .sort((a, b) => b.start - a.start)
      .slice(0, most);
  }
}

export const rank = { low: 0, medium: 1, high: 2 } as const;

/** Puts it last; the oldest goes when there are more than `most`. */
export const keep = <T>(map: Map<string, T>, key: string, value: T, most: number): void => {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
};

const viewOf = (e: Episode, bed: string): EpisodeView => ({
  identity: e.identity,
  bed,
  device: e.device,
  metric: e.metric,
  display: displayOf(e.metric),
  title: e.rule.title,
  priority: e.rule.priority,
  approved: e.rule.approval !== null,
  demo: e.rule.approval?.demo ?? false,
  ucum: e.ucum,
  start: e.start,
  end: e.phase === "end" ? (e.end ?? e.qualifyingAt) : null,
  extreme: e.extreme,
  when: e.rule.when,
  limit: e.rule.limit,
});
