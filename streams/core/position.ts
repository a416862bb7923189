/**
 * Where an output came from. A reader keeps the highest position it had from each upstream
 * partition and drops what is not higher: that is how repeats by a restarted or superseded writer vanish.
 */

export interface Position {
  /** The stage or sink that wrote it: several may write one topic from the same input. Never its version: a new version goes on where the old one stopped. */
  readonly writer: string;
  /** The topic that the writer read. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The how-manieth output of that entry, from 0, over all topics written. */
  readonly n: number;
}

/** Names an upstream partition as one writer read it. Positions that leave out their topic (counterexample C10) or their writer collide. */
export const upstreamOf = (position: Pick<Position, "writer" | "topic" | "partition">): string =>
  `${position.writer}:${position.topic}/${position.partition}`;

export interface Mark {
  readonly offset: number;
  readonly n: number;
}

const isAfter = (position: Position, mark: Mark | undefined): boolean =>
  mark === undefined || position.offset > mark.offset || (position.offset === mark.offset && position.n > mark.n);

/** The highest position had from each upstream partition; part of a task's checkpoint. */
export class HighWaterMarks {
  readonly #marks: Map<string, Mark>;

  constructor(marks: Iterable<readonly [string, Mark]> = []) {
    this.#marks = new Map(marks);
  }

  /** True, and remembers it, if the position is new; false if it is a repeat. */
  admit(position: Position): boolean {
    const upstream = upstreamOf(position);
    if (!isAfter(position, this.#marks.get(upstream))) return false;
    this.#marks.set(upstream, { offset: position.offset, n: position.n });
    return true;
  }

  entries(): [string, Mark][] {
    return [...this.#marks];
  }
}
