/**
 * When each source of the roster was last heard, over restarts too: a feed that died while the service was away is as silent as any other. What was
 * never heard counts from the first start on.
 */
import type { RosterStore } from "./store.ts";

export type RosterSource = "adt" | "fhir";

/** A source that is heard each few seconds is not written down each time. */
const keepEveryMs = 30_000;

export class Heard {
  readonly #store: RosterStore;
  readonly #now: () => number;
  readonly #at = new Map<RosterSource, number>();
  readonly #keptAt = new Map<RosterSource, number>();

  /** `sources`: those that are configured. */
  constructor(store: RosterStore, sources: readonly RosterSource[], now: () => number) {
    this.#store = store;
    this.#now = now;
    for (const source of sources) {
      const kept = store.meta(nameOf(source));
      const before = Math.max(Number(kept ?? 0), source === "adt" ? (store.messageMs() ?? 0) : 0);
      if (kept === undefined && before === 0) this.mark(source);
      else this.#at.set(source, before);
    }
  }

  /** It was heard just now. */
  mark(source: RosterSource): void {
    const nowMs = this.#now();
    this.#at.set(source, nowMs);
    if (nowMs - (this.#keptAt.get(source) ?? 0) < keepEveryMs) return;
    this.#store.setMeta(nameOf(source), String(nowMs));
    this.#keptAt.set(source, nowMs);
  }

  /** Of a source that is configured; never later than now, for a clock that was set back makes nobody heard in the future. */
  at(source: RosterSource): number | undefined {
    const heardMs = this.#at.get(source);
    return heardMs === undefined ? undefined : Math.min(heardMs, this.#now());
  }
}

const nameOf = (source: RosterSource): string => `heard/${source}`;
