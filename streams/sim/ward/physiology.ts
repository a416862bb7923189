/**
 * One patient's body, second by second: each quantity drifts around its resting value, follows the day, and approaches what a
 * story asks for with the inertia of the organ behind it (first order, the time constants below).
 */
import type { Random } from "../random.ts";

/** What the body is at; rates per minute, pressures in mmHg, temperature in Cel. */
export interface Vitals {
  readonly heartRate: number;
  readonly respiratoryRate: number;
  readonly spo2: number;
  readonly temperature: number;
  readonly systolic: number;
  readonly diastolic: number;
}

export type Quantity = keyof Vitals;

/** What a story asks of the body at a moment: values to go to instead of the resting ones, and how its heart beats. */
export interface Demand {
  readonly towards: Partial<Vitals>;
  /** Seconds; instead of the body's own inertia. */
  readonly withinS?: Partial<Vitals>;
  /** Atrial fibrillation: irregular beats, of which this share does not reach the finger. */
  readonly pulseDeficit?: number;
  /** No beat, no breath. */
  readonly arrest?: boolean;
}

export const atRest: Demand = { towards: {} };

/** Seconds to 63 % of a change: order of magnitude of baroreflex, ventilation, oxygen stores and heat content. */
const inertiaS: Vitals = {
  heartRate: 15,
  respiratoryRate: 20,
  spo2: 25,
  temperature: 600,
  systolic: 30,
  diastolic: 30,
};

/** Spontaneous variation: deviation of a slow drift (order one minute). */
const drift: Vitals = {
  heartRate: 1.6,
  respiratoryRate: 0.9,
  spo2: 0.4,
  temperature: 0.03,
  systolic: 2.5,
  diastolic: 1.6,
};
const driftMemory = Math.exp(-1 / 60);

/** Half the swing between four in the morning and four in the afternoon. */
const circadian: Vitals = {
  heartRate: 3,
  respiratoryRate: 0.5,
  spo2: 0,
  temperature: 0.25,
  systolic: 4,
  diastolic: 3,
};
const dayMs = 86_400_000;
const lowestAtMs = 4 * 3_600_000;

const quantities = Object.keys(drift) as readonly Quantity[];

/** A healthy enough adult at rest in bed, far enough from every default alarm limit to stay on the right side. */
export const restingVitals = (r: Random): Vitals => {
  const systolic = r.between(112, 138);
  return {
    heartRate: r.between(66, 88),
    respiratoryRate: r.between(13, 18),
    spo2: r.between(95.8, 98.2),
    temperature: r.between(36.5, 37.2),
    systolic,
    diastolic: systolic * r.between(0.58, 0.64),
  };
};

export class Body {
  readonly #rest: Vitals;
  readonly #random: Random;
  readonly #now: Record<Quantity, number>;
  readonly #wander: Record<Quantity, number>;

  constructor(rest: Vitals, random: Random, atMs: number) {
    this.#rest = rest;
    this.#random = random;
    this.#wander = { heartRate: 0, respiratoryRate: 0, spo2: 0, temperature: 0, systolic: 0, diastolic: 0 };
    this.#now = { ...rest };
    for (const quantity of quantities) this.#now[quantity] += circadian[quantity] * phaseOfDay(atMs);
  }

  /** One second later. */
  step(atMs: number, demand: Demand): Vitals {
    const day = phaseOfDay(atMs);
    for (const quantity of quantities) {
      this.#wander[quantity] =
        driftMemory * this.#wander[quantity] +
        drift[quantity] * Math.sqrt(1 - driftMemory * driftMemory) * this.#random.gauss();
      const target = demand.towards[quantity] ?? this.#rest[quantity] + circadian[quantity] * day;
      const tau = demand.withinS?.[quantity] ?? inertiaS[quantity];
      this.#now[quantity] += (target - this.#now[quantity]) / Math.max(1, tau);
    }
    return this.now();
  }

  now(): Vitals {
    const at = (quantity: Quantity): number => this.#now[quantity] + this.#wander[quantity];
    return {
      heartRate: Math.max(0, at("heartRate")),
      respiratoryRate: Math.max(0, at("respiratoryRate")),
      spo2: Math.min(100, Math.max(0, at("spo2"))),
      temperature: at("temperature"),
      systolic: Math.max(0, at("systolic")),
      diastolic: Math.max(0, at("diastolic")),
    };
  }
}

const phaseOfDay = (atMs: number): number => -Math.cos((2 * Math.PI * (atMs - lowestAtMs)) / dayMs);

/** Mean arterial pressure from the two others: a third of the way up. */
export const meanPressure = ({ systolic, diastolic }: Pick<Vitals, "systolic" | "diastolic">): number =>
  diastolic + (systolic - diastolic) / 3;
