/**
 * Sends messages over one MLLP connection, one at a time, in the order in which they are asked for. An answer that does not come closes the
 * connection, and the same message with the same control id goes over a new one: the receiver drops what it had already.
 */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Acknowledgement } from "../../../schemas/hl7v2/acknowledgement.ts";
import { OperatingError } from "../../core/failure.ts";
import { exchange, type Message } from "./exchange.ts";

export interface MllpOptions {
  readonly host: string;
  readonly port: number;
  /** Of one attempt, the connection included. */
  readonly answerWithinMs: number;
  /** Verified always; `ca`, `cert` and `key` as PEM, the last two where the receiver wants to know who sends. */
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
}

/** How many may wait for their turn: with one in flight, more would only grow old. */
const waiting_max = 100;
const attempts = 2;

export class MllpSender {
  readonly #options: MllpOptions;
  #socket: Socket | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;
  #earlier: string | undefined;

  constructor(options: MllpOptions) {
    this.#options = options;
  }

  /**
   * The acknowledgement, whatever it says. Codes: those of exchange.ts after its second attempt, `mllp-unreachable`, `mllp-busy` (too many
   * wait, or its turn did not come in its time); all may be tried again.
   */
  async send(message: Message, signal: AbortSignal): Promise<Acknowledgement> {
    if (this.#waiting >= waiting_max) throw busy(`${this.#waiting} messages wait already`);
    this.#waiting++;
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    try {
      await before;
      if (signal.aborted) throw busy("its turn did not come in its time");
      return await this.#attempts(message, signal);
    } finally {
      this.#waiting--;
      mine.resolve();
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  async #attempts(message: Message, signal: AbortSignal): Promise<Acknowledgement> {
    for (let attempt = 1; ; attempt++) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.answerWithinMs)]);
      try {
        const socket = await this.#connected(limit);
        const answer = await exchange({ socket, message, earlier: this.#earlier, signal: limit });
        this.#earlier = message.controlId;
        return answer;
      } catch (error) {
        if (attempt === attempts || signal.aborted || this.#closed) throw error;
      }
    }
  }

  async #connected(signal: AbortSignal): Promise<Socket> {
    if (this.#closed) throw unreachable(this.#options, "the sender is closed");
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#socket = await connected(this.#options, signal);
    return this.#socket;
  }
}

/** A connection that is ready, its TLS verified. Codes: `mllp-unreachable`. */
export const connected = (options: MllpOptions, signal: AbortSignal): Promise<Socket> => {
  const { host, port, tls } = options;
  const socket =
    tls === undefined
      ? connectPlain({ host, port })
      : connectTls({
          host,
          port,
          ...(tls.ca !== undefined && { ca: tls.ca }),
          ...(tls.cert !== undefined && { cert: tls.cert }),
          ...(tls.key !== undefined && { key: tls.key }),
        });
  socket.setNoDelay(true);
  // its end is seen by whoever waits for an answer, and before the next message
  socket.on("error", () => undefined).on("end", () => socket.destroy());
  const opened = Promise.withResolvers<Socket>();
  const fail = (why: string): void => {
    socket.destroy();
    opened.reject(unreachable(options, why));
  };
  const onAbort = (): void => fail("no connection in its time");
  const onError = (error: Error): void => fail(error.message);
  const onOpen = (): void => opened.resolve(socket);
  socket.once("error", onError).once(tls === undefined ? "connect" : "secureConnect", onOpen);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return opened.promise.finally(() => {
    socket.off("error", onError);
    signal.removeEventListener("abort", onAbort);
  });
};

const busy = (why: string): OperatingError => new OperatingError("mllp-busy", `mllp: ${why}`, { retry: true });
const unreachable = ({ host, port }: MllpOptions, why: string): OperatingError =>
  new OperatingError("mllp-unreachable", `mllp: ${host}:${port}: ${why}`, { retry: true });
