/**
 * Publishes a ward's messages over MQTT as its devices would: at QoS 1, waveforms through a session of their own, at k times the
 * real pace or as fast as the broker takes them. What a broken connection left unacknowledged is sent again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";

/** A message of a device, due at a time of the ward. */
export interface Due {
  readonly atMs: number;
  readonly stream: string;
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
}

export interface Progress {
  readonly sent: number;
  readonly acknowledged: number;
  /** Ward time over real time since the last report. */
  readonly actualSpeed: number;
}

export interface PublishOptions {
  readonly url: string;
  /** Infinity: as fast as the broker acknowledges. */
  readonly speed: number;
  readonly protocolVersion?: 4 | 5;
  /** Distinguishes this ward's sessions at the broker. */
  readonly clientId?: string;
  /** Ends after the last message due before this time of the ward. */
  readonly untilMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

const largestWindow = 2000;
const reportEveryMs = 2000;
const waveforms = "waveforms";

/** One MQTT session with a bounded number of unacknowledged messages. */
class Session {
  readonly #client: MqttClient;
  #inFlight = 0;
  #waiting: (() => void) | undefined;
  acknowledged = 0;

  constructor(client: MqttClient) {
    this.#client = client;
  }

  /** Resolves when there is room for the next; mqtt.js repeats what was not acknowledged after a reconnect. */
  async send({ mqttTopic, payload }: Due, signal: AbortSignal | undefined): Promise<void> {
    while (this.#inFlight >= largestWindow && !signal?.aborted) await this.#room();
    if (signal?.aborted) return;
    this.#inFlight++;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#client.publish(mqttTopic, bytes, { qos: 1 }, () => {
      this.#inFlight--;
      this.acknowledged++;
      this.#waiting?.();
    });
  }

  async settle(signal: AbortSignal | undefined): Promise<void> {
    while (this.#inFlight > 0 && !signal?.aborted) await this.#room();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 500);
      this.#waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Resolves when every message was acknowledged, or the signal fired. Rejects when the broker can't be reached at first. */
export const publishWard = async (messages: Iterable<Due>, options: PublishOptions): Promise<Progress> => {
  const { signal, speed, untilMs = Number.POSITIVE_INFINITY, clientId = `ward-${process.pid}` } = options;
  const clients = await Promise.all(["vitals", waveforms].map((name) => openClient(`${clientId}-${name}`, options)));
  const [vitals, waves] = clients.map((client) => new Session(client)) as [Session, Session];
  const report = reporter(options, () => vitals.acknowledged + waves.acknowledged);
  let sent = 0;
  let origin: { readonly wardMs: number; readonly wallMs: number } | undefined;
  try {
    for (const message of messages) {
      if (signal?.aborted || message.atMs >= untilMs) break;
      origin ??= { wardMs: message.atMs, wallMs: Date.now() };
      const dueMs = origin.wallMs + (message.atMs - origin.wardMs) / speed;
      const early = dueMs - Date.now();
      if (early > 1) await sleep(early, undefined, signal ? { signal } : {}).catch(() => undefined);
      await (message.stream === waveforms ? waves : vitals).send(message, signal);
      sent++;
      report.at(sent, message.atMs);
    }
    await Promise.all([vitals.settle(signal), waves.settle(signal)]);
  } finally {
    await Promise.all(clients.map((client) => client.endAsync(true)));
  }
  return report.total(sent);
};

const openClient = async (clientId: string, { url, protocolVersion = 4 }: PublishOptions): Promise<MqttClient> => {
  const client = await connectAsync(url, { clientId, clean: false, protocolVersion, reconnectPeriod: 500 });
  client.on("error", () => undefined);
  return client;
};

const reporter = ({ onProgress }: PublishOptions, acknowledged: () => number) => {
  const began = Date.now();
  let last: { readonly wallMs: number; readonly wardMs: number } | undefined;
  let first: number | undefined;
  let latest = 0;
  return {
    at: (sent: number, wardMs: number): void => {
      const wallMs = Date.now();
      first ??= wardMs;
      latest = wardMs;
      last ??= { wallMs, wardMs };
      if (wallMs - last.wallMs < reportEveryMs) return;
      onProgress?.({
        sent,
        acknowledged: acknowledged(),
        actualSpeed: (wardMs - last.wardMs) / (wallMs - last.wallMs),
      });
      last = { wallMs, wardMs };
    },
    total: (sent: number): Progress => ({
      sent,
      acknowledged: acknowledged(),
      actualSpeed: (latest - (first ?? latest)) / Math.max(1, Date.now() - began),
    }),
  };
};
