/**
 * The state of a task's keys, in cells, with an overlay for the step in progress: a step that throws leaves
 * nothing behind, and a checkpoint writes only the cells that changed since the last one.
 */
import { Agenda } from "./agenda.ts";
import type { State } from "./stage.ts";
import type { LogTime } from "./time.ts";

/** Between the parts of a stored entry's name: c, key, cell; or d, key. */
export const separator = "\u0000";
const cellKey = (key: string, cell: string): string => `c${separator}${key}${separator}${cell}`;
export const dueKey = (key: string): string => `d${separator}${key}`;

export class Cells {
  readonly #keys = new Map<string, Map<string, unknown>>();
  readonly #agenda = new Agenda();
  readonly #dirtyCells = new Map<string, Set<string>>();
  readonly #dirtyDue = new Set<string>();

  /** Takes one stored entry; false if it is not state of a key. */
  restore(stored: string, value: () => unknown): boolean {
    const [type, key, cell] = stored.split(separator);
    if (type === "c" && key !== undefined && cell !== undefined) this.#cellsOf(key).set(cell, value());
    else if (type === "d" && key !== undefined) this.#agenda.set(key, value() as number);
    else return false;
    return true;
  }

  /** Begins a step on a key. Call `commit` or drop the result. */
  open(key: string): OpenState {
    return new OpenState(this.#keys.get(key), this.#agenda.get(key), (changes, dueAt) =>
      this.#commit(key, changes, dueAt),
    );
  }

  due(now: LogTime): string[] {
    const keys = this.#agenda.due(now);
    for (const key of keys) this.#dirtyDue.add(key);
    return keys;
  }

  /** What changed since the last call, as stored entries; null removes. */
  changes(into: Map<string, unknown>): void {
    for (const [key, cells] of this.#dirtyCells)
      for (const cell of cells) into.set(cellKey(key, cell), this.#keys.get(key)?.get(cell) ?? null);
    for (const key of this.#dirtyDue) into.set(dueKey(key), this.#agenda.get(key));
    this.#dirtyCells.clear();
    this.#dirtyDue.clear();
  }

  #cellsOf(key: string): Map<string, unknown> {
    return this.#keys.getOrInsertComputed(key, () => new Map());
  }

  #commit(key: string, changes: ReadonlyMap<string, unknown>, dueAt: number | null): void {
    if (changes.size > 0) {
      const cells = this.#cellsOf(key);
      const dirty = this.#dirtyCells.getOrInsertComputed(key, () => new Set());
      for (const [cell, value] of changes) {
        if (value === undefined) cells.delete(cell);
        else cells.set(cell, value);
        dirty.add(cell);
      }
      if (cells.size === 0) this.#keys.delete(key);
    }
    if (dueAt !== this.#agenda.get(key)) {
      this.#agenda.set(key, dueAt);
      this.#dirtyDue.add(key);
    }
  }
}

/** One key's state during one step. */
export class OpenState implements State<unknown> {
  readonly #base: ReadonlyMap<string, unknown> | undefined;
  readonly #changes = new Map<string, unknown>();
  readonly #done: (changes: ReadonlyMap<string, unknown>, dueAt: LogTime | null) => void;
  dueAt: LogTime | null;

  constructor(
    base: ReadonlyMap<string, unknown> | undefined,
    dueAt: number | null,
    done: (changes: ReadonlyMap<string, unknown>, dueAt: LogTime | null) => void,
  ) {
    this.#base = base;
    this.dueAt = dueAt as LogTime | null;
    this.#done = done;
  }

  get(cell: string): unknown {
    return this.#changes.has(cell) ? this.#changes.get(cell) : this.#base?.get(cell);
  }

  set(cell: string, value: unknown): void {
    this.#changes.set(cell, value);
  }

  delete(cell: string): void {
    if (this.get(cell) !== undefined) this.#changes.set(cell, undefined);
  }

  cells(): Iterable<readonly [string, unknown]> {
    const merged = new Map(this.#base);
    for (const [cell, value] of this.#changes) {
      if (value === undefined) merged.delete(cell);
      else merged.set(cell, value);
    }
    return [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  commit(): void {
    this.#done(this.#changes, this.dueAt);
  }
}
