/** One key's conditions and places as a step finds them, and how a turn of a condition is kept and told. */
import type { Out, State } from "../../streams/core/stage.ts";
import { type LogTime, logTime } from "../../streams/core/time.ts";
import type { alarms, alertQuarantine } from "../../schemas/topics.ts";
import type { Condition, Turn } from "./condition.ts";
import type { Context } from "./facts.ts";
import { nowhere, type Place } from "./place.ts";

export type Cell = Condition | Place;
export type AlarmsOut = Out<{ alarms: typeof alarms; quarantine: typeof alertQuarantine }>;

/** A condition that is absent, and the place of a device that left, are remembered for a day of log time. */
const keptMs = 86_400_000;
/** So many absent conditions of one key are remembered; a device that makes up codes fills no memory. */
const absentMost = 256;
/** A late alarm of a device, of which nothing more is heard for so long, counts as still there: it must not stay silent. */
export const lateUnknownMs = 60_000;
/** What is older than this on arrival says nothing of now (clinical.md 7). */
const lateMs = 60_000;

const conditionPrefix = "condition ";
const placePrefix = "place ";

/** A condition's name within its key; JSON, for a device's own words may hold anything. */
export const nameOf = (...parts: readonly string[]): string => JSON.stringify(parts);

export class Desk {
  readonly #state: State<Cell>;
  readonly #out: AlarmsOut;
  readonly who: string;
  readonly now: LogTime;

  constructor(state: State<Cell>, out: AlarmsOut, who: string, now: LogTime) {
    this.#state = state;
    this.#out = out;
    this.who = who;
    this.now = now;
  }

  condition(name: string): Condition | undefined {
    return this.#state.get(conditionPrefix + name) as Condition | undefined;
  }

  /** All of them, by name; those of one device where it is given. */
  conditions(device?: string): readonly (readonly [string, Condition])[] {
    const all: (readonly [string, Condition])[] = [];
    for (const [cell, value] of this.#state.cells()) {
      if (!cell.startsWith(conditionPrefix)) continue;
      const condition = value as Condition;
      if (device === undefined || condition.open?.device === device)
        all.push([cell.slice(conditionPrefix.length), condition]);
    }
    return all;
  }

  place(device: string): Place {
    return (this.#state.get(placePrefix + device) as Place | undefined) ?? nowhere;
  }

  places(): readonly (readonly [string, Place])[] {
    return [...this.#state.cells()]
      .filter(([cell]) => cell.startsWith(placePrefix))
      .map(([cell, place]) => [cell.slice(placePrefix.length), place as Place]);
  }

  /** A word of event time `at` says nothing of now: it came too late, or its device is with somebody else by now (clinical.md 7, 8). */
  isLate(device: string, at: number): boolean {
    return this.now - at > lateMs || this.place(device).leftAt !== null;
  }

  context(device: string): Context {
    return { who: this.who, place: this.place(device), now: this.now };
  }

  keepPlace(device: string, place: Place): void {
    this.#state.set(placePrefix + device, place);
    this.#comeBackAt(nextLook(place));
  }

  /** Keeps the condition and tells what is to be told, to the unit that has the alarm. */
  take(name: string, { condition, told }: Turn): void {
    this.#state.set(conditionPrefix + name, condition);
    for (const alarm of told) this.#out.emit("alarms", alarm.unit, alarm);
    if (condition.open === null) this.#forgetOldest();
    this.#comeBackAt(nextTurn(condition));
  }

  /** Tells without keeping: nothing of a test stays. */
  tell({ told }: Turn): void {
    for (const alarm of told) this.#out.emit("alarms", alarm.unit, alarm);
  }

  refuse(reason: string, detail: string): void {
    this.#out.quarantine({ reason, detail });
  }

  /** Forgets what is over for a day, and asks for the next due step. */
  clear(): void {
    this.#state.dueAt = null;
    for (const [name, condition] of this.conditions()) {
      if (condition.closedAt !== null && condition.closedAt + keptMs <= this.now)
        this.#state.delete(conditionPrefix + name);
      else this.#comeBackAt(nextTurn(condition));
    }
    for (const [device, place] of this.places()) {
      if (place.leftAt !== null && place.leftAt + keptMs <= this.now) this.#state.delete(placePrefix + device);
      else this.#comeBackAt(nextLook(place));
    }
  }

  #forgetOldest(): void {
    const absent = this.conditions().filter(([, { closedAt }]) => closedAt !== null);
    if (absent.length <= absentMost) return;
    const [oldest] = absent.sort(([, a], [, b]) => (a.closedAt ?? 0) - (b.closedAt ?? 0));
    if (oldest !== undefined) this.#state.delete(conditionPrefix + oldest[0]);
  }

  #comeBackAt(at: number | null): void {
    const { dueAt } = this.#state;
    if (at !== null && (dueAt === null || at < dueAt)) this.#state.dueAt = logTime(at);
  }
}

/** When time alone changes something of it; null: never. */
const nextTurn = ({ open, closedAt, signal, lateUntil }: Condition): number | null => {
  if (open === null) return closedAt === null ? null : closedAt + keptMs;
  const times = [signal.pausedUntil, lateUntil].filter((at) => at !== null);
  return times.length === 0 ? null : Math.min(...times);
};

/** When something is to be done with a place. */
const nextLook = ({ waiting, leftAt }: Place): number | null => {
  if (waiting !== null && waiting.words.length > 0) return waiting.until;
  return leftAt === null ? null : leftAt + keptMs;
};
