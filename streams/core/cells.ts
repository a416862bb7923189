/**
 * The state of a task's keys, in cells, with an overlay for the step in progress: a step that throws leaves
 * nothing behind, and a checkpoint writes only the cells that changed since the last one.
 */
import { Agenda, type Appointment } from "./agenda.ts";
import type { State } from "./stage.ts";
import type { LogTime } from "./time.ts";

/** Between the parts of a stored entry's name: c, key, cell; d, key; or h, key. */
export const separator = "\u0000";
export const cellKey = (key: string, cell: string): string => `c${separator}${key}${separator}${cell}`;
export const dueKey = (key: string): string => `d${separator}${key}`;
const heldKey = (key: string): string => `h${separator}${key}`;

/** A due step that throws is tried again after so long, in ms of log time; each further failure doubles it. */
const firstHoldMs = 60_000;
const longestHoldMs = 3_600_000;

/** A key whose due step threw: its appointment stands as it was, and is not kept before `until`. */
interface Held {
  readonly until: number;
  /** How often in a row. */
  readonly failures: number;
}

export class Cells {
  readonly #keys = new Map<string, Map<string, unknown>>();
  readonly #agenda = new Agenda();
  readonly #held = new Map<string, Held>();
  /** What the held keys had asked for; that of every other key is in the agenda. */
  readonly #asked = new Map<string, number>();
  readonly #dirtyCells = new Map<string, Set<string>>();
  readonly #dirtyDue = new Set<string>();
  readonly #dirtyHeld = new Set<string>();

  /** Takes one stored entry; false if it is not state of a key. */
  restore(stored: string, value: () => unknown): boolean {
    const [type, key, cell] = stored.split(separator);
    if (type === "c" && key !== undefined && cell !== undefined) this.#cellsOf(key).set(cell, value());
    else if (type === "d" && key !== undefined) this.#appoint(key, value() as number);
    else if (type === "h" && key !== undefined) this.#hold(key, value() as Held, this.#dueAt(key));
    else return false;
    return true;
  }

  /** Begins a step on a key. Call `commit` or drop the result. */
  open(key: string): OpenState {
    return new OpenState(this.#keys.get(key), this.#dueAt(key), (changes, dueAt) => this.#commit(key, changes, dueAt));
  }

  /** Takes out what is due, each with the time that its key had asked for. Each must be followed by `kept` or `holdOff`. */
  due(now: LogTime): Appointment[] {
    return this.#agenda.due(now).map(({ key, at }) => {
      const asked = this.#asked.get(key) ?? at;
      this.#asked.delete(key);
      this.#dirtyDue.add(key);
      return { key, at: asked };
    });
  }

  /** Its due step went well. */
  kept({ key }: Appointment): void {
    const dueAt = this.#dueAt(key);
    if (!this.#held.delete(key)) return;
    this.#dirtyHeld.add(key);
    this.#appoint(key, dueAt);
  }

  /** Its due step threw: gives the appointment back as it was and holds it off, longer with each failure. */
  holdOff({ key, at }: Appointment, now: LogTime): void {
    const failures = (this.#held.get(key)?.failures ?? 0) + 1;
    const until = now + Math.min(firstHoldMs * 2 ** (failures - 1), longestHoldMs);
    this.#hold(key, { until, failures }, at);
    this.#dirtyHeld.add(key);
  }

  #hold(key: string, held: Held, dueAt: number | null): void {
    this.#held.set(key, held);
    this.#appoint(key, dueAt);
  }

  #dueAt(key: string): number | null {
    return this.#asked.get(key) ?? this.#agenda.get(key);
  }

  #appoint(key: string, dueAt: number | null): void {
    const held = this.#held.get(key);
    const wait = held !== undefined && dueAt !== null && held.until > dueAt;
    if (wait) this.#asked.set(key, dueAt);
    else this.#asked.delete(key);
    this.#agenda.set(key, wait ? held.until : dueAt);
  }

  /** What changed since the last call, as stored entries; null removes. */
  changes(into: Map<string, unknown>): void {
    for (const [key, cells] of this.#dirtyCells)
      for (const cell of cells) into.set(cellKey(key, cell), this.#keys.get(key)?.get(cell) ?? null);
    for (const key of this.#dirtyDue) into.set(dueKey(key), this.#dueAt(key));
    for (const key of this.#dirtyHeld) into.set(heldKey(key), this.#held.get(key) ?? null);
    this.#dirtyCells.clear();
    this.#dirtyDue.clear();
    this.#dirtyHeld.clear();
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
    if (dueAt !== this.#dueAt(key)) {
      this.#appoint(key, dueAt);
      this.#dirtyDue.add(key);
    }
    if (dueAt === null && this.#held.delete(key)) this.#dirtyHeld.add(key);
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
    if (cell.includes(separator)) throw new Error("a cell's name has U+0000 in it");
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
