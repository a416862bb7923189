/** A member's share of a group: starts a pump for each partition that is left to it, stops those that are not. */
import type { PartitionHandler, Reader, Subscription } from "./log.ts";
import { Pump } from "./pump.ts";
import type { Signal, Timer } from "./signal.ts";

/** One member's view of its group. Every call but `leave` answers at once from what is known. */
export interface Membership {
  /** The partitions that the group's present members leave to this one. */
  wanted(): ReadonlySet<number>;
  /** True if this member has it from now on; false while another still does. */
  take(partition: number): boolean;
  /** Whether a partition that was taken is still this member's: a lease can expire. */
  holds(partition: number): boolean;
  /** Gives back a partition that nothing works on any more. */
  release(partition: number): void;
  leave(): Promise<void>;
  /** Notified whenever one of the answers may have changed. */
  readonly changed: Signal;
}

export interface Share {
  readonly membership: Membership;
  readonly handler: (partition: number) => PartitionHandler;
  readonly read: (partition: number, from: number | "start") => Promise<Reader>;
  readonly timer: Timer;
}

export class SharedSubscription implements Subscription {
  readonly #share: Share;
  readonly #pumps = new Map<number, Pump>();
  readonly done: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #closing = false;

  constructor(share: Share) {
    this.#share = share;
    this.done = this.#run();
  }

  get partitions(): readonly number[] {
    return [...this.#pumps.keys()].sort((a, b) => a - b);
  }

  async close(): Promise<void> {
    this.#end();
    await this.done.catch((error: unknown) => {
      if (error !== this.#failure?.error) throw error;
    });
  }

  #end(failure?: { readonly error: unknown }): void {
    this.#failure ??= failure;
    this.#closing = true;
    this.#share.membership.changed.notify();
  }

  async #run(): Promise<void> {
    const { changed } = this.#share.membership;
    while (!this.#closing) {
      let again = false;
      const next = changed.wait(() => (again ? true : undefined), Number.POSITIVE_INFINITY, this.#share.timer);
      again = true;
      this.#balance();
      await next;
    }
    await Promise.all([...this.#pumps].map(([partition, pump]) => this.#stop(partition, pump)));
    await this.#share.membership.leave();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #balance(): void {
    const { membership } = this.#share;
    const wanted = membership.wanted();
    for (const [partition, pump] of this.#pumps)
      if (!pump.stopping && !(wanted.has(partition) && membership.holds(partition))) this.#giveBack(partition, pump);
    for (const partition of wanted)
      if (!this.#pumps.has(partition) && membership.take(partition)) this.#pumps.set(partition, this.#start(partition));
  }

  #start(partition: number): Pump {
    const { handler, read, timer } = this.#share;
    return new Pump({
      handler: handler(partition),
      read: (from) => read(partition, from),
      timer,
      onFatal: (error) => this.#end({ error }),
    });
  }

  #giveBack(partition: number, pump: Pump): void {
    this.#stop(partition, pump).catch((error: unknown) => this.#end({ error }));
  }

  async #stop(partition: number, pump: Pump): Promise<void> {
    await pump.stop();
    if (this.#pumps.get(partition) !== pump) return;
    this.#pumps.delete(partition);
    this.#share.membership.release(partition);
    this.#share.membership.changed.notify();
  }
}
