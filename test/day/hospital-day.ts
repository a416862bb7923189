/**
 * A hospital's day from a seed: who really lay where when (the truth), and what the platform was told of it, when: late, wrongly, and
 * corrected. Every change lies a quarter of a minute beside the whole minutes at which devices measure, so that no clock is in doubt.
 */
import { type Random, random } from "../../streams/sim/random.ts";

export const minuteMs = 60_000;
export const dayStart = Date.UTC(2026, 10, 20);
export const minutesOfDay = 1_440;
const besides = 15_000;

/** One movement: a person is in a bed from then on, or in none. */
export interface Movement {
  readonly id: string;
  readonly at: number;
  readonly person: number;
  readonly bed: number | null;
}

export type Told =
  | { readonly at: number; readonly what: "movement"; readonly movement: Movement }
  /** It never happened. */
  | { readonly at: number; readonly what: "cancel"; readonly movement: string }
  | { readonly at: number; readonly what: "merge"; readonly person: number };

export interface Day {
  readonly beds: number;
  readonly persons: number;
  readonly truth: readonly Movement[];
  /** In the order in which the platform is told. */
  readonly told: readonly Told[];
  /** The device of this bed is cut off for four hours and sends all of it afterwards. */
  readonly cutOff: { readonly bed: number; readonly from: number; readonly to: number };
  readonly merged: number;
  readonly counts: Readonly<
    Record<"admissions" | "transfers" | "discharges" | "swaps" | "cancelled" | "wrongPatients", number>
  >;
}

const at = (minute: number): number => dayStart + minute * minuteMs + besides;
const whole = (r: Random, from: number, to: number): number => Math.floor(r.between(from, to));
const pick = <T>(r: Random, all: readonly T[]): T => all[whole(r, 0, all.length)] as T;

/** Most of it within minutes, some within the hour, a tenth of it hours late. */
const delayMs = (r: Random): number => {
  const kind = r.next();
  const minutes = kind < 0.6 ? whole(r, 0, 5) : kind < 0.9 ? whole(r, 5, 40) : whole(r, 60, 180);
  return minutes * minuteMs + 30_000;
};

const beds = 8;
const admissions = 20;

/** The movements of the day as they were: 20 admissions, transfers between, two swaps, discharges where a bed is needed or it is time. */
class Truth {
  readonly #r: Random;
  readonly movements: Movement[] = [];
  readonly inBed = new Map<number, number>();
  readonly counts = { admissions: 0, transfers: 0, discharges: 0, swaps: 0 };
  #next = 1;

  constructor(r: Random) {
    this.#r = r;
  }

  move(time: number, person: number, bed: number | null, id = `m${this.movements.length + 1}`): Movement {
    for (const [known, who] of this.inBed) if (who === person) this.inBed.delete(known);
    if (bed !== null) this.inBed.set(bed, person);
    const movement = { id, at: time, person, bed };
    this.movements.push(movement);
    return movement;
  }

  get free(): readonly number[] {
    return Array.from({ length: beds }, (_, bed) => bed).filter((bed) => !this.inBed.has(bed));
  }

  get taken(): readonly (readonly [number, number])[] {
    return [...this.inBed].sort(([a], [b]) => a - b);
  }

