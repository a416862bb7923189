/** Topics of Kafka: created with the settings that the design asks for, counted, bounded, trimmed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, ITopicConfig } from "kafkajs";
import { type KafkaClient, kafkaErrorType } from "./kafka-client.ts";
import { stateTopic } from "./kafka-owner.ts";
import { ended } from "./kafka-within.ts";
import type { TopicSpec } from "./log.ts";
import { partitionCountChanged, unavailable, unknownTopic } from "./refusal.ts";

/** One record of `recordBytesMax` and what Kafka puts around it. */
const messageBytesMax = 2 * 1024 * 1024;
/** The cleaner leaves the newest segment alone: small ones keep what a load must read small. */
const stateConfig = {
  "cleanup.policy": "compact",
  "segment.bytes": String(16 * 1024 * 1024),
  "min.cleanable.dirty.ratio": "0.2",
};
const createdMsMax = 10_000;
const notReadyMsMax = 5_000;
const lookAgainMs = 100;

export interface TopicSettings {
  /** Copies of each partition; the broker's default unless given. */
  readonly replicas?: number;
  /** Further settings of a topic, such as `retention.ms` or `min.insync.replicas`. */
  readonly configOf?: (topic: string) => Readonly<Record<string, string>>;
}

export class KafkaTopics {
  readonly #client: KafkaClient;
  readonly #settings: TopicSettings;
  readonly #counts = new Map<string, number>();
  #admin: Promise<Admin> | undefined;

  constructor(client: KafkaClient, settings: TopicSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** The raw log stamps log time, so LogAppendTime. Codes: `partition-count-changed`, `log-unavailable`. */
  ensure(topics: readonly TopicSpec[]): Promise<void> {
    return this.#ensure(topics, { "message.timestamp.type": "LogAppendTime" });
  }

  async ensureState(store: string, partitions: number): Promise<void> {
    const name = stateTopic(store);
    if (this.#counts.get(name) !== partitions) await this.#ensure([{ name, partitions }], stateConfig);
  }

  /** The end of committed state, a transaction's marker included; undefined where nobody ever claimed. */
  async stateEnd(store: string, partition: number): Promise<number | undefined> {
    const name = stateTopic(store);
    const count = this.#counts.get(name) ?? (await this.#lookUp([name])).get(name);
    return count === undefined || partition >= count ? undefined : (await this.bounds(name, partition)).end;
  }

  /** Undefined where it is known and there. Rejects with `unknown-topic`. */
  check(topic: string, partition: number): Promise<void> | undefined {
    const count = this.#counts.get(topic);
    return count !== undefined && partition < count ? undefined : this.#assertThere(topic, partition);
  }

  async count(topic: string): Promise<number> {
    const known = this.#counts.get(topic) ?? (await this.#lookUp([topic])).get(topic);
    if (known === undefined) throw unknownTopic(topic);
    this.#counts.set(topic, known);
    return known;
  }

  async bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    await this.check(topic, partition);
    const offsets = await this.ask(`bounds of ${topic}`, (admin) => admin.fetchTopicOffsets(topic));
    const found = offsets.find((one) => one.partition === partition);
    if (found === undefined) throw unknownTopic(topic, partition);
    return { start: Number(found.low), end: Number(found.high) };
  }

  async firstSince(topic: string, partition: number, stampMs: number): Promise<number> {
    await this.check(topic, partition);
    // below 0 a time stands for the log's ends
    const timestamp = Math.max(0, Math.ceil(stampMs));
    const offsets = await this.ask(`offsets by time of ${topic}`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, timestamp),
    );
    const found = offsets.find((one) => one.partition === partition);
    if (found === undefined) throw unknownTopic(topic, partition);
    return Number(found.offset);
  }

  async trim(topic: string, partition: number, beforeOffset: number): Promise<void> {
    const { start, end } = await this.bounds(topic, partition);
    if (beforeOffset <= start) return;
    const partitions = [{ partition, offset: String(Math.min(beforeOffset, end)) }];
    await this.ask(`trimming ${topic}`, (admin) => admin.deleteTopicRecords({ topic, partitions }));
  }

  /**
   * Asks over the admin connection, and again while a broker says that it is not ready (a leader being elected). After a
   * failure the next question makes a new connection. Codes: `log-unavailable`.
   */
  async ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    const untilMs = performance.now() + notReadyMsMax;
    for (;;) {
      this.#admin ??= this.#connect();
      const admin = this.#admin;
      try {
        return await question(await admin);
      } catch (error) {
        if (this.#admin === admin) await this.close();
        if (kafkaErrorType(error) === "" || performance.now() > untilMs) throw unavailable(what, error);
        await sleep(lookAgainMs);
      }
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await ended(admin?.then((one) => one.disconnect()));
  }

  async #connect(): Promise<Admin> {
    const admin = this.#client.kafka.admin();
    await admin.connect();
    return admin;
  }

  async #ensure(topics: readonly TopicSpec[], config: Readonly<Record<string, string>>): Promise<void> {
    const stand = await this.#lookUp(topics.map(({ name }) => name));
    assertCounts(topics, stand);
    const missing = topics.filter(({ name }) => !stand.has(name));
    if (missing.length > 0) await this.#create(missing, config);
    if (missing.length > 0) assertCounts(missing, await this.#untilThere(missing.map(({ name }) => name)));
    for (const { name, partitions } of topics) this.#counts.set(name, partitions);
  }

  /** Another process may have created them at the same moment, with its own counts, and they may not be known everywhere yet. */
  async #untilThere(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const untilMs = performance.now() + createdMsMax;
    for (;;) {
      const found = await this.#lookUp(names);
      if (names.every((name) => (found.get(name) ?? 0) > 0)) return found;
      if (performance.now() > untilMs) throw unavailable(`${names.join(", ")}: created but not there`);
      await sleep(lookAgainMs);
    }
  }

  async #create(topics: readonly TopicSpec[], config: Readonly<Record<string, string>>): Promise<void> {
    const { replicas = -1, configOf = () => ({}) } = this.#settings;
    const wanted = topics.map(({ name, partitions }): ITopicConfig => {
      const entries = { "max.message.bytes": String(messageBytesMax), ...config, ...configOf(name) };
      return {
        topic: name,
        numPartitions: partitions,
        replicationFactor: replicas,
        configEntries: Object.entries(entries).map(([entry, value]) => ({ name: entry, value })),
      };
    });
    await this.ask("creating topics", (admin) => admin.createTopics({ topics: wanted, waitForLeaders: true }));
  }

  async #assertThere(topic: string, partition: number): Promise<void> {
    if (partition >= (await this.count(topic))) throw unknownTopic(topic, partition);
  }

  async #lookUp(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return await this.ask("looking up topics", async (admin) => {
      const present = new Set(await admin.listTopics());
      const topics = names.filter((name) => present.has(name));
      if (topics.length === 0) return new Map();
      const metadata = await admin.fetchTopicMetadata({ topics });
      return new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
    });
  }
}

const assertCounts = (topics: readonly TopicSpec[], stand: ReadonlyMap<string, number>): void => {
  for (const { name, partitions } of topics) {
    const count = stand.get(name) ?? partitions;
    if (count !== partitions) throw partitionCountChanged(name, count, partitions);
  }
};
