/** One partition of a compacted state topic, with the transactions of its one transactional id: as Kafka keeps it. */
import type { SimProcess } from "./schedule.ts";

interface StateRecord {
  readonly offset: number;
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
}

export class StatePartition {
  #records: StateRecord[] = [];
  #next = 0;
  #epoch = 0;
  /** Who loads: a cleaner keeps tombstones for longer than any load takes (delete.retention.ms). */
  readonly loading = new Set<SimProcess>();

  get end(): number {
    return this.#next;
  }

  /** How many records the topic holds, superseded ones included. */
  get size(): number {
    return this.#records.length;
  }

  /** How often the task was claimed. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Fences every earlier epoch. */
  nextEpoch(): number {
    return ++this.#epoch;
  }

  isCurrent(epoch: number): boolean {
    return epoch === this.#epoch;
  }

  append(key: string, value: Uint8Array | null): number {
    this.#records.push({ offset: this.#next, key, value });
    return this.#next++;
  }

  /** At most so many records from an offset on. */
  read(from: number, most: number): readonly StateRecord[] {
    const first = this.#records.findIndex(({ offset }) => offset >= from);
    return first < 0 ? [] : this.#records.slice(first, first + most);
  }

  /** What stands now, tombstones left out. */
  current(): ReadonlyMap<string, Uint8Array> {
    const last = new Map(this.#records.map(({ key, value }) => [key, value]));
    return new Map([...last].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
  }

  /** Forgets what a later record of the same key supersedes, up to the very end, and old tombstones when nobody loads. */
  compact(dropsTombstone: () => boolean): void {
    const loaded = [...this.loading].some(({ alive }) => alive);
    const last = new Map(this.#records.map(({ key, offset }) => [key, offset]));
    this.#records = this.#records.filter(
      ({ key, offset, value }) => last.get(key) === offset && !(value === null && !loaded && dropsTombstone()),
    );
  }
}
