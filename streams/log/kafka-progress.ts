/** How far groups have come, as their committed offsets, where Kafka's own tools look for lag. Nothing restarts from them. */
import type { KafkaClient } from "./kafka-client.ts";
import { type KafkaMembership, toCommit } from "./kafka-group.ts";
import type { KafkaTopics } from "./kafka-topics.ts";
import { within } from "./kafka-within.ts";

interface Reported {
  readonly group: string;
  readonly topic: string;
  readonly offsets: Map<number, number>;
}

const commitEveryMs = 1_000;
const answerMsMax = 5_000;

export class KafkaProgress {
  readonly #client: KafkaClient;
  readonly #topics: KafkaTopics;
  readonly #memberOf: (group: string, topic: string) => KafkaMembership | undefined;
  readonly #reported = new Map<string, Reported>();
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();
  #open = true;

  constructor(
    client: KafkaClient,
    topics: KafkaTopics,
    memberOf: (group: string, topic: string) => KafkaMembership | undefined,
  ) {
    this.#client = client;
    this.#topics = topics;
    this.#memberOf = memberOf;
  }

  /** Commits soon, together with others; what fails is committed later, unless something newer is by then. */
  report(group: string, topic: string, partition: number, next: number): void {
    const { offsets } = this.#reported.getOrInsertComputed(`${group}\n${topic}`, () => ({
      group,
      topic,
      offsets: new Map(),
    }));
    offsets.set(partition, next);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#committing = this.#committing.then(() => this.#commitAll());
    }, commitEveryMs);
  }

  async read(group: string, topic: string, partitions: number): Promise<readonly (number | undefined)[]> {
    const found = await this.#topics.ask(`progress of ${group}`, (admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    );
    const progress = Array.from<number | undefined>({ length: partitions });
    for (const { partition, offset } of found[0]?.partitions ?? [])
      progress[partition] = Number(offset) < 0 ? undefined : Number(offset);
    for (const [partition, next] of this.#reported.get(`${group}\n${topic}`)?.offsets ?? []) progress[partition] = next;
    return progress;
  }

  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#timer);
    await this.#committing;
    await this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    const all = [...this.#reported.values()];
    this.#reported.clear();
    for (const one of all)
      await this.#commit(one).catch((error: unknown) => {
        this.#client.onLine(`kafka: offsets of ${one.group} were not committed: ${String(error)}`);
        if (this.#open) this.#reportAgain(one);
      });
  }

  #reportAgain({ group, topic, offsets }: Reported): void {
    const newer = this.#reported.get(`${group}\n${topic}`)?.offsets;
    for (const [partition, next] of offsets)
      if (newer?.has(partition) !== true) this.report(group, topic, partition, next);
  }

  async #commit({ group, topic, offsets }: Reported): Promise<void> {
    const list = [...offsets].map(([partition, offset]) => ({ partition, offset }));
    if (await this.#memberOf(group, topic)?.commit(list)) return;
    const { cluster, drop } = this.#client.connection();
    try {
      await within(answerMsMax, `offsets of ${group}`, cluster.connect());
      const coordinator = await within(
        answerMsMax,
        `coordinator of ${group}`,
        cluster.findGroupCoordinator({ groupId: group }),
      );
      const committing = coordinator.offsetCommit({
        groupId: group,
        groupGenerationId: -1,
        memberId: "",
        topics: [{ topic, partitions: list.map(toCommit) }],
      });
      await within(answerMsMax, `offsets of ${group}`, committing);
    } finally {
      await drop();
    }
  }
}
