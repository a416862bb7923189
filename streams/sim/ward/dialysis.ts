/** A haemodialysis machine of the simulated ward: one long treatment, pressures that breathe with the blood pump. */
import type { Random } from "../random.ts";
import { mqttTopicOf, type WardMessage } from "./messages.ts";

const everyS = 10;
/** A treatment takes this long; then the machine rinses for a while and begins the next. */
const treatmentS = 4 * 3600;
const rinseS = 1_200;

export interface DialysisOptions {
  readonly device: string;
  readonly random: Random;
  readonly startMs: number;
  readonly phaseMs: number;
}

export class Dialysis {
  readonly #options: DialysisOptions;
  readonly #bloodFlow: number;
  readonly #ultrafiltrationLPerHour: number;
  readonly #begunS: number;

  constructor(options: DialysisOptions) {
    this.#options = options;
    this.#bloodFlow = 10 * Math.round(options.random.between(25, 35));
    this.#ultrafiltrationLPerHour = Math.round(options.random.between(30, 80)) / 100;
    this.#begunS = Math.round(options.random.between(600, treatmentS / 2));
  }

  second(atS: number): WardMessage[] {
    if (atS % everyS !== 0) return [];
    const { device, startMs, phaseMs } = this.#options;
    const sinceS = (this.#begunS + atS) % (treatmentS + rinseS);
    const atMs = startMs + atS * 1000 + phaseMs;
    const payload = new TextEncoder().encode(
      JSON.stringify({
        machine: { id: device, starts: 41 },
        epochSeconds: Math.floor(atMs / 1000),
        treatment: sinceS < treatmentS ? this.#running(sinceS) : { phase: "rinsing" },
      }),
    );
    return [{ atMs: atMs + 30, device, stream: "numerics", mqttTopic: mqttTopicOf(device, "numerics"), payload }];
  }

  #running(sinceS: number): object {
    const { random } = this.#options;
    const mmHg = (value: number): object => ({ value: Math.round(value + 4 * random.gauss()), unit: "mmHg" });
    return {
      phase: "running",
      extracorporeal: {
        arterialPressure: mmHg(-0.5 * this.#bloodFlow),
        venousPressure: mmHg(0.42 * this.#bloodFlow + 10 * (sinceS / treatmentS)),
        bloodFlow: { value: Math.round(this.#bloodFlow + random.gauss()), unit: "mL/min" },
      },
      ultrafiltration: {
        rate: { value: this.#ultrafiltrationLPerHour, unit: "L/h" },
        removed: { value: Math.round((this.#ultrafiltrationLPerHour * sinceS) / 3.6) / 1000, unit: "L" },
      },
    };
  }
}
