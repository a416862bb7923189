/** Runs jobs so that those of one patient keep their order, and no more than so many run at once, whoever asks. */

/** At most `size` at once, in the order in which they asked. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async run<T>(does: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await does();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/**
 * Each key's jobs one after the other, keys beside each other. A job that rejects ends its own key only; once all have come to their end, the
 * first error is thrown. Resolves when all are done.
 */
export const inOrderByKey = async <J>(
  jobs: readonly J[],
  keyOf: (job: J) => string,
  run: (job: J) => Promise<void>,
): Promise<void> => {
  const errors: unknown[] = [];
  const lane = async (mine: readonly J[]): Promise<void> => {
    try {
      for (const job of mine) await run(job);
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all([...Map.groupBy(jobs, keyOf).values()].map(lane));
  if (errors.length > 0) throw errors[0];
};
