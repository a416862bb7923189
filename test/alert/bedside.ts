/** Monitors that a test lets speak, fall silent or talk nonsense: one message a second each, as a simulated monitor's firmware writes it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { MqttClient } from "mqtt";

type Numerics = Readonly<Record<string, number>>;
export interface ShownAlarm {
  readonly code: string;
  /** Ms since 1970. */
  readonly since: number;
}

const units: Readonly<Record<string, string>> = { HR: "bpm", PR: "bpm", SpO2: "%", RR: "rpm" };
/** What nobody has to look at. */
export const calm: Numerics = { HR: 76, PR: 76, SpO2: 97, RR: 14 };
const everyMs = 1_000;

export interface Said {
  readonly numerics?: Numerics;
  readonly alarms?: readonly ShownAlarm[];
  /** Written into the payload as it is. */
  readonly more?: object;
}

/** What `device` says at `time` (ms since 1970) with this count of its boot. */
export const payloadOf = (device: string, sequence: number, time: number, said: Said = {}): string => {
  const { numerics = calm, alarms = [], more = {} } = said;
  return JSON.stringify({
    device,
    boot: "b0b0b0b0",
    seq: sequence,
    time: new Date(time).toISOString(),
    numerics: Object.entries(numerics).map(([name, value]) => ({ name, value, unit: units[name] })),
    alarms: alarms.map(({ code, since }) => ({
      code,
      text: code,
      priority: "high",
      state: "active",
      since: new Date(since).toISOString(),
    })),
    ...more,
  });
};

/** A stored reading's count is below those of the live ones, which begin here. */
const liveFrom = 10_000;

export class Monitor {
  readonly device: string;
  readonly #client: MqttClient;
  #sequence = liveFrom;
  #said: Said | null = {};
  /** Wall clock of its last message, ms. */
  lastAt = 0;

  constructor(client: MqttClient, device: string) {
    this.#client = client;
    this.device = device;
  }

  /** From its next message on. */
  says(said: Said): void {
    this.#said = said;
  }

  fallSilent(): void {
    this.#said = null;
  }

  /** One message, now. What finds no broker is lost, for this monitor stores nothing. */
  speak(): void {
    if (this.#said === null || !this.#client.connected) return;
    this.lastAt = Date.now();
    this.send(payloadOf(this.device, this.#sequence++, this.lastAt, this.#said));
  }

  send(payload: string | Buffer): void {
    this.lastAt = Date.now();
    this.#client.publish(`afferent/${this.device}/numerics`, payload, { qos: 1 }, () => undefined);
  }

  /** Its stored readings, as fast as the broker takes them. */
  async drain(readings: Iterable<readonly [time: number, said: Said]>): Promise<number> {
    let sequence = 1;
    for (const [time, said] of readings) {
      const payload = payloadOf(this.device, sequence++, time, said);
      await this.#client.publishAsync(`afferent/${this.device}/numerics`, payload, { qos: 1 });
    }
    return sequence - 1;
  }
}

/** Lets them speak, spread over the second, until told to stop. */
export const speaking = (monitors: readonly Monitor[]): (() => void) => {
  const stop = new AbortController();
  for (const [i, monitor] of monitors.entries())
    void (async () => {
      await sleep((i * everyMs) / monitors.length);
      for (let due = performance.now(); !stop.signal.aborted; due += everyMs) {
        monitor.speak();
        await sleep(Math.max(0, due + everyMs - performance.now()));
      }
    })();
  return () => stop.abort();
};
