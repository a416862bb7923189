/**
 * The one source of order in a simulated cluster: a virtual clock and everything that is under way, of which seeded chance takes one
 * at a time. The same seed takes them in the same order, which the trace shows.
 */
import type { Random } from "../random.ts";

/** A process of the cluster. What it waits for comes no more when it is dead, and only later while it is paused. */
export interface SimProcess {
  readonly id: number;
  alive: boolean;
  paused: boolean;
}

interface Action {
  /** Whom it needs alive and awake; null for what happens by itself (a broker taking a request). */
  readonly process: SimProcess | null;
  readonly what: string;
  readonly run: () => void;
}

interface Alarm extends Action {
  readonly atMs: number;
}

const longestStepMs = 4;

export class Schedule {
  readonly #random: Random;
  readonly #ready: Action[] = [];
  #held: Action[] = [];
  #alarms: Alarm[] = [];
  #trace = 0x811c9dc5;
  #steps = 0;
  #nowMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** A hash over what happened in which order. */
  get trace(): string {
    return (this.#trace >>> 0).toString(16).padStart(8, "0");
  }

  /** True once in so many draws. */
  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** A whole number from 0 up to, not including, `below`. */
  pick(below: number): number {
    return Math.floor(this.#random.next() * below);
  }

  add(process: SimProcess | null, what: string, run: () => void): void {
    this.#ready.push({ process, what, run });
  }

  /** Gives a function that cancels it. */
  after(process: SimProcess | null, ms: number, what: string, run: () => void): () => void {
    const alarm: Alarm = { atMs: this.#nowMs + ms, process, what, run };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Lets what a paused process waited for come to it. */
  resume(process: SimProcess): void {
    process.paused = false;
    this.#ready.push(...this.#held.filter((action) => action.process === process));
    this.#held = this.#held.filter((action) => action.process !== process);
  }

  /** Does one thing, then lets every process react until all wait again. False when nothing is left to do. */
  async step(): Promise<boolean> {
    let action = this.#take();
    if (action === undefined) {
      await settled();
      action = this.#take();
    }
    if (action === undefined) return false;
    this.#steps++;
    this.#note(action.what);
    if (action.process !== null) this.#note(String(action.process.id));
    action.run();
    // what happens at a broker by itself wakes nobody: it only sets answers under way
    if (action.process !== null) await settled();
    return true;
  }

  #take(): Action | undefined {
    for (;;) {
      if (this.#ready.length === 0) {
        const soonest = Math.min(...this.#alarms.map(({ atMs }) => atMs));
        if (!Number.isFinite(soonest)) return undefined;
        this.#nowMs = Math.max(this.#nowMs, soonest);
      } else this.#nowMs += this.#random.next() * longestStepMs;
      this.#ring();
      const index = this.pick(this.#ready.length);
      const action = this.#ready[index];
      const last = this.#ready.pop();
      if (action === undefined || last === undefined) continue;
      if (action !== last) this.#ready[index] = last;
      if (action.process?.alive === false) continue;
      if (action.process?.paused !== true) return action;
      this.#held.push(action);
    }
  }

  #ring(): void {
    if (this.#alarms.length === 0 || this.#alarms.every(({ atMs }) => atMs > this.#nowMs)) return;
    this.#ready.push(...this.#alarms.filter(({ atMs }) => atMs <= this.#nowMs));
    this.#alarms = this.#alarms.filter(({ atMs }) => atMs > this.#nowMs);
  }

  #note(what: string): void {
    for (let i = 0; i < what.length; i++) this.#trace = Math.imul(this.#trace ^ what.charCodeAt(i), 0x01000193);
  }
}

/** Node runs a tick only when no promise has anything left to do: then every process waits for the schedule. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
