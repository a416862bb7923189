/** One MQTT session that publishes at QoS 1 with a bounded window in flight, and loses nothing over a reconnect. */
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { OperatingError } from "../core/failure.ts";

/** A message on its way. */
export interface Outgoing {
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
}

export interface LaneOptions {
  readonly url: string;
  readonly clientId: string;
  readonly protocolVersion: 4 | 5;
  /** Messages sent and not yet acknowledged; a broker's receive maximum (MQTT 5) narrows it. */
  readonly inFlight: number;
  /** Messages waiting for the window. */
  readonly backlog: number;
}

const reconnectMs = 250;
const connectTimeoutMs = 5_000;

export class Lane {
  readonly #client: MqttClient;
  readonly #options: LaneOptions;
  readonly #waiting: Outgoing[] = [];
  #first = 0;
  #window: number;
  #onChange: (() => void)[] = [];
  #failure: unknown = null;
  #flying = 0;
  acknowledged = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#window = options.inFlight;
    const settings: IClientOptions = {
      clientId: options.clientId,
      protocolVersion: options.protocolVersion,
      // the session's unacknowledged messages are in mqtt.js's own store, which it sends again after each reconnect
      clean: true,
      reconnectPeriod: reconnectMs,
      connectTimeout: connectTimeoutMs,
      keepalive: 30,
    };
    this.#client = mqtt.connect(options.url, settings);
    this.#client.on("connect", ({ properties }) => {
      this.#window = Math.min(options.inFlight, properties?.receiveMaximum ?? options.inFlight);
      this.#changed();
    });
    // mqtt.js tries again by itself; without a listener the first refused connection would end the process
    this.#client.on("error", () => undefined);
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** Sent by the caller and not yet acknowledged. */
  get open(): number {
    return this.#flying + this.#waiting.length - this.#first;
  }

  /** True once the session is up; false when that takes longer, or the signal comes. */
  async up(withinMs: number, signal: AbortSignal): Promise<boolean> {
    const either = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    while (!this.#client.connected && !either.aborted) await this.#change(either);
    return this.#client.connected;
  }

  /** Resolves when there is room for another message. Rejects when the broker refused one: `publish-refused`. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#waiting.length - this.#first >= this.#options.backlog && !signal.aborted) await this.#change(signal);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when everything is acknowledged, or the signal comes. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.open > 0 && this.#failure === null && !signal.aborted) await this.#change(signal);
    if (this.#failure !== null) throw this.#failure;
  }

  send(message: Outgoing): void {
    this.#waiting.push(message);
    this.#fill();
  }

  async close(): Promise<void> {
    await this.#client.endAsync(this.open > 0);
  }

  /** A client that is closing refuses each message at once: after the first refusal nothing more is tried. */
  #fill(): void {
    if (this.#failure !== null) return;
    for (; this.#failure === null && this.#flying < this.#window && this.#first < this.#waiting.length; this.#first++) {
      const message = this.#waiting[this.#first];
      if (message !== undefined) this.#publish(message);
    }
    if (this.#first < 1_000 && this.#first < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }

  #publish({ mqttTopic, payload }: Outgoing): void {
    this.#flying++;
    this.#client.publish(
      mqttTopic,
      Buffer.from(payload.buffer, payload.byteOffset, payload.length),
      { qos: 1 },
      (error) => {
        this.#flying--;
        if (error) this.#failure ??= refused(mqttTopic, error);
        else this.acknowledged++;
        this.#fill();
        this.#changed();
      },
    );
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      signal.addEventListener("abort", done);
      this.#onChange.push(done);
    });
  }

  #changed(): void {
    const waiting = this.#onChange;
    this.#onChange = [];
    for (const done of waiting) done();
  }
}

const refused = (topic: string, cause: Error): OperatingError =>
  new OperatingError("publish-refused", `publish ${topic}: ${cause.message}`, { retry: false, cause });
