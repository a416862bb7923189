/** Fetches one partition's committed records over a connection of its own, and reconnects after a failure. */
import type { KafkaClient } from "./kafka-client.ts";
import { kafkaErrorType } from "./kafka-client.ts";
import { within } from "./kafka-within.ts";
import type { Broker, Connection, FetchedPartition, RawMessage } from "./kafka-protocol.ts";
import { offsetOutOfRange } from "./refusal.ts";

export interface Fetched {
  /** Without transaction markers and aborted records; gaps in the offsets are legitimate. */
  readonly messages: readonly RawMessage[];
  /** Where to go on. Never less than what was asked for. */
  readonly next: number;
}

const fetchBytesMax = 4 * 1024 * 1024;
const answerMsMax = 10_000;

export class PartitionFetch {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #partition: number;
  #connection: Connection | undefined;

  constructor(client: KafkaClient, topic: string, partition: number) {
    this.#client = client;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** Waits at the broker for up to `waitMs`. Rejects with kafkajs's errors, or `offset-out-of-range`; then just call again. */
  async fetch(from: number, waitMs: number): Promise<Fetched> {
    try {
      return await within(
        waitMs + answerMsMax,
        `fetch of ${this.#topic}/${this.#partition}`,
        this.#fetch(from, waitMs),
      );
    } catch (error) {
      await this.close();
      if (kafkaErrorType(error) === "OFFSET_OUT_OF_RANGE")
        throw offsetOutOfRange(this.#topic, this.#partition, from, " in Kafka");
      throw error;
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.drop();
  }

  async #fetch(from: number, waitMs: number): Promise<Fetched> {
    const leader = await this.#leader();
    const { responses } = await leader.fetch({
      isolationLevel: 1,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: [
        {
          topic: this.#topic,
          partitions: [{ partition: this.#partition, fetchOffset: String(from), maxBytes: fetchBytesMax }],
        },
      ],
    });
    const fetched = responses[0]?.partitions[0];
    return fetched === undefined ? { messages: [], next: from } : committed(fetched, from);
  }

  async #leader(): Promise<Broker> {
    const { cluster } = this.#connection ?? (await this.#connect());
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(this.#topic, [this.#partition]));
    if (nodeId === undefined) throw new Error(`${this.#topic}/${this.#partition} has no leader`);
    return await cluster.findBroker({ nodeId });
  }

  async #connect(): Promise<Connection> {
    const connection = this.#client.connection();
    this.#connection = connection;
    await connection.cluster.connect();
    await connection.cluster.addTargetTopic(this.#topic);
    return connection;
  }
}

/**
 * Drops what lies below the wanted offset (a batch is fetched whole), markers, and records of aborted transactions: from a
 * producer's `firstOffset` on up to its abort marker.
 */
export const committed = ({ messages, abortedTransactions }: FetchedPartition, from: number): Fetched => {
  const aborting = new Set<string>();
  const begins = (abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
    producerId,
    offset: Number(firstOffset),
  }));
  begins.sort((a, b) => a.offset - b.offset);
  const kept: RawMessage[] = [];
  let next = from;
  for (const message of messages) {
    const offset = Number(message.offset);
    for (let begin = begins[0]; begin !== undefined && begin.offset <= offset; begin = begins[0]) {
      aborting.add(begin.producerId);
      begins.shift();
    }
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) aborting.delete(producerId);
    else if (offset >= next && !(inTransaction && aborting.has(producerId))) kept.push(message);
    next = Math.max(next, offset + 1);
  }
  return { messages: kept, next };
};
