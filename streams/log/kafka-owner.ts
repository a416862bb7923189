/**
 * One owner of a task's state in Kafka (design, "Exactly once"): a compacted topic per store and a transactional id per task. Its
 * first transaction, a claim, fences every earlier owner; so does none of kafkajs's `connect`. A commit of which
 * we don't know the outcome ends the owner; what it left open is aborted by the next claim.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Message, Producer } from "kafkajs";
import { OperatingError } from "../core/failure.ts";
import { type KafkaClient, kafkaErrorType } from "./kafka-client.ts";
import { PartitionFetch } from "./kafka-fetch.ts";
import { ended } from "./kafka-within.ts";
import type { Owner } from "./log.ts";
import { assertConfirmed } from "./memory-store.ts";
import { commitUnsure, fenced, recordBytesMax, recordTooLarge, unavailable } from "./refusal.ts";

/** No state key is like this one: those of tasks begin with a letter. */
const claimKey = "\u0000claim";
const fencedTypes = new Set(["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"]);
const sendBytesMax = 768 * 1024;
const loadMsMax = 30_000;
const fetchWaitMs = 500;
const coordinatorMsMax = 15_000;
const coordinatorPauseMs = 500;

export const stateTopic = (store: string): string => `state.${store}`;

/** Claims. The topic must be there. Codes: `log-unavailable`, `fenced` (by a claim at the same moment). */
export const claimState = async (client: KafkaClient, store: string, partition: number): Promise<Owner> => {
  const untilMs = performance.now() + coordinatorMsMax;
  for (;;)
    try {
      return await claimOnce(client, store, partition);
    } catch (error) {
      if (!lacksCoordinator(error) || performance.now() > untilMs) throw error;
      await sleep(coordinatorPauseMs);
    }
};

/** A broker that has just started makes the topic of its transactions when the first one asks for it; kafkajs does not wait for that. */
const lacksCoordinator = (error: unknown): boolean =>
  error instanceof OperatingError &&
  error.cause instanceof Error &&
  error.cause.name === "KafkaJSGroupCoordinatorNotFound";

const claimOnce = async (client: KafkaClient, store: string, partition: number): Promise<Owner> => {
  // With kafkajs's own 300 ms of first pause a commit takes that long whenever the one before is not quite finished.
  const producer = client.producer({
    transactionalId: `${store}/${partition}`,
    retry: { initialRetryTime: 2, maxRetryTime: 250, retries: 40 },
  });
  const owner = new KafkaOwner(client, producer, store, partition);
  try {
    await producer.connect();
    await owner.claim();
    return owner;
  } catch (error) {
    await owner.close();
    throw fencedTypes.has(kafkaErrorType(error))
      ? fenced(store, partition, error)
      : unavailable(`claiming ${store}/${partition}`, error);
  }
};

/** The committed state up to an offset, that one included. Codes: `log-unavailable`. */
export const loadState = async (
  client: KafkaClient,
  store: string,
  partition: number,
  upTo: number,
): Promise<Map<string, Uint8Array>> => {
  const state = new Map<string, Uint8Array>();
  const fetch = new PartitionFetch(client, stateTopic(store), partition);
  const untilMs = performance.now() + loadMsMax;
  let next = 0;
  try {
    while (next <= upTo) {
      if (performance.now() > untilMs) throw new Error(`${next} of ${upTo} records in ${loadMsMax} ms`);
      const fetched = await fetch.fetch(next, fetchWaitMs);
      for (const { key, value, offset } of fetched.messages) {
        const name = key?.toString("utf8") ?? "";
        if (Number(offset) > upTo || name === claimKey) continue;
        if (value === null) state.delete(name);
        else state.set(name, new Uint8Array(value));
      }
      next = fetched.next;
    }
    return state;
  } catch (error) {
    throw unavailable(`loading ${store}/${partition}`, error);
  } finally {
    await fetch.close();
  }
};

class KafkaOwner implements Owner {
  readonly #client: KafkaClient;
  readonly #producer: Producer;
  readonly #store: string;
  readonly #partition: number;
  #claimOffset = -1;
  #confirmed = false;
  #open = true;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: KafkaClient, producer: Producer, store: string, partition: number) {
    this.#client = client;
    this.#producer = producer;
    this.#store = store;
    this.#partition = partition;
  }

  async claim(): Promise<void> {
    this.#claimOffset = await this.#transact([this.#message(claimKey, Buffer.from("claim"))]);
  }

  async load(): Promise<ReadonlyMap<string, Uint8Array>> {
    return await loadState(this.#client, this.#store, this.#partition, this.#claimOffset);
  }

  async confirm(): Promise<void> {
    await this.#commit([this.#message(claimKey, Buffer.from("confirmed"))]);
    this.#confirmed = true;
  }

  async commit(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    assertConfirmed(this.#confirmed || !this.#open, this.#store, this.#partition);
    const messages = [...changes].map(([key, value]) => {
      const bytes = key.length + (value?.length ?? 0);
      if (bytes > recordBytesMax) throw recordTooLarge(stateTopic(this.#store), key, bytes);
      return this.#message(key, value === null ? null : Buffer.from(value));
    });
    // Even nothing has to be refused to an owner that is fenced.
    await this.#commit(messages.length > 0 ? messages : [this.#message(claimKey, Buffer.from("confirmed"))]);
  }

  async close(): Promise<void> {
    this.#open = false;
    await ended(this.#producer.disconnect());
  }

  #commit(messages: readonly Message[]): Promise<unknown> {
    const turn = this.#last.then(() => this.#commitNow(messages));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #commitNow(messages: readonly Message[]): Promise<void> {
    if (!this.#open) throw fenced(this.#store, this.#partition);
    try {
      await this.#transact(messages);
    } catch (error) {
      await this.close();
      throw fencedTypes.has(kafkaErrorType(error))
        ? fenced(this.#store, this.#partition, error)
        : commitUnsure(this.#store, this.#partition, error);
    }
  }

  /** The offset of the first message, once all of them are committed. */
  async #transact(messages: readonly Message[]): Promise<number> {
    const transaction = await this.#producer.transaction();
    let first: number | undefined;
    for (const part of inParts(messages)) {
      const [stored] = await transaction.send({ topic: stateTopic(this.#store), acks: -1, messages: part });
      first ??= Number(stored?.baseOffset);
    }
    await transaction.commit();
    if (first === undefined || !(first >= 0)) throw new Error("the broker gave no offset");
    return first;
  }

  #message(key: string, value: Buffer | null): Message {
    return { key, value, partition: this.#partition };
  }
}

const inParts = (messages: readonly Message[]): Message[][] => {
  const parts: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = (message.key?.length ?? 0) + (message.value?.length ?? 0) + 64;
    const last = parts.at(-1);
    if (last === undefined || bytes + size > sendBytesMax) {
      parts.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return parts;
};
