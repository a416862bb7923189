/**
 * Membership of a Kafka consumer group: only who has which partition. Reading is each partition's own business, so a slow
 * handler neither stops the heartbeats nor holds up other partitions.
 */
import { type KafkaClient, kafkaErrorType } from "./kafka-client.ts";
import { type Broker, type Connection, MemberAssignment, MemberMetadata } from "./kafka-protocol.ts";
import { assign } from "./kafka-share.ts";
import { within } from "./kafka-within.ts";
import type { Membership } from "./shared-subscription.ts";
import { pause, realTimer, Signal } from "./signal.ts";

const protocolName = "afferent-sticky";
const sessionMs = 6_000;
const rebalanceMs = 10_000;
const heartbeatMs = 1_000;
const answerMsMax = 5_000;
const retryPauseMs = 500;

/** The group no longer knows this member: others may have its partitions. */
const expelled = new Set(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"]);

export class KafkaMembership implements Membership {
  readonly changed = new Signal();
  readonly group: string;
  readonly topic: string;
  readonly #client: KafkaClient;
  readonly #partitions: number;
  readonly #working = new Set<number>();
  readonly #leaving = new AbortController();
  readonly #aborted = Promise.withResolvers<never>();
  readonly #joined = Promise.withResolvers<void>();
  readonly #run: Promise<void>;
  #connection: Connection | undefined;
  #coordinator: Broker | undefined;
  #memberId = "";
  #generation = -1;
  #assigned: ReadonlySet<number> = new Set();
  #rejoin = false;
  /** Something to do before the next heartbeat. */
  readonly #poked = new Signal();

  constructor(client: KafkaClient, group: string, topic: string, partitions: number) {
    this.#client = client;
    this.group = group;
    this.topic = topic;
    this.#partitions = partitions;
    this.#aborted.promise.catch(() => {}); // nobody may be waiting when it comes
    this.#run = this.#belong();
  }

  /** Resolves at the first assignment. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  wanted(): ReadonlySet<number> {
    return this.#assigned;
  }

  take(partition: number): boolean {
    if (!this.#assigned.has(partition)) return false;
    this.#working.add(partition);
    return true;
  }

  holds(partition: number): boolean {
    return this.#assigned.has(partition);
  }

  release(partition: number): void {
    this.#working.delete(partition);
    this.#rejoin = true;
    this.#poked.notify();
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#aborted.reject(new Error("leaving"));
    this.#poked.notify();
    await this.#run;
  }

  /** Commits offsets as this member; false where it is no member now. */
  async commit(offsets: readonly { readonly partition: number; readonly offset: number }[]): Promise<boolean> {
    if (this.#coordinator === undefined || this.#generation < 0) return false;
    const committing = this.#coordinator.offsetCommit({
      groupId: this.group,
      groupGenerationId: this.#generation,
      memberId: this.#memberId,
      topics: [{ topic: this.topic, partitions: offsets.map(toCommit) }],
    });
    await within(answerMsMax, `offsets of ${this.group}`, committing);
    return true;
  }

  async #belong(): Promise<void> {
    while (!this.#leaving.signal.aborted)
      try {
        await this.#join();
        await this.#beatUntilRebalance();
      } catch (error) {
        await this.#recover(error);
      }
    await this.#leave();
  }

  async #join(): Promise<void> {
    this.#rejoin = false;
    const coordinator = await this.#findCoordinator();
    const joined = await this.#answered(
      rebalanceMs + answerMsMax,
      coordinator.joinGroup({
        groupId: this.group,
        sessionTimeout: sessionMs,
        rebalanceTimeout: rebalanceMs,
        memberId: this.#memberId,
        groupProtocols: [{ name: protocolName, metadata: this.#metadata() }],
      }),
    );
    this.#memberId = joined.memberId;
    const { memberAssignment } = await this.#answered(
      rebalanceMs + answerMsMax,
      coordinator.syncGroup({
        groupId: this.group,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupAssignment: joined.leaderId === joined.memberId ? this.#assignAll(joined.members) : [],
      }),
    );
    this.#generation = joined.generationId;
    this.#assigned = new Set(MemberAssignment.decode(memberAssignment)?.assignment[this.topic] ?? []);
    this.#joined.resolve();
    this.changed.notify();
  }

  async #beatUntilRebalance(): Promise<void> {
    const due = (): true | undefined => (this.#leaving.signal.aborted || this.#rejoin ? true : undefined);
    while (!(await this.#poked.wait(due, heartbeatMs, realTimer))) {
      const member = { groupId: this.group, groupGenerationId: this.#generation, memberId: this.#memberId };
      await this.#answered(answerMsMax, (await this.#findCoordinator()).heartbeat(member));
    }
  }

  async #recover(error: unknown): Promise<void> {
    const type = kafkaErrorType(error);
    if (type === "REBALANCE_IN_PROGRESS") return;
    if (expelled.has(type)) {
      this.#memberId = "";
      this.#generation = -1;
      this.#assigned = new Set();
      this.changed.notify();
      return;
    }
    if (!this.#leaving.signal.aborted) this.#client.onLine(`kafka: group ${this.group}: ${String(error)}`);
    await this.#disconnect();
    await pause(retryPauseMs, realTimer, this.#leaving.signal);
  }

  async #leave(): Promise<void> {
    this.#assigned = new Set();
    try {
      const member = { groupId: this.group, memberId: this.#memberId };
      if (this.#memberId !== "" && this.#coordinator !== undefined)
        await within(answerMsMax, `leaving ${this.group}`, this.#coordinator.leaveGroup(member));
    } catch {
      // The session ends by itself; there is nobody left to tell.
    }
    this.#joined.resolve();
    await this.#disconnect();
  }

  async #findCoordinator(): Promise<Broker> {
    if (this.#coordinator !== undefined) return this.#coordinator;
    const connection = this.#client.connection();
    const { cluster } = connection;
    this.#connection = connection;
    const found = cluster.connect().then(async () => {
      await cluster.addTargetTopic(this.topic);
      return await cluster.findGroupCoordinator({ groupId: this.group });
    });
    this.#coordinator = await this.#answered(answerMsMax, found);
    return this.#coordinator;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#coordinator = undefined;
    await connection?.drop();
  }

  /** Within its time, and not while this member wants to leave: joining can take as long as the slowest member. */
  #answered<T>(ms: number, promise: Promise<T>): Promise<T> {
    return within(ms, `group ${this.group}`, Promise.race([promise, this.#aborted.promise]));
  }

  #metadata(): Buffer {
    const userData = Buffer.from(JSON.stringify([...this.#working]));
    return MemberMetadata.encode({ version: 1, topics: [this.topic], userData });
  }

  #assignAll(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const present = members.map(({ memberId, memberMetadata }) => ({
      id: memberId,
      owned: JSON.parse(MemberMetadata.decode(memberMetadata).userData.toString()) as number[],
    }));
    return [...assign(present, this.#partitions)].map(([memberId, owned]) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: 1, assignment: { [this.topic]: owned } }),
    }));
  }
}

/** As Kafka takes it. */
export const toCommit = ({ partition, offset }: { readonly partition: number; readonly offset: number }) => ({
  partition,
  offset: String(offset),
  metadata: "",
});
