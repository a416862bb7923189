/** A consumer group in memory: its members in the order of their joining share the partitions of one topic. */
import { shareOf } from "./share-of.ts";
import type { Membership } from "./shared-subscription.ts";
import { Signal } from "./signal.ts";

export class MemoryGroup {
  readonly #partitions: number;
  readonly #members: object[] = [];
  readonly #holders = new Map<number, object>();
  readonly #signals = new Map<object, Signal>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  join(): Membership {
    const member = {};
    const changed = new Signal();
    this.#members.push(member);
    this.#signals.set(member, changed);
    this.#tellAll();
    return {
      changed,
      wanted: () => shareOf(this.#members, member, this.#partitions),
      take: (partition) => this.#holders.getOrInsert(partition, member) === member,
      holds: (partition) => this.#holders.get(partition) === member,
      release: (partition) => {
        if (this.#holders.get(partition) === member) this.#holders.delete(partition);
        this.#tellAll();
      },
      leave: async () => {
        this.#members.splice(this.#members.indexOf(member), 1);
        this.#signals.delete(member);
        this.#tellAll();
      },
    };
  }

  #tellAll(): void {
    for (const signal of this.#signals.values()) signal.notify();
  }
}
