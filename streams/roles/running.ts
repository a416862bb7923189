/** What a started role is to whoever started it. */
import type { Subscription } from "../log/log.ts";

export interface Running {
  /** For the person who started it: what runs, where. */
  readonly where: string;
  /** Resolves when it was closed; rejects when it can't go on. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Several subscriptions as one: the first that can't go on ends all. */
export const followAll = (names: readonly string[], subscriptions: readonly Subscription[]): Running => ({
  where: names.join(", "),
  done: Promise.all(subscriptions.map(({ done }) => done)).then(() => undefined),
  close: async () => {
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
  },
});
