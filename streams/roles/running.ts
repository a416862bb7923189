/** What a started role is to whoever started it. */
import type { Subscription } from "../log/log.ts";

export interface Running {
  /** For the person who started it: what runs, where. */
  readonly where: string;
  /** Resolves when it was closed; rejects when it can't go on. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Closes what was opened, the last first, each whatever became of the others. Rejects with what went wrong, once all were tried. */
export const closeAll = async (opened: readonly (() => Promise<unknown>)[]): Promise<void> => {
  const errors: unknown[] = [];
  for (const close of opened.toReversed())
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("; "));
};

/** Several subscriptions as one: the first that can't go on ends all. */
export const followAll = (names: readonly string[], subscriptions: readonly Subscription[]): Running => ({
  where: names.join(", "),
  done: Promise.all(subscriptions.map(({ done }) => done)).then(() => undefined),
  close: () => closeAll(subscriptions.map((subscription) => () => subscription.close())),
});
