/**
 * Appends to Kafka with an idempotent producer and one request in flight; appends that wait meanwhile go together. After a failure the
 * producer is thrown away: kafkajs would give the failed batch's sequence numbers to other records, which Kafka would then
 * drop as repeats of a batch that it had stored after all.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Message, Producer } from "kafkajs";
import { InvariantError, OperatingError } from "../core/failure.ts";
import { type KafkaClient, kafkaErrorType } from "./kafka-client.ts";
import type { Append, Appender } from "./log.ts";
import { ended } from "./kafka-within.ts";
import { closed, recordBytesMax, recordTooLarge, unavailable } from "./refusal.ts";

interface Waiting {
  readonly records: readonly Append[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Below Kafka's usual limit of 1 MiB for one partition's batch, unless one record alone is larger. */
const requestBytesMax = 768 * 1024;
const requestRecordsMax = 5_000;
/** How long the broker may be away before an append is refused. */
const awayMsMax = 10_000;
const retryPauseMs = 100;

export class KafkaAppender implements Appender {
  readonly #client: KafkaClient;
  readonly #name: string;
  readonly #check: (record: Append) => Promise<void> | undefined;
  readonly #waiting: Waiting[] = [];
  #producer: Producer | undefined;
  #running: Promise<void> | undefined;
  #open = true;

  /** `check` rejects records of topics that are not there. */
  constructor(client: KafkaClient, name: string, check: (record: Append) => Promise<void> | undefined) {
    this.#client = client;
    this.#name = name;
    this.#check = check;
  }

  async append(records: readonly Append[]): Promise<void> {
    let bytes = 0;
    for (const record of records) {
      const recordBytes = record.value.length + record.key.length;
      if (recordBytes > recordBytesMax) throw recordTooLarge(record.topic, record.key, recordBytes);
      bytes += recordBytes;
    }
    if (!this.#open) throw closed(`appender ${this.#name}`);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ records, bytes, resolve, reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.#running;
    await this.#dispose();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#take();
      try {
        for (const request of requestsOf(taken.flatMap(({ records }) => records))) await this.#send(request);
        for (const { resolve } of taken) resolve();
      } catch (error) {
        await this.#dispose();
        for (const { reject } of taken) reject(error);
      }
    }
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (; count < this.#waiting.length; count++) {
      bytes += this.#waiting[count]?.bytes ?? 0;
      if (count > 0 && bytes > requestBytesMax) break;
    }
    return this.#waiting.splice(0, count);
  }

  /** The same records under the same sequence numbers until they are stored, or the time is up. */
  async #send(records: readonly Append[]): Promise<void> {
    for (const record of records) {
      const check = this.#check(record);
      if (check !== undefined) await check;
    }
    const topicMessages = byTopic(records);
    const sinceMs = performance.now();
    for (;;)
      try {
        this.#producer ??= await connected(this.#client);
        await this.#producer.sendBatch({ topicMessages, acks: -1, timeout: 5_000 });
        return;
      } catch (error) {
        const failure = this.#failure(error, records);
        if (failure !== undefined) throw failure;
        if (performance.now() - sinceMs > awayMsMax) throw unavailable(`appending as ${this.#name}`, error);
        await sleep(retryPauseMs);
      }
  }

  /** What no repetition under these sequence numbers can cure. */
  #failure(error: unknown, records: readonly Append[]): OperatingError | undefined {
    const [first] = records;
    const type = kafkaErrorType(error);
    if (error instanceof OperatingError) return error;
    if (first === undefined) throw new InvariantError("an empty request was sent");
    if (type === "MESSAGE_TOO_LARGE" || type === "RECORD_LIST_TOO_LARGE")
      return recordTooLarge(first.topic, first.key, first.value.length);
    if (type === "OUT_OF_ORDER_SEQUENCE_NUMBER" || type === "UNKNOWN_PRODUCER_ID" || type === "INVALID_PRODUCER_EPOCH")
      return unavailable(`appending as ${this.#name}`, error);
    return undefined;
  }

  async #dispose(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await ended(producer?.disconnect());
  }
}

const connected = async (client: KafkaClient): Promise<Producer> => {
  const producer = client.producer({ retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 500 } });
  try {
    await producer.connect();
    return producer;
  } catch (error) {
    await ended(producer.disconnect());
    throw error;
  }
};

/** Cut so that no request outgrows what the broker takes. */
const requestsOf = (records: readonly Append[]): Append[][] => {
  const requests: Append[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const recordBytes = record.value.length + record.key.length + 64;
    const last = requests.at(-1);
    if (last === undefined || bytes + recordBytes > requestBytesMax || last.length >= requestRecordsMax) {
      requests.push([record]);
      bytes = recordBytes;
    } else {
      last.push(record);
      bytes += recordBytes;
    }
  }
  return requests;
};

const byTopic = (records: readonly Append[]): { topic: string; messages: Message[] }[] => {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value } of records)
    topics.getOrInsertComputed(topic, () => []).push({ partition, key, value: asBuffer(value) });
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
};

/** Shares the bytes: kafkajs asks for a Buffer. */
const asBuffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);
