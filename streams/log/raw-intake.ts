/**
 * Raw first (law 1): takes messages as they come, appends them in batches with one append in flight, and resolves each
 * only when it is durable. Whoever calls acknowledges its sender after that and never before. What it holds for a log that is away is
 * bounded: when full it takes no more (law 7), so its callers must hold their senders. What no repetition can cure ends it, loudly.
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
  /** The most that is taken and not yet durable; either bound is enough. */
  readonly most?: { readonly messages: number; readonly bytes: number };
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
const batchBytes = 512 * 1024;
const batchMessages = 2000;
const retryPauseMs = 250;
const usualMost = { messages: 20_000, bytes: 64 * 1024 * 1024 };
const unknownDevice = "?";

interface Waiting {
  readonly record: Append;
  readonly durable: () => void;
  readonly refuse: (error: OperatingError) => void;
}
/** One that was not taken for want of room. */
interface Outside extends Waiting {
  readonly given: AbortSignal | undefined;
  readonly leave: () => void;
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
  readonly #most: { readonly messages: number; readonly bytes: number };
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** In the order in which they came. */
  #outside: Outside[] = [];
  #flushing = false;
  #ended: OperatingError | undefined;
  readonly #failure = Promise.withResolvers<never>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#most = options.most ?? usualMost;
    this.#failure.promise.catch(() => undefined); // whoever waits for it is told
  }

  /** Messages taken and not yet durable. */
  get pending(): number {
    return this.#waiting.length;
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
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const full = this.#isFull();
    if (full && message.qos === 0) {
      this.#options.onShed?.(message);
      return Promise.resolve();
    }
    const record = this.#recordOf(message);
    return new Promise((durable, refuse) => {
      if (full) this.#waitOutside({ record, durable, refuse }, given);
      else this.#take({ record, durable, refuse });
    });
  }

  close(): void {
    this.#end(new OperatingError("intake-closed", "raw intake: is closed", { retry: true }));
  }

  /** Who came while others waited outside waits behind them. */
  #isFull(): boolean {
    return (
      this.#outside.length > 0 || this.#waiting.length >= this.#most.messages || this.#waitingBytes >= this.#most.bytes
    );
  }

  #take(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.record.value.length;
    if (!this.#flushing) void this.#flush();
  }

  #waitOutside(waiting: Waiting, given: AbortSignal | undefined): void {
    const gone = (): void => {
      this.#outside = this.#outside.filter((other) => other !== outside);
      waiting.refuse(
        new OperatingError("sender-gone", "raw intake: its sender left before there was room", { retry: true }),
      );
    };
    const outside: Outside = { ...waiting, given, leave: () => given?.removeEventListener("abort", gone) };
    if (given?.aborted) {
      gone();
      return;
    }
    given?.addEventListener("abort", gone, { once: true });
    this.#outside.push(outside);
    if (this.#outside.length === 1) this.#options.onFull?.(true);
  }

  #letIn(): void {
    if (this.#outside.length === 0) return;
    const waiting = this.#outside;
    this.#outside = [];
    let taken = 0;
    while (taken < waiting.length && !this.#isFull()) {
      const next = waiting[taken++] as Outside;
      next.leave();
      this.#take(next);
    }
    this.#outside = waiting.slice(taken);
    if (this.#outside.length === 0) this.#options.onFull?.(false);
  }

  #end(error: OperatingError): void {
    this.#ended ??= error;
    const all = [...this.#waiting.splice(0), ...this.#outside];
    this.#outside = [];
    this.#waitingBytes = 0;
    for (const { refuse } of all) refuse(this.#ended);
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
      retained: message.retained,
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
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const stored = await this.#append(batch);
      if (this.#ended !== undefined) break;
      if (!stored) continue;
      this.#waiting.splice(0, batch.length);
      const bytes = batch.reduce((sum, { record }) => sum + record.value.length, 0);
      this.#waitingBytes -= bytes;
      for (const { durable } of batch) durable();
      this.#options.onAppended?.(batch.length, bytes);
      this.#letIn();
    }
    this.#flushing = false;
  }

  /** False after a failure that may pass. */
  async #append(batch: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#options.appender.append(batch.map(({ record }) => record));
      return true;
    } catch (error) {
      if (this.#ended !== undefined) return false;
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
    this.#end(error);
    this.#failure.reject(error);
    return false;
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
