/** The page's link to its server: the newest board, the chosen bed's samples and waves, and whether any of it is current. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { BoardView, SampleView, WaveView } from "../../schemas/board.ts";

/** No board for this long: nothing shown is current. */
const lostAfterMs = 3_500;
const seriesMinutes = 10;

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** This page hears nothing from its server. */
  | { readonly kind: "lost"; readonly since: number }
  /** The server hears nothing from the log. */
  | { readonly kind: "stalled"; readonly since: number };

export interface Live {
  readonly board: BoardView | null;
  readonly connection: Connection;
  /** The ward's time now: the last board's, and what has passed since. */
  readonly wardNow: number;
}

/** What a bed's charts and strips read; they listen instead of being rendered. */
export interface BedFeed {
  readonly bed: string;
  /** By metric, oldest first. */
  readonly samples: ReadonlyMap<string, readonly SampleView[]>;
  onWave: ((wave: WaveView) => void) | null;
}

class Feed implements BedFeed {
  readonly bed: string;
  readonly samples = new Map<string, SampleView[]>();
  onWave: ((wave: WaveView) => void) | null = null;

  constructor(bed: string) {
    this.bed = bed;
  }

  /** Keeps order and drops what is there already. */
  add(samples: readonly SampleView[]): void {
    for (const sample of samples) {
      const line = this.samples.get(sample.metric) ?? [];
      this.samples.set(sample.metric, line);
      const last = line.at(-1);
      if (last === undefined || sample.at > last.at) line.push(sample);
      else if (!line.some(({ at }) => at === sample.at)) insert(line, sample);
      if (line.length > 1_500) line.splice(0, line.length - 1_200);
    }
  }
}

const insert = (line: SampleView[], sample: SampleView): void => {
  let at = line.length;
  while (at > 0 && (line[at - 1]?.at ?? 0) > sample.at) at--;
  line.splice(at, 0, sample);
};

const backfill = async (feed: Feed, signal: AbortSignal): Promise<void> => {
  try {
    const response = await fetch(`./api/series?bed=${encodeURIComponent(feed.bed)}&minutes=${seriesMinutes}`, {
      signal,
    });
    if (response.ok) feed.add((await response.json()) as SampleView[]);
  } catch {
    // The stream's own connection state says it aloud; the next connection fills in again.
  }
};

interface Received {
  readonly board: BoardView;
  readonly at: number;
}

/** Follows the board, and one bed's samples and waves. A new bed is a new stream; the board shown stays until the next. */
export const useLive = (bed: string): Live & { readonly feed: BedFeed } => {
  const [received, setReceived] = useState<Received | null>(null);
  const feed = useRef(new Feed(bed));
  const [openedAt] = useState(() => Date.now());
  if (feed.current.bed !== bed) feed.current = new Feed(bed);
  const now = useNow(received !== null);

  useEffect(() => {
    const mine = feed.current;
    const end = new AbortController();
    const source = new EventSource(`./api/stream?bed=${encodeURIComponent(bed)}`);
    const on = <T>(name: string, take: (data: T) => void): void =>
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
    on<BoardView>("board", (board) => setReceived({ board, at: Date.now() }));
    on<SampleView[]>("samples", (samples) => mine.add(samples));
    on<WaveView>("wave", (wave) => mine.onWave?.(wave));
    source.addEventListener("open", () => void backfill(mine, end.signal));
    return () => {
      end.abort();
      source.close();
    };
  }, [bed]);

  return { ...stand(received, now, openedAt), feed: feed.current };
};

const stand = (received: Received | null, now: number, openedAt: number): Live => {
  if (received === null) {
    const connection: Connection =
      now - openedAt > lostAfterMs ? { kind: "lost", since: openedAt } : { kind: "connecting" };
    return { board: null, connection, wardNow: now };
  }
  const { board, at } = received;
  const passed = Math.max(0, now - at);
  if (passed > lostAfterMs)
    return { board, connection: { kind: "lost", since: at }, wardNow: board.logTime + passed * paceOf(board) };
  if (board.stalledSince === null)
    return { board, connection: { kind: "live" }, wardNow: board.logTime + passed * board.actualSpeed };
  // The server's clock, moved to this computer's.
  const since = board.stalledSince + at - board.now;
  return { board, connection: { kind: "stalled", since }, wardNow: board.logTime + (now - since) * paceOf(board) };
};

/** How fast values grow old while nothing is heard: as fast as the ward was meant to run. */
const paceOf = ({ wantedSpeed, actualSpeed }: BoardView): number => wantedSpeed || actualSpeed || 1;

/** This computer's clock, each second; the boards themselves come once a second too, so it matters only when they stop. */
const useNow = (started: boolean): number => {
  const [, beat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => beat((n) => n + 1), started ? 1_000 : 500);
    return () => clearInterval(timer);
  }, [started]);
  return Date.now();
};
