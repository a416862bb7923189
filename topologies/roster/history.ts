/**
 * All that was ever said and what holds by it. Only what concerns open stories is derived again when something is told; what may concern closed ones
 * derives everything (fold.ts).
 */
import type { RosterBase } from "./base.ts";
import { derive, type RosterView } from "./derive.ts";
import type { RosterEvent } from "./events.ts";
import { fold, type Folded, nothingClosed, together } from "./fold.ts";

/** When closed stories are looked for: once as much again was told since, but not before so much was. */
const leastFresh = 500;

interface State {
  readonly events: readonly RosterEvent[];
  readonly base: RosterBase;
  readonly folded: Folded;
  /** Told since it was folded. */
  readonly fresh: readonly RosterEvent[];
  /** What was closed when the latest was told. */
  readonly closed: RosterView;
  /** What the others give. */
  readonly open: RosterView;
  readonly whole: boolean;
}

export class RosterHistory {
  readonly #state: State;
  #view: RosterView | undefined;

  private constructor(state: State) {
    this.#state = state;
  }

  /** Stories that ended before `horizonMs` may be closed. */
  static of(events: readonly RosterEvent[], base: RosterBase, horizonMs: number): RosterHistory {
    const view = derive(events, base);
    const folded = fold(events, view, base, horizonMs);
    return new RosterHistory({
      events,
      base,
      folded,
      fresh: [],
      closed: nothingClosed.closed,
      open: view,
      whole: true,
    });
  }

  /** What may differ from what held before the latest was told. */
  get open(): RosterView {
    return this.#state.open;
  }

  /** All was derived: what was held to be closed may have changed. */
  get whole(): boolean {
    return this.#state.whole;
  }

  get events(): readonly RosterEvent[] {
    return this.#state.events;
  }

  /** What closed stories left, of which nothing changes when the next is told unless that is {@link whole}. */
  get closed(): RosterView {
    return this.#state.folded.closed;
  }

  /** How many events the next one is derived with, unless it concerns closed stories. */
  get liveEvents(): number {
    return this.#state.folded.live.length + this.#state.fresh.length;
  }

  /** What holds. */
  get view(): RosterView {
    this.#view ??= this.whole ? this.open : together(this.#state.closed, this.open);
    return this.#view;
  }

  /** With what was told since; what stands here is left as it is. */
  after(told: readonly RosterEvent[], horizonMs: number, least = leastFresh): RosterHistory {
    const { events: before, base, folded, fresh: freshBefore } = this.#state;
    const events = [...before, ...told];
    if (told.some((event) => folded.opens(event))) return RosterHistory.of(events, base, horizonMs);
    const fresh = [...freshBefore, ...told];
    const live = [...folded.live, ...fresh];
    const open = derive(live, base);
    if (fresh.length < Math.max(least, Math.min(folded.live.length, least * 10)))
      return new RosterHistory({ events, base, folded, fresh, closed: folded.closed, open, whole: false });
    const again = fold(live, open, base, horizonMs, folded);
    return new RosterHistory({ events, base, folded: again, fresh: [], closed: folded.closed, open, whole: false });
  }
}
