/**
 * What has been taken and is not yet durable, bounded (law 7): when full nothing more is taken, and whoever comes waits outside, in order, until there
 * is room or its sender has gone. Whoever carries the taken ones off says when the first of them are durable; each is resolved then and never before.
 */
import { OperatingError } from "./failure.ts";

export interface Bounds {
  readonly messages: number;
  readonly bytes: number;
}

export interface AdmissionOptions {
  /** Begins the sentences of its errors. */
  readonly name: string;
  /** The most that is taken and not yet durable; either bound is enough, though one message alone is always taken. */
  readonly most?: Bounds | undefined;
  /** It has become full, or has room again. */
  readonly onFull?: ((full: boolean) => void) | undefined;
}

const usualMost: Bounds = { messages: 20_000, bytes: 64 * 1024 * 1024 };

interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
  readonly durable: () => void;
  readonly refuse: (error: OperatingError) => void;
}
/** One that was not taken for want of room. */
interface Outside<Item> extends Waiting<Item> {
  readonly leave: () => void;
}

export class Admission<Item> {
  readonly #options: AdmissionOptions;
  readonly #most: Bounds;
  readonly #waiting: Waiting<Item>[] = [];
  #waitingBytes = 0;
  /** In the order in which they came. */
  #outside: Outside<Item>[] = [];
  #ended: OperatingError | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#most = options.most ?? usualMost;
  }

  /** Items taken and not yet durable. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Why nothing is taken any more. */
  get ended(): OperatingError | undefined {
    return this.#ended;
  }

  /** Who came while others waited outside waits behind them. */
  get full(): boolean {
    return (
      this.#outside.length > 0 || this.#waiting.length >= this.#most.messages || this.#waitingBytes >= this.#most.bytes
    );
  }

  /** Resolves once the item is durable. Codes of rejections: `sender-gone` when `given` was aborted before there was room, and what {@link end} was given. */
  take(item: Item, bytes: number, given?: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((durable, refuse) => {
      const waiting = { item, bytes, durable, refuse };
      if (this.full) this.#waitOutside(waiting, given);
      else this.#takeIn(waiting);
    });
  }

  /** The first of the taken ones, at least one where there is any; they stay until {@link settle}. */
  first(most: Bounds): readonly Item[] {
    const items: Item[] = [];
    let sum = 0;
    for (const { item, bytes } of this.#waiting) {
      if (items.length > 0 && (sum + bytes > most.bytes || items.length >= most.messages)) break;
      sum += bytes;
      items.push(item);
    }
    return items;
  }

  /** The first `count` are durable: each is resolved, and who waits outside is let in. Returns their bytes. */
  settle(count: number): number {
    let sum = 0;
    for (const { bytes, durable } of this.#waiting.splice(0, count)) {
      sum += bytes;
      durable();
    }
    this.#waitingBytes -= sum;
    this.#letIn();
    return sum;
  }

  /** Nothing is taken from now on; all that waits is refused with this error. */
  end(error: OperatingError): void {
    this.#ended ??= error;
    const all = [...this.#waiting.splice(0), ...this.#outside];
    for (const { leave } of this.#outside) leave();
    this.#outside = [];
    this.#waitingBytes = 0;
    for (const { refuse } of all) refuse(this.#ended);
  }

  #takeIn(waiting: Waiting<Item>): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.bytes;
  }

  #waitOutside(waiting: Waiting<Item>, given: AbortSignal | undefined): void {
    const gone = (): void => {
      this.#outside = this.#outside.filter((other) => other !== outside);
      waiting.refuse(
        new OperatingError("sender-gone", `${this.#options.name}: its sender left before there was room`, {
          retry: true,
        }),
      );
    };
    const outside: Outside<Item> = { ...waiting, leave: () => given?.removeEventListener("abort", gone) };
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
    while (taken < waiting.length && !this.full) {
      const next = waiting[taken++] as Outside<Item>;
      next.leave();
      this.#takeIn(next);
    }
    this.#outside = waiting.slice(taken);
    if (this.#outside.length === 0) this.#options.onFull?.(false);
  }
}
