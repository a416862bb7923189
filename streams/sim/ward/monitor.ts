/** A bedside monitor of the simulated ward: what it makes of a body, its sensors and its line, once a second. */
import type { Random } from "../random.ts";
import { MonitorAlarms, type ShownAlarm } from "./monitor-alarms.ts";
import { type Rubbish, rubbish } from "./rubbish.ts";
import { mqttTopicOf, type WardMessage } from "./messages.ts";
import { atRest, Body, type Demand, meanPressure, type Vitals } from "./physiology.ts";
import { type Effect, effectAt, type Story } from "./stories.ts";
import { isoWithOffset } from "./time.ts";
import { Waves } from "./waves.ts";

const nibpEveryS = 900;
/** A cuff takes this long from its reading to the screen. */
const cuffDelayMs = 4_000;
const repeatsEveryS = 10;
const repeated = 3;

export interface MonitorOptions {
  readonly device: string;
  readonly story: Story | undefined;
  readonly rest: Vitals;
  readonly arterialLine: boolean;
  readonly waveforms: boolean;
  readonly random: Random;
  readonly startMs: number;
  /** Where in a second it sends, 0 to 900. */
  readonly phaseMs: number;
  readonly firstCuffS: number;
}

interface Numeric {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly status?: "INV";
  readonly at?: string;
}

/** What it believes of what it shows: nothing of a sensor that it knows is off, and no sentinel. */
const isShown = ({ name, status }: Numeric, { electrodesOff, probe }: Effect): boolean =>
  status === undefined && !(electrodesOff && name === "HR") && !(probe && (name === "PR" || name === "SpO2"));

const utf8 = new TextEncoder();
const searching = 127;
const noSignal = -999;

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #body: Body;
  readonly #waves: Waves;
  readonly #boot: string;
  readonly #rubbish: Rubbish;
  readonly #alarms = new MonitorAlarms();
  #sequence = 0;
  #last: WardMessage[] = [];

  constructor(options: MonitorOptions) {
    const { random, rest, startMs, arterialLine } = options;
    this.#options = options;
    this.#boot = random.hex(8);
    this.#body = new Body(rest, random, startMs);
    this.#waves = new Waves(random, arterialLine);
    this.#rubbish = rubbish(options.device);
  }

  /** Messages of second `atS` after the ward's start, in order. */
  second(atS: number): WardMessage[] {
    const { startMs, phaseMs, random, story, waveforms } = this.#options;
    const effect = effectAt(story, atS);
    const demand = effect.demand ?? atRest;
    const atMs = startMs + atS * 1000 + phaseMs;
    const vitals = this.#body.step(atMs, demand);
    const deviceMs = atMs + (effect.clockOffsetMs ?? 0);
    const sentMs = atMs + Math.round(random.between(5, 40));
    const numerics = [...this.#rates(vitals, demand, effect), ...this.#pressures(atS, deviceMs, vitals, demand)];
    const alarms = this.#alarms.second(atS, deviceMs, {
      values: Object.fromEntries(numerics.flatMap((n) => (isShown(n, effect) ? [[n.name, n.value]] : []))),
      leadsOff: effect.electrodesOff === true,
      probeOff: effect.probe !== undefined,
      batteryLow: effect.batteryLow === true,
    });
    const chunk = waveforms ? this.#waves.second(vitals, demand, effect) : undefined;
    if (effect.silent) return [];
    const payload = effect.rubbish
      ? this.#rubbish(atS, ++this.#sequence, isoWithOffset(deviceMs))
      : utf8.encode(this.#reading(deviceMs, numerics, alarms, effect));
    const reading = this.#message(sentMs, "numerics", payload);
    const sent = [...this.#repeats(effect, atS, sentMs), reading];
    this.#last = [...this.#last, reading].slice(-repeated);
    if (chunk === undefined) return sent;
    const bytes = chunk(this.#options.device, this.#boot, deviceMs - 1000);
    return [...sent, this.#message(sentMs + 1, "waveforms", bytes)];
  }

  #message(atMs: number, stream: "numerics" | "waveforms", payload: Uint8Array): WardMessage {
    const { device } = this.#options;
    return { atMs, device, stream, mqttTopic: mqttTopicOf(device, stream), payload };
  }

  #repeats(effect: Effect, atS: number, atMs: number): WardMessage[] {
    return effect.repeats && atS % repeatsEveryS === 0 ? this.#last.map((message) => ({ ...message, atMs })) : [];
  }

  #reading(deviceMs: number, numerics: readonly Numeric[], alarms: readonly ShownAlarm[], effect: Effect): string {
    return JSON.stringify({
      device: this.#options.device,
      boot: this.#boot,
      seq: ++this.#sequence,
      time: isoWithOffset(deviceMs),
      mode: "live",
      ...(effect.probe === "flaggedZeros" && { flags: { spo2: ["probeOff"] } }),
      numerics,
      alarms,
    });
  }

  #rates(vitals: Vitals, demand: Demand, effect: Effect): Numeric[] {
    const { random } = this.#options;
    const irregular = demand.pulseDeficit === undefined ? 0 : 3 * random.gauss();
    const beats = demand.arrest ? 0 : Math.round(vitals.heartRate + irregular);
    const pulse = demand.arrest ? 0 : Math.round(beats * (1 - (demand.pulseDeficit ?? 0)));
    const spo2 = demand.arrest ? 0 : Math.round(vitals.spo2);
    const breaths = demand.arrest ? 0 : Math.round(vitals.respiratoryRate);
    const [shownPulse, shownSpo2] =
      effect.probe === undefined ? [pulse, spo2] : effect.probe === "sentinels" ? [noSignal, searching] : [0, 0];
    return [
      { name: "HR", value: effect.electrodesOff ? 0 : beats, unit: "bpm" },
      { name: "PR", value: shownPulse, unit: "bpm" },
      { name: "SpO2", value: shownSpo2, unit: "%" },
      effect.electrodesOff
        ? { name: "RR", value: 0, unit: "rpm", status: "INV" }
        : { name: "RR", value: breaths, unit: "rpm" },
      { name: "TEMP", value: Math.round(vitals.temperature * 10) / 10, unit: "degC" },
    ];
  }

  #pressures(atS: number, deviceMs: number, vitals: Vitals, demand: Demand): Numeric[] {
    const { arterialLine, firstCuffS, random } = this.#options;
    const pressure = (name: string, value: number, at?: string): Numeric => ({
      name,
      value: Math.round(value),
      unit: "mmHg",
      ...(at !== undefined && { at }),
    });
    const three = (prefix: string, of: Pick<Vitals, "systolic" | "diastolic">, at?: string): Numeric[] => [
      pressure(`${prefix}_S`, of.systolic, at),
      pressure(`${prefix}_D`, of.diastolic, at),
      pressure(`${prefix}_M`, meanPressure(of), at),
    ];
    const cuffDue = atS >= firstCuffS && (atS - firstCuffS) % nibpEveryS === 0 && !demand.arrest;
    const error = cuffDue ? random.gauss() * 2 : 0;
    return [
      ...(arterialLine ? three("ART", vitals) : []),
      ...(cuffDue
        ? three(
            "NIBP",
            { systolic: vitals.systolic + error, diastolic: vitals.diastolic + error },
            isoWithOffset(deviceMs - cuffDelayMs),
          )
        : []),
    ];
  }
}
