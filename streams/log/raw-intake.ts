/**
 * Raw first (law 1): takes messages as they come, appends them in batches with one append in flight, and resolves each
 * only when it is durable. Whoever calls acknowledges its sender after that and never before.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AnyTopic } from "../core/stage.ts";
import { digest, partitionOf } from "../core/hash.ts";
import { OperatingError } from "../core/failure.ts";
import { receivedTime, scaleTime, type TimeScale } from "../core/time.ts";
import type { Received } from "../core/received.ts";
import type { Wire } from "../core/wire.ts";
import type { Reading } from "../../schemas/records.ts";
import type { Append, Appender } from "./log.ts";

export interface IntakeOptions {
  readonly topic: AnyTopic;
  readonly appender: Appender;
  readonly wire: Wire;
  readonly scale: TimeScale;
  /** Wall clock in ms. */
  readonly now: () => number;
  readonly onAppended?: (messages: number, bytes: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Payloads above this are kept as size, SHA-256 and their first 64 KiB. */
export const largestPayloadBytes = 1024 * 1024;
const keptOfLargeBytes = 64 * 1024;
const batchBytes = 512 * 1024;
const batchMessages = 2000;
const retryPauseMs = 250;
const unknownDevice = "?";

interface Waiting {
  readonly record: Append;
  readonly durable: () => void;
}

/** Device and stream of an MQTT topic `afferent/<device>/<stream>`; "?" where it is not of that form. */
export const addressOf = (mqttTopic: string): { readonly device: string; readonly stream: string } => {
  const [root, device, stream, ...rest] = mqttTopic.split("/");
  return root === "afferent" && device && stream && rest.length === 0
    ? { device, stream }
    : { device: unknownDevice, stream: unknownDevice };
};

export class RawIntake {
  readonly #options: IntakeOptions;
  readonly #waiting: Waiting[] = [];
  #flushing = false;
  #closed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Messages taken and not yet durable. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Resolves once the message is durable. While the log is away it waits, and retries. Rejects only after `close`. */
  accept(message: Received): Promise<void> {
    if (this.#closed)
      return Promise.reject(new OperatingError("intake-closed", "raw intake: is closed", { retry: true }));
    const record = this.#recordOf(message);
    return new Promise((durable) => {
      this.#waiting.push({ record, durable });
      if (!this.#flushing) void this.#flush();
    });
  }

  close(): void {
    this.#closed = true;
  }

  #recordOf(message: Received): Append {
    const { topic, wire, scale, now } = this.#options;
    const { device, stream } = addressOf(message.mqttTopic);
    const large = message.payload.length > largestPayloadBytes;
    const reading: Reading = {
      kind: "reading",
      device,
      stream,
      mqttTopic: message.mqttTopic,
      payload: large ? message.payload.subarray(0, keptOfLargeBytes) : message.payload,
      receivedTime: receivedTime(Math.round(scaleTime(scale, now()))),
      session: message.session,
      dup: message.dup,
      truncated: large ? { size: message.payload.length, sha256: digest(message.payload) } : null,
    };
    return {
      topic: topic.name,
      partition: partitionOf(device, topic.partitions),
      key: device,
      value: wire.encode(topic, { position: null, logTime: null, body: reading }),
    };
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#nextBatch();
      try {
        await this.#options.appender.append(batch.map(({ record }) => record));
      } catch (error) {
        this.#options.onError(error);
        await sleep(retryPauseMs);
        continue;
      }
      this.#waiting.splice(0, batch.length);
      for (const { durable } of batch) durable();
      this.#options.onAppended?.(
        batch.length,
        batch.reduce((sum, { record }) => sum + record.value.length, 0),
      );
    }
    this.#flushing = false;
  }

  #nextBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { record } of this.#waiting) {
      if (count > 0 && (bytes + record.value.length > batchBytes || count >= batchMessages)) break;
      bytes += record.value.length;
      count++;
    }
    return this.#waiting.slice(0, count);
  }
}
