/**
 * The listener's end of the tap into the alert circuit: sends each message as soon as the batch before it is durable there, one batch in flight
 * on a connection that is kept. While the circuit is away what was taken waits, bounded, and is sent again under the same batch number.
 * A message that was taken is sent on even when its sender has left. With nothing to send it says each second that it is there.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Admission, type Bounds } from "../../core/admission.ts";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";
import { batchHeader, contentType, frameOf, runHeader, signOfLifeEveryMs, type Tapped, tapPath } from "./frame.ts";

export interface TapOptions {
  /** Of the circuit's endpoint: `http://127.0.0.1:7070`. */
  readonly url: string;
  /** Different for each run of the sender. */
  readonly run: string;
  /** The most that is taken and not yet durable at the circuit; either bound is enough. */
  readonly most?: Bounds;
  /** A batch was not taken and will be sent again; or nobody was there for a sign of life. */
  readonly onError: (error: unknown) => void;
  /** It has become full, or has room again. */
  readonly onFull?: (full: boolean) => void;
  /** Not sent to the circuit, for it came at QoS 0 while full: nobody would send it again. */
  readonly onShed?: (message: Received) => void;
}

const batchMost = { messages: 2_000, bytes: 512 * 1024 };
/** The first repetition comes at once: an idle connection may have been closed by the other side. */
const retryPausesMs = [0, 20, 50, 100, 250];
/** The circuit answers once its disk has the batch; what hangs longer than this is given up and sent again. */
const answerMsMax = 5_000;
/** At a start both may be on their way up: a sign of life that nobody takes is no news yet. */
const firstMs_max = 10_000;

export class Tap {
  readonly #options: TapOptions;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, scheduling: "lifo" });
  readonly #taken: Admission<Buffer>;
  readonly #closing = new AbortController();
  readonly #living: NodeJS.Timeout;
  #batch = 0;
  #sending = false;
  #saying = false;
  readonly #openedMs = performance.now();
  #wasTaken = false;

  constructor(options: TapOptions) {
    this.#options = options;
    this.#target = new URL(tapPath, options.url);
    this.#taken = new Admission({ name: "alert tap", most: options.most, onFull: options.onFull });
    this.#living = setInterval(() => void this.#sayThatItLives(), signOfLifeEveryMs);
  }

  /** Messages taken and not yet durable at the circuit. */
  get pending(): number {
    return this.#taken.pending;
  }

  /**
   * Resolves once the message is durable at the circuit. While full it waits outside, until `given` is aborted; a QoS 0 message that
   * finds it full is told to `onShed` and resolves at once. Codes of rejections: `tap-closed`, `sender-gone`.
   */
  accept(message: Tapped, given?: AbortSignal): Promise<void> {
    if (this.#taken.full && message.qos === 0 && this.#taken.ended === undefined) {
      this.#options.onShed?.(message);
      return Promise.resolve();
    }
    const frame = frameOf(message);
    const durable = this.#taken.take(frame, frame.length, given);
    if (!this.#sending) void this.#send();
    return durable;
  }

  close(): void {
    clearInterval(this.#living);
    this.#taken.end(new OperatingError("tap-closed", "alert tap: is closed", { retry: true }));
    this.#closing.abort();
    this.#agent.destroy();
  }

  /** An empty batch, which is none and has no number. What is on its way says as much. */
  async #sayThatItLives(): Promise<void> {
    if (this.#sending || this.#saying) return;
    this.#saying = true;
    try {
      await this.#post(Buffer.alloc(0), 0);
      this.#wasTaken = true;
    } catch (error) {
      const isNews = this.#wasTaken || performance.now() - this.#openedMs > firstMs_max;
      if (isNews && this.#taken.ended === undefined) this.#options.onError(error);
    }
    this.#saying = false;
  }

  async #send(): Promise<void> {
    this.#sending = true;
    await Promise.resolve(); // what comes in the same turn goes together
    while (this.#taken.pending > 0) {
      const batch = this.#taken.first(batchMost);
      await this.#sendUntilDurable(Buffer.concat(batch), ++this.#batch);
      if (this.#taken.ended === undefined) this.#taken.settle(batch.length);
    }
    this.#sending = false;
  }

  async #sendUntilDurable(body: Buffer, batch: number): Promise<void> {
    for (let attempt = 0; this.#taken.ended === undefined; attempt++)
      try {
        await this.#post(body, batch);
        return;
      } catch (error) {
        if (this.#taken.ended !== undefined) return;
        this.#options.onError(error);
        const pauseMs = retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)] ?? 0;
        await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
  }

  /** Codes: `tap-away` for all that is not a 204. */
  #post(body: Buffer, batch: number): Promise<void> {
    const away = (what: string, cause?: unknown): OperatingError =>
      new OperatingError("tap-away", `alert tap: ${this.#target.href}: ${what}`, { retry: true, cause });
    return new Promise((resolve, reject) => {
      const sent = request(this.#target, {
        method: "POST",
        agent: this.#agent,
        headers: {
          "content-type": contentType,
          "content-length": body.length,
          [runHeader]: this.#options.run,
          [batchHeader]: batch,
        },
        signal: this.#closing.signal,
      });
      const late = setTimeout(() => sent.destroy(new Error(`no answer within ${answerMsMax} ms`)), answerMsMax);
      sent.once("close", () => clearTimeout(late));
      sent.on("error", (cause) => reject(away(cause.message, cause)));
      sent.once("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text = `${text}${part}`.slice(0, 500)));
        response.on("error", (cause) => reject(away(cause.message, cause)));
        response.once("end", () =>
          response.statusCode === 204 ? resolve() : reject(away(`${response.statusCode} ${text}`)),
        );
      });
      sent.end(body);
    });
  }
}
