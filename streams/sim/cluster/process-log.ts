/**
 * The Log port as one process of the simulated cluster has it. Each call is a request and an answer that travel by themselves: the process
 * can die or be paused before the one, between the two and after, and a write can be refused to the caller and yet land, at once or late.
 */
import type { Append, Appender, Log, Owner, Reader } from "../../log/log.ts";
import { closed, unavailable } from "../../log/refusal.ts";
import { SharedSubscription } from "../../log/shared-subscription.ts";
import type { Timer } from "../../log/signal.ts";
import type { Broker } from "./broker.ts";
import { scan, SimOwner } from "./owner.ts";
import { SimReader } from "./reader.ts";
import type { SimProcess } from "./schedule.ts";
import type { StatePartition } from "./state-partition.ts";

/** How often, from 0 to 1, the network does what to a write. */
export interface Network {
  /** Took effect; the caller is told that it failed. */
  ackLost: number;
  /** The caller is told that it failed; it takes effect after so many ms at most. */
  landsLate: number;
  /** Never arrives; the caller is told so. */
  lost: number;
  readonly latestMs: number;
}

/** How often an append goes in two requests. */
const inTwoParts = 0.2;

export class ProcessLog implements Log {
  readonly broker: Broker;
  readonly process: SimProcess;
  readonly #network: Network;
  /** What this process waits by. */
  readonly timer: Timer;

  constructor(broker: Broker, process: SimProcess, network: Network) {
    this.broker = broker;
    this.process = process;
    this.#network = network;
    this.timer = (ms, fire) => broker.schedule.after(process, ms, "timer", fire);
  }

  /** A call that changes nothing: answered from what stands when it arrives. */
  ask<T>(what: string, answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.broker.schedule.add(this.process, what, () => {
        try {
          resolve(answer());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A call that changes something. `unsure` makes the error of a caller that can't know whether it did. */
  write<T>(what: string, effect: () => T, unsure: () => Error): Promise<T> {
    const { schedule } = this.broker;
    const { ackLost, landsLate, lost, latestMs } = this.#network;
    return new Promise((resolve, reject) => {
      const answer = (name: string, give: () => void): void => schedule.add(this.process, `${what} ${name}`, give);
      const giveUp = (): void => answer("unsure", () => reject(unsure()));
      if (schedule.chance(lost)) return giveUp();
      if (schedule.chance(landsLate)) {
        schedule.after(null, schedule.pick(latestMs), `${what} late`, () => void attempt(effect));
        return giveUp();
      }
      schedule.add(null, what, () => {
        const outcome = attempt(effect);
        if (schedule.chance(ackLost)) giveUp();
        else answer("ack", () => ("error" in outcome ? reject(outcome.error) : resolve(outcome.value)));
      });
    });
  }

  async ensure(topics: Parameters<Log["ensure"]>[0]): Promise<void> {
    for (const { name, partitions } of topics) this.broker.ensure(name, partitions);
  }

  async appender(_name: string): Promise<Appender> {
    let open = true;
    return {
      append: async (records) => {
        if (!open) throw closed("appender");
        await Promise.all([...byPartition(records).values()].map((all) => this.#sendInParts(all)));
      },
      close: async () => {
        open = false;
      },
    };
  }

  /** Now and then in two requests, one after the other, as large ones are: an entry's outputs can be torn between them. */
  async #sendInParts(records: readonly Append[]): Promise<void> {
    const { schedule } = this.broker;
    const first = schedule.chance(inTwoParts) ? schedule.pick(records.length) : 0;
    if (first > 0) await this.send(records.slice(0, first));
    await this.send(records.slice(first));
  }

  /** One request for one partition: it takes effect whole and in order. */
  send(request: readonly Append[]): Promise<void> {
    return this.write(
      "append",
      () => this.broker.append(request),
      () => unavailable("the answer to an append"),
    );
  }

  async reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader> {
    const of = this.broker.partition(topic, partition);
    const first = from === "start" ? of.start : from === "end" ? of.end : from;
    return new SimReader(of, first, this.broker.schedule, this.process);
  }

  bounds(topic: string, partition: number): ReturnType<Log["bounds"]> {
    return this.ask("bounds", () => {
      const { start, end } = this.broker.partition(topic, partition);
      return { start, end };
    });
  }

  firstSince(topic: string, partition: number, stampMs: number): Promise<number> {
    return this.ask("first since", () => {
      const { history, start, end } = this.broker.partition(topic, partition);
      return history.find((record) => record.offset >= start && record.stampMs >= stampMs)?.offset ?? end;
    });
  }

  async subscribe(...[group, topic, handler]: Parameters<Log["subscribe"]>): ReturnType<Log["subscribe"]> {
    return new SharedSubscription({
      membership: this.broker.group(group, topic).join(this.process),
      handler,
      read: (partition, from) => this.reader(topic, partition, from),
      timer: this.timer,
    });
  }

  async claim(store: string, partition: number, partitions: number): Promise<Owner> {
    const owner = this.ownerOf(this.broker.state(store, partition, partitions), `${store}/${partition}`);
    await owner.claim();
    return owner;
  }

  protected ownerOf(state: StatePartition, store: string): SimOwner {
    return new SimOwner(this, state, store);
  }

  async snapshot(store: string, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    const state = await this.ask("snapshot", () => this.broker.stores.get(store)?.[partition]);
    return state === undefined ? new Map() : await scan(this, state, state.end - 1);
  }

  async progress(): Promise<readonly (number | undefined)[]> {
    return [];
  }

  async report(): Promise<void> {}

  async close(): Promise<void> {}
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

const attempt = <T>(effect: () => T): Outcome<T> => {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
};

const byPartition = (records: readonly Append[]): Map<string, Append[]> =>
  Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
