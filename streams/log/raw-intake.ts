/**
 * Raw first (law 1): takes messages as they come, appends them in batches with one append in flight, and resolves each
 * only when it is durable. Whoever calls acknowledges its sender after that and never before. What it holds for a log that is away is
 * bounded: when full it takes no more (law 7), so its callers must hold their senders. What no repetition can cure ends it, loudly.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Admission, type Bounds } from "../core/admission.ts";
import type { AnyTopic } from "../core/stage.ts";
import { digest, partitionOf } from "../core/hash.ts";
import { OperatingError } from "../core/failure.ts";
import { receivedTime, scaleTime, type TimeScale } from "../core/time.ts";
import type { Received } from "../core/received.ts";
import type { Wire } from "../core/wire.ts";
import { platformRoot } from "../../schemas/platform.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import type { Append, Appender } from "./log.ts";

export interface IntakeOptions {
  readonly topic: AnyTopic;
  readonly appender: Appender;
  readonly wire: Wire;
  readonly scale: TimeScale;
  /** Wall clock in ms. */
  readonly now: () => number;
  /** The most that is taken and not yet durable; either bound is enough. */
  readonly most?: Bounds;
  readonly onAppended?: (messages: number, bytes: number) => void;
  /** The log is away and the append will be repeated. */
  readonly onError: (error: unknown) => void;
  /** It has become full, or has room again. */
  readonly onFull?: (full: boolean) => void;
  /** Dropped, for it came at QoS 0 while full: nobody was promised it, and nobody would send it again. */
  readonly onShed?: (message: Received) => void;
}

/** Payloads above this are kept as size, SHA-256 and their first 64 KiB. */
export const largestPayloadBytes = 1024 * 1024;
const keptOfLargeBytes = 64 * 1024;
const batchMost = { messages: 2_000, bytes: 512 * 1024 };
const retryPauseMs = 250;
const unknownDevice = "?";

const roots: ReadonlySet<string | undefined> = new Set(["afferent", platformRoot]);

/** Device and stream of an MQTT topic `afferent/<device>/<stream>`, or of the platform's own; "?" where it is not of that form. */
export const addressOf = (mqttTopic: string): { readonly device: string; readonly stream: string } => {
  const [root, device, stream, ...rest] = mqttTopic.split("/");
  return roots.has(root) && device && stream && rest.length === 0
    ? { device, stream }
    : { device: unknownDevice, stream: unknownDevice };
};

/** A payload above the largest as its size, SHA-256 and beginning; any other as it is. */
export const withinLargest = (message: Received): Received => {
  const { payload } = message;
  if (payload.length <= largestPayloadBytes) return message;
  const truncated = { size: payload.length, sha256: digest(payload) };
  return { ...message, payload: payload.subarray(0, keptOfLargeBytes), truncated };
};

export class RawIntake {
  readonly #options: IntakeOptions;
  readonly #taken: Admission<Append>;
  #flushing = false;
  readonly #failure = Promise.withResolvers<never>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#taken = new Admission({ name: "raw intake", most: options.most, onFull: options.onFull });
    this.#failure.promise.catch(() => undefined); // whoever waits for it is told
  }

  /** Messages taken and not yet durable. */
  get pending(): number {
    return this.#taken.pending;
  }

  /** Rejects, with the log's own error, when it refused a batch and would refuse it again: nothing is taken from then on. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * Resolves once the message is durable. While the log is away it waits, and retries; while full it waits outside, until `given` is
   * aborted. A QoS 0 message that finds it full is dropped, told to `onShed`, and resolves at once.
   * Codes of rejections: `intake-closed`, `sender-gone`, and whatever {@link failed} has.
   */
  accept(message: Received, given?: AbortSignal): Promise<void> {
    const taken = this.#taken;
    if (taken.ended !== undefined) return Promise.reject(taken.ended);
    if (taken.full && message.qos === 0) {
      this.#options.onShed?.(message);
      return Promise.resolve();
    }
    const record = this.#recordOf(message);
    const durable = taken.take(record, record.value.length, given);
    if (!this.#flushing) void this.#flush();
    return durable;
  }

  close(): void {
    this.#taken.end(new OperatingError("intake-closed", "raw intake: is closed", { retry: true }));
  }

  #recordOf(message: Received): Append {
    const { topic, wire, scale, now } = this.#options;
    const { device, stream } = addressOf(message.mqttTopic);
    const kept = withinLargest(message);
    const reading: Reading = {
      kind: "reading",
      device,
      stream,
      mqttTopic: message.mqttTopic,
      payload: kept.payload,
      receivedTime: receivedTime(Math.round(scaleTime(scale, message.receivedMs ?? now()))),
      session: message.session,
      dup: message.dup,
      retained: message.retained,
      truncated: kept.truncated ?? null,
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
    while (this.#taken.pending > 0) {
      const batch = this.#taken.first(batchMost);
      const stored = await this.#append(batch);
      if (this.#taken.ended !== undefined) break;
      if (!stored) continue;
      const bytes = this.#taken.settle(batch.length);
      this.#options.onAppended?.(batch.length, bytes);
    }
    this.#flushing = false;
  }

  /** False after a failure that may pass. */
  async #append(batch: readonly Append[]): Promise<boolean> {
    try {
      await this.#options.appender.append(batch);
      return true;
    } catch (error) {
      if (this.#taken.ended !== undefined) return false;
      if (!(error instanceof OperatingError && error.retry)) return this.#fail(error);
      this.#options.onError(error);
      await sleep(retryPauseMs);
      return false;
    }
  }

  #fail(cause: unknown): false {
    const error =
      cause instanceof OperatingError
        ? cause
        : new OperatingError("raw-log-defect", `raw intake: ${String(cause)}`, { retry: false, cause });
    this.#taken.end(error);
    this.#failure.reject(error);
    return false;
  }
}