  discharge(minute: number): void {
    const { taken } = this;
    if (taken.length === 0) return;
    this.move(at(minute), pick(this.#r, taken)[1], null);
    this.counts.discharges++;
  }

  admit(minute: number): void {
    if (this.free.length === 0) this.discharge(minute - 2);
    this.move(at(minute), this.#next++, pick(this.#r, this.free));
    this.counts.admissions++;
  }

  transfer(minute: number): void {
    if (this.taken.length === 0 || this.free.length === 0) return;
    const [, person] = pick(this.#r, this.taken);
    this.move(at(minute), person, pick(this.#r, this.free));
    this.counts.transfers++;
  }

  /** Two change places at one moment: told as one act. */
  swap(minute: number): void {
    const { taken } = this;
    if (taken.length < 2) return;
    const [bedA, a] = pick(this.#r, taken);
    const [bedB, b] = pick(
      this.#r,
      taken.filter(([bed]) => bed !== bedA),
    );
    const id = `m${this.movements.length + 1}`;
    this.move(at(minute), a, bedB, `${id}a`);
    this.move(at(minute), b, bedA, `${id}b`);
    this.inBed.set(bedB, a);
    this.counts.swaps++;
  }

  get persons(): number {
    return this.#next - 1;
  }
}

type Plan = readonly [minute: number, does: "admit" | "transfer" | "discharge" | "swap"];

const planOf = (r: Random): readonly Plan[] => {
  const times = (n: number, from: number, what: Plan[1]): Plan[] =>
    Array.from({ length: n }, () => [whole(r, from, 1_380), what] as const);
  const all = [
    ...Array.from({ length: 5 }, (_, i) => [3 + 4 * i, "admit"] as const),
    ...times(admissions - 5, 30, "admit"),
    ...times(9, 60, "transfer"),
    ...times(8, 120, "discharge"),
    ...times(2, 200, "swap"),
  ];
  // Three minutes apart: which of two was first is never in doubt, and a bed is made free two minutes before it is needed.
  const taken = new Set<number>();
  return all
    .sort(([a], [b]) => a - b)
    .map(([minute, what]): Plan => {
      let free = minute;
      while ([-2, -1, 0, 1, 2].some((apart) => taken.has(free + apart))) free++;
      taken.add(free);
      return [free, what];
    })
    .sort(([a], [b]) => a - b);
};

/** What is told wrongly at first: a transfer that was called off, and an admission under another's wristband. */
const errorsOf = (
  r: Random,
  truth: Truth,
): { readonly told: readonly Told[]; readonly late: ReadonlyMap<string, number> } => {
  const told: Told[] = [];
  const late = new Map<string, number>();
  const quiet = truth.movements.filter(({ bed, at: time }) => bed !== null && time > at(100) && time < at(1_000));
  const stays = quiet.filter(
    ({ person, at: time }) =>
      !truth.movements.some((m) => m.person === person && m.at > time && m.at < time + 90 * minuteMs),
  );
  if (stays.length > 0) {
    const stay = pick(r, stays);
    const time = stay.at + whole(r, 20, 60) * minuteMs;
    const elsewhere = (((stay.bed ?? 0) + 1 + whole(r, 0, beds - 1)) % beds) as number;
    const called: Movement = { id: "called-off", at: time, person: stay.person, bed: elsewhere };
    const heard = time + delayMs(r);
    told.push({ at: heard, what: "movement", movement: called });
    told.push({ at: heard + whole(r, 10, 120) * minuteMs, what: "cancel", movement: "called-off" });
  }
  const mistaken = pick(
    r,
    quiet.filter(({ id }) => !/[ab]$/.test(id)),
  );
  const other = 1 + (mistaken.person % truth.persons);
  const heard = mistaken.at + delayMs(r);
  const corrected = heard + whole(r, 30, 200) * minuteMs;
  told.push({ at: heard, what: "movement", movement: { ...mistaken, id: "wrong-wristband", person: other } });
  told.push({ at: corrected, what: "cancel", movement: "wrong-wristband" });
  late.set(mistaken.id, corrected + 1_000);
  return { told, late };
};

export const dayOf = (seed: number): Day => {
  const r = random(seed, "day");
  const truth = new Truth(r);
  for (const [minute, does] of planOf(r)) truth[does](minute);
  const errors = errorsOf(r, truth);
  const swapDelay = new Map<string, number>();
  const told: Told[] = truth.movements.map((movement) => {
    const act = movement.id.replace(/[ab]$/, "");
    // A swap is told as one, and late: both were confirmed at the bedside and written down afterwards.
    const isSwap = act !== movement.id;
    if (isSwap && !swapDelay.has(act)) swapDelay.set(act, whole(r, 40, 180) * minuteMs);
    const heard = errors.late.get(movement.id) ?? movement.at + (swapDelay.get(act) ?? delayMs(r));
    return { at: heard, what: "movement", movement };
  });
  const merged = 1 + whole(r, 0, truth.persons);
  const merge: Told = { at: at(whole(r, 500, 1_300)), what: "merge", person: merged };
  const from = dayStart + whole(r, 200, 900) * minuteMs;
  return {
    beds,
    persons: truth.persons,
    truth: truth.movements,
    told: [...told, ...errors.told, merge].sort((a, b) => a.at - b.at),
    cutOff: { bed: whole(r, 0, beds), from, to: from + 240 * minuteMs },
    merged,
    counts: { ...truth.counts, cancelled: errors.told.length > 2 ? 1 : 0, wrongPatients: 1 },
  };
};
