/** The state of tasks in memory, fenced by claim epochs. */
import { InvariantError } from "../core/failure.ts";
import type { Owner } from "./log.ts";
import { fenced, partitionCountChanged, unknownTopic } from "./refusal.ts";

interface Held {
  epoch: number;
  readonly state: Map<string, Uint8Array>;
}

export class MemoryStore {
  readonly #name: string;
  readonly #partitions: readonly Held[];

  constructor(name: string, partitions: number) {
    this.#name = name;
    this.#partitions = Array.from({ length: partitions }, () => ({ epoch: 0, state: new Map() }));
  }

  snapshot(partition: number): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#partitions[partition]?.state);
  }

  claim(partition: number, partitions: number): Owner {
    if (partitions !== this.#partitions.length)
      throw partitionCountChanged(this.#name, this.#partitions.length, partitions);
    const held = this.#partitions[partition];
    if (held === undefined) throw unknownTopic(this.#name, partition);
    const epoch = ++held.epoch;
    let confirmed = false;
    let open = true;
    const assertOwner = (): void => {
      if (!open || held.epoch !== epoch) throw fenced(this.#name, partition);
    };
    return {
      load: async () => {
        assertOwner();
        return new Map(held.state);
      },
      confirm: async () => {
        assertOwner();
        confirmed = true;
      },
      commit: async (changes) => {
        assertOwner();
        assertConfirmed(confirmed, this.#name, partition);
        for (const [key, value] of changes)
          if (value === null) held.state.delete(key);
          else held.state.set(key, value);
      },
      close: async () => {
        open = false;
      },
    };
  }
}

/** An owner that steps without its second claim could emit from torn state (counterexample C11). */
export const assertConfirmed = (confirmed: boolean, store: string, partition: number): void => {
  if (!confirmed) throw new InvariantError(`${store}/${partition}: a commit before confirm`);
};
