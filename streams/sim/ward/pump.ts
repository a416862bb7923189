/** An infusion pump of the simulated ward: a steady rate that somebody titrates now and then. */
import type { Random } from "../random.ts";
import { mqttTopicOf, type WardMessage } from "./messages.ts";
import { isoUtc } from "./time.ts";

const everyS = 10;
const titratedEveryS = 1_200;
const syringeMl = 50;

export interface PumpOptions {
  readonly device: string;
  readonly random: Random;
  readonly startMs: number;
  readonly phaseMs: number;
  /** False: in store, switched on and infusing nothing. */
  readonly infusing: boolean;
}

export class Pump {
  readonly #options: PumpOptions;
  readonly #boot: string;
  #rateMlPerHour: number;
  #infusedMl: number;
  #sequence = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#boot = options.random.hex(4);
    this.#rateMlPerHour = options.infusing ? Math.round(options.random.between(2, 40) * 2) / 2 : 0;
    this.#infusedMl = options.infusing ? options.random.between(0, syringeMl / 2) : 0;
  }

  second(atS: number): WardMessage[] {
    const { device, startMs, phaseMs, random, infusing } = this.#options;
    this.#infusedMl += this.#rateMlPerHour / 3600;
    if (this.#infusedMl > syringeMl) this.#infusedMl = 0;
    if (infusing && atS > 0 && atS % titratedEveryS === 0)
      this.#rateMlPerHour = Math.max(1, this.#rateMlPerHour + Math.round(random.gauss() * 4) / 2);
    if (atS % everyS !== 0) return [];
    const atMs = startMs + atS * 1000 + phaseMs;
    const lines = [
      "PUMP/2",
      `ID=${device}`,
      `BOOT=${this.#boot}`,
      `SEQ=${++this.#sequence}`,
      `TIME=${isoUtc(atMs)}`,
      `STATE=${infusing ? "INFUSING" : "STANDBY"}`,
      `RATE=${this.#rateMlPerHour.toFixed(1)} mL/h`,
      `VOL=${this.#infusedMl.toFixed(2)} mL`,
      "",
    ];
    const payload = new TextEncoder().encode(lines.join("\n"));
    return [{ atMs: atMs + 20, device, stream: "numerics", mqttTopic: mqttTopicOf(device, "numerics"), payload }];
  }
}
