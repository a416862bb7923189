/** The Log over Kafka, by kafkajs 2.2.4: idempotent appends, a connection per read partition, transactions only for states. */
import { KafkaAppender } from "./kafka-appender.ts";
import { KafkaClient, type KafkaConnection } from "./kafka-client.ts";
import { PartitionFetch } from "./kafka-fetch.ts";
import { KafkaMembership } from "./kafka-group.ts";
import { claimState, loadState } from "./kafka-owner.ts";
import { KafkaProgress } from "./kafka-progress.ts";
import { KafkaReader } from "./kafka-reader.ts";
import { KafkaTopics, type TopicSettings } from "./kafka-topics.ts";
import type { Append, Appender, Log, Owner, Reader, TopicSpec, TrimmableLog } from "./log.ts";
import * as refusal from "./refusal.ts";
import { SharedSubscription } from "./shared-subscription.ts";
import { realTimer } from "./signal.ts";

export interface KafkaLogOptions extends KafkaConnection, TopicSettings {}

/** Connects when it is used. */
export const kafkaLog = (options: KafkaLogOptions): TrimmableLog => new KafkaLog(options);

interface Closable {
  close(): Promise<void>;
}

class KafkaLog implements TrimmableLog {
  readonly #client: KafkaClient;
  readonly #topics: KafkaTopics;
  readonly #progress: KafkaProgress;
  readonly #memberships = new Set<KafkaMembership>();
  readonly #subscriptions = new Set<SharedSubscription>();
  readonly #open = new Set<Closable>();
  #closed = false;

  constructor(options: KafkaLogOptions) {
    this.#client = new KafkaClient(options);
    this.#topics = new KafkaTopics(this.#client, options);
    this.#progress = new KafkaProgress(this.#client, this.#topics, (group, topic) =>
      [...this.#memberships].find((member) => member.group === group && member.topic === topic),
    );
  }

  async ensure(topics: readonly TopicSpec[]): Promise<void> {
    this.#assertOpen();
    await this.#topics.ensure(topics);
  }

  async appender(name: string): Promise<Appender> {
    this.#assertOpen();
    const check = ({ topic, partition }: Append) => this.#topics.check(topic, partition);
    return this.#closable(new KafkaAppender(this.#client, name, check));
  }

  async reader(topic: string, partition: number, from: number | "start" | "end"): Promise<Reader> {
    this.#assertOpen();
    await this.#topics.check(topic, partition);
    const offset = typeof from === "number" ? from : (await this.#topics.bounds(topic, partition))[from];
    const fetch = new PartitionFetch(this.#client, topic, partition);
    return this.#closable(new KafkaReader(fetch, `${topic}/${partition}`, offset));
  }

  async bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    this.#assertOpen();
    return await this.#topics.bounds(topic, partition);
  }

  async firstSince(topic: string, partition: number, stampMs: number): Promise<number> {
    this.#assertOpen();
    return await this.#topics.firstSince(topic, partition, stampMs);
  }

  async trim(topic: string, partition: number, beforeOffset: number): Promise<void> {
    this.#assertOpen();
    await this.#topics.trim(topic, partition, beforeOffset);
  }

  async subscribe(...[group, topic, handler]: Parameters<Log["subscribe"]>): ReturnType<Log["subscribe"]> {
    this.#assertOpen();
    const membership = new KafkaMembership(this.#client, group, topic, await this.#topics.count(topic));
    this.#memberships.add(membership);
    const subscription = new SharedSubscription({
      membership,
      handler,
      read: (partition, from) => this.reader(topic, partition, from),
      timer: realTimer,
    });
    this.#subscriptions.add(subscription);
    await membership.joined;
    return subscription;
  }

  async claim(store: string, partition: number, partitions: number): Promise<Owner> {
    this.#assertOpen();
    if (partition >= partitions) throw refusal.unknownTopic(store, partition);
    await this.#topics.ensureState(store, partitions);
    return this.#closable(await claimState(this.#client, store, partition));
  }

  async snapshot(store: string, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#assertOpen();
    const end = await this.#topics.stateEnd(store, partition);
    return end === undefined ? new Map() : await loadState(this.#client, store, partition, end - 1);
  }

  async progress(group: string, topic: string): Promise<readonly (number | undefined)[]> {
    this.#assertOpen();
    return await this.#progress.read(group, topic, await this.#topics.count(topic));
  }

  async report(group: string, topic: string, partition: number, next: number): Promise<void> {
    this.#assertOpen();
    await this.#topics.check(topic, partition);
    this.#progress.report(group, topic, partition, next);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((one) => one.close()));
    await Promise.all([...this.#open].map((one) => one.close()));
    await this.#progress.close();
    await this.#topics.close();
  }

  /** Closed with the log, unless it was closed before. */
  #closable<T extends Closable>(one: T): T {
    this.#open.add(one);
    const close = one.close.bind(one);
    one.close = async () => {
      this.#open.delete(one);
      await close();
    };
    return one;
  }

  #assertOpen(): void {
    if (this.#closed) throw refusal.closed("the log");
  }
}
