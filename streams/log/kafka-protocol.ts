/**
 * The part of kafkajs 2.2.4 below its consumer that we use: one connection pool (Cluster) and one broker's requests. The consumer
 * itself can neither read a partition without a group (#373) nor keep one slow partition from holding up the others.
 * kafkajs has had no release since 2023-02, so these internals stand still; the conformance suite runs on them.
 */
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { ISocketFactory, KafkaConfig, Logger } from "kafkajs";
import { ended } from "./kafka-within.ts";

export interface RawMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The commit or abort marker of a transaction. */
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchedPartition {
  readonly messages: readonly RawMessage[];
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
}

export interface OffsetCommit {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata: string }[];
}

export interface Broker {
  fetch(request: {
    /** 1: only committed records, up to the first open transaction. */
    isolationLevel: 0 | 1;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    /** Only the leader is told. */
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(request: {
    groupId: string;
    /** -1 with the empty member: from outside the group, only while it has no members. */
    groupGenerationId: number;
    memberId: string;
    topics: OffsetCommit[];
  }): Promise<unknown>;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(which: { nodeId: string }): Promise<Broker>;
  findGroupCoordinator(which: { groupId: string }): Promise<Broker>;
}

type ClusterOptions = Omit<KafkaConfig, "logLevel" | "logCreator"> & {
  logger: Logger;
  socketFactory: ISocketFactory;
  metadataMaxAge: number;
  allowAutoTopicCreation: boolean;
};

const load = createRequire(import.meta.url);
const ClusterOfKafkajs = load("kafkajs/src/cluster") as new (options: ClusterOptions) => Cluster;
const socketOfKafkajs = (load("kafkajs/src/network/socketFactory") as () => ISocketFactory)();

/** kafkajs unrefs a socket with each disconnect, also one that is long closed: Node would keep a listener for each, and warn. */
export const socketFactory: ISocketFactory = (where) => {
  const socket = socketOfKafkajs(where);
  socket.once("close", () => {
    socket.unref = () => socket;
  });
  return socket;
};

/**
 * kafkajs looks each millisecond of a connection's life whether a request waits for its turn. Here only while one waits: what it would wait
 * for, an answer or the end of a throttling, makes it look anyway.
 */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}
const { prototype: queue } = load("kafkajs/src/network/requestQueue") as { readonly prototype: RequestQueue };
const lookLater = queue.scheduleCheckPendingRequests;
queue.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) lookLater.call(this);
};

/** The consumer protocol's own encoding, so that Kafka's tools can show the group. */
export const { MemberMetadata, MemberAssignment } = load("kafkajs/src/consumer/assignerProtocol") as {
  MemberMetadata: {
    encode(metadata: { version: number; topics: readonly string[]; userData: Buffer }): Buffer;
    decode(bytes: Buffer): { userData: Buffer };
  };
  MemberAssignment: {
    encode(assignment: { version: number; assignment: Record<string, readonly number[]> }): Buffer;
    decode(bytes: Buffer): { assignment: Record<string, number[]> } | null;
  };
};

const metadataMaxAgeMs = 60_000;

/** Connections of their own to the cluster, which can be dropped at once: kafkajs would wait for the answers still due. */
export interface Connection {
  readonly cluster: Cluster;
  drop(): Promise<void>;
}

export const connection = (options: Omit<KafkaConfig, "logLevel" | "logCreator">, logger: Logger): Connection => {
  const sockets: Socket[] = [];
  const cluster = new ClusterOfKafkajs({
    connectionTimeout: 1_000,
    ...options,
    logger,
    socketFactory: (where) => {
      const socket = socketFactory(where);
      sockets.push(socket);
      return socket;
    },
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
  });
  return {
    cluster,
    drop: async () => {
      for (const socket of sockets) dropSocket(socket);
      await ended(cluster.disconnect());
    },
  };
};

/** As if the broker had closed it: kafkajs then rejects what waits for an answer. */
const dropSocket = (socket: Socket): void => {
  if (socket.connecting) socket.destroy(new Error("dropped while connecting"));
  else if (!socket.destroyed) {
    socket.emit("end");
    socket.destroy();
  }
};
