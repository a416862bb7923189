/** Which keys want a due step and when: a binary heap with lazy deletion, so that a tick touches only due keys. */

export interface Appointment {
  readonly at: number;
  readonly key: string;
}

export class Agenda {
  readonly #heap: Appointment[] = [];
  readonly #current = new Map<string, number>();

  /** Replaces the key's appointment; null cancels it. */
  set(key: string, at: number | null): void {
    if (this.#current.get(key) === (at ?? undefined)) return;
    if (at === null) {
      this.#current.delete(key);
      return;
    }
    this.#current.set(key, at);
    this.#push({ at, key });
  }

  get(key: string): number | null {
    return this.#current.get(key) ?? null;
  }

  /** Takes out and returns, in ascending order of key, the appointments whose time has come. */
  due(now: number): Appointment[] {
    const come: Appointment[] = [];
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop();
      if (this.#current.get(top.key) !== top.at) continue;
      this.#current.delete(top.key);
      come.push(top);
    }
    return come.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #push(item: Appointment): void {
    const heap = this.#heap;
    let i = heap.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= item.at) break;
      heap[i] = above;
      heap[parent] = item;
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      const least = right !== undefined && right.at < left.at ? right : left;
      if (least === right) child++;
      if (least.at >= last.at) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}
