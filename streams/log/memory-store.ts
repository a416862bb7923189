/** The state of tasks in memory, fenced by claim epochs. */
import { InvariantError } from "../core/failure.ts";
import type { Owner } from "./log.ts";
import { fenced, partitionCountChanged, unknownTopic } from "./refusal.ts";

interface Held {
  epoch: number;
  /** Bytes as text, one character each: in V8's heap, which answers so many bytes outside of it with full collections. */
  readonly state: Map<string, string>;
}

const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
const bytesOf = (state: ReadonlyMap<string, string>): Map<string, Uint8Array> =>
  new Map([...state].map(([key, text]) => [key, Buffer.from(text, "latin1")]));

export class MemoryStore {
  readonly #name: string;
  readonly #partitions: readonly Held[];

  constructor(name: string, partitions: number) {
    this.#name = name;
    this.#partitions = Array.from({ length: partitions }, () => ({ epoch: 0, state: new Map() }));
  }

  snapshot(partition: number): ReadonlyMap<string, Uint8Array> {
    return bytesOf(this.#partitions[partition]?.state ?? new Map());
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
        return bytesOf(held.state);
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
          else held.state.set(key, textOf(value));
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
