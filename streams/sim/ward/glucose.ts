/** A glucose sensor of the simulated ward: a value every five minutes, one that it missed now and then sent along later. */
import type { Random } from "../random.ts";
import { mqttTopicOf, type WardMessage } from "./messages.ts";
import { isoUtc } from "./time.ts";

const everyS = 300;
const mgPerMmol = 18.0182;
const restingMgPerDl = 118;
/** Meals raise it and pass with this period and amplitude. */
const mealEveryS = 5 * 3600;
const mealMgPerDl = 30;

export interface GlucoseOptions {
  readonly device: string;
  readonly random: Random;
  readonly startMs: number;
  readonly phaseMs: number;
  readonly unit: "mg/dL" | "mmol/L";
  /** The second of its first value. */
  readonly firstS: number;
}

interface Egv {
  readonly time: string;
  readonly value: number;
  readonly trend: string;
}

export class Glucose {
  readonly #options: GlucoseOptions;
  readonly #session: string;
  readonly #mealPhase: number;
  #wander = 0;
  #before = restingMgPerDl;
  #counter = 0;
  #missed: Egv[] = [];

  constructor(options: GlucoseOptions) {
    this.#options = options;
    this.#session = options.random.hex(4);
    this.#mealPhase = options.random.next();
  }

  second(atS: number): WardMessage[] {
    const { device, startMs, phaseMs, random, firstS, unit } = this.#options;
    if (atS < firstS || (atS - firstS) % everyS !== 0) return [];
    const atMs = startMs + atS * 1000 + phaseMs;
    const egvs = [...this.#missed, this.#measure(atS, atMs)];
    this.#counter++;
    const isMissed = this.#counter > 1 && this.#missed.length === 0 && random.next() < 0.05;
    this.#missed = isMissed ? egvs : [];
    if (isMissed) return [];
    const payload = new TextEncoder().encode(
      JSON.stringify({
        transmitter: device,
        session: this.#session,
        counter: this.#counter,
        sent: isoUtc(atMs),
        unit,
        egvs,
      }),
    );
    return [{ atMs: atMs + 60, device, stream: "numerics", mqttTopic: mqttTopicOf(device, "numerics"), payload }];
  }

  #measure(atS: number, atMs: number): Egv {
    const { random, unit } = this.#options;
    this.#wander = 0.9 * this.#wander + 4 * random.gauss();
    const meal = mealMgPerDl * Math.sin(2 * Math.PI * (atS / mealEveryS + this.#mealPhase));
    const mgPerDl = restingMgPerDl + meal + this.#wander;
    const perFiveMinutes = mgPerDl - this.#before;
    this.#before = mgPerDl;
    return {
      time: isoUtc(atMs - 5_000),
      value: unit === "mg/dL" ? Math.round(mgPerDl) : Math.round((mgPerDl / mgPerMmol) * 10) / 10,
      trend: perFiveMinutes > 5 ? "fortyFiveUp" : perFiveMinutes < -5 ? "fortyFiveDown" : "flat",
    };
  }
}
