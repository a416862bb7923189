/** How fast a stage goes and how far it is behind, from the ends of the topic that it reads and the progress of its group. */
import type { StageView } from "../../../schemas/board.ts";

/** What one look at the log gave, per partition. */
export interface Look {
  readonly atMs: number;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Undefined where the stage has not reported yet. */
  readonly nexts: readonly (number | undefined)[];
}

const looksKept = 600;
const rateOverMs = 10_000;

export class StageProgress {
  readonly stage: string;
  readonly #looks: Look[] = [];

  constructor(stage: string) {
    this.stage = stage;
  }

  look(look: Look): void {
    this.#looks.push(look);
    if (this.#looks.length > looksKept) this.#looks.splice(0, this.#looks.length - looksKept);
  }

  /** `speed`: log seconds per second. */
  view(speed: number): StageView {
    const last = this.#looks.at(-1);
    if (last === undefined) return { stage: this.stage, perSecond: 0, lagEntries: 0, lagSeconds: 0 };
    return {
      stage: this.stage,
      perSecond: this.#perSecond(last),
      lagEntries: sum(last.ends.map((end, p) => Math.max(0, end - nextOf(last, p)))),
      lagSeconds: Math.max(0, ...last.ends.map((_, p) => this.#behindMs(last, p))) * 0.001 * speed,
    };
  }

  #perSecond(last: Look): number {
    const first = this.#looks.find((look) => look.atMs >= last.atMs - rateOverMs) ?? last;
    if (first === last) return 0;
    const done = sum(last.ends.map((_, p) => nextOf(last, p) - nextOf(first, p)));
    return Math.max(0, (1000 * done) / (last.atMs - first.atMs));
  }

  /** How long ago the topic's end passed what the stage reads next: the age of the oldest entry that waits. */
  #behindMs(last: Look, partition: number): number {
    const next = nextOf(last, partition);
    if ((last.ends[partition] ?? 0) <= next) return 0;
    const passed = this.#looks.find((look) => (look.ends[partition] ?? 0) > next);
    return last.atMs - (passed ?? last).atMs;
  }
}

const nextOf = (look: Look, partition: number): number => look.nexts[partition] ?? look.starts[partition] ?? 0;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
