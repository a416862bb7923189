/** How this process talks to Kafka: one configuration for every connection, kafkajs's own log lines led to a sink, and what its errors mean. */
import "./kafka-produce.ts"; // before kafkajs
import { Kafka, type KafkaConfig, logLevel, Partitioners } from "kafkajs";
import { type Connection, connection, socketFactory } from "./kafka-protocol.ts";

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: NonNullable<KafkaConfig["ssl"]>;
  readonly sasl?: NonNullable<KafkaConfig["sasl"]>;
  /** Gets kafkajs's error lines; what matters of them also comes as rejections. */
  readonly onLine?: (line: string) => void;
}

/** A broker that hangs is given up after this. */
const requestMsMax = 5_000;

/** Every second commit meets the end of the one before and is repeated 2 ms later: no error. */
const usual = /another concurrent operation on the same transaction/;

export class KafkaClient {
  readonly kafka: Kafka;
  /** For what goes wrong and is repeated later. */
  readonly onLine: (line: string) => void;
  readonly #options;

  constructor({ brokers, clientId, ssl, sasl, onLine = () => {} }: KafkaConnection) {
    this.onLine = onLine;
    this.#options = {
      brokers: [...brokers],
      clientId,
      requestTimeout: requestMsMax,
      socketFactory,
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 500 },
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
    };
    this.kafka = new Kafka({
      ...this.#options,
      logLevel: logLevel.ERROR,
      logCreator:
        () =>
        ({ namespace, log: { message, groupId, broker, error } }) => {
          if (!usual.test(message))
            onLine(["kafka", namespace, groupId, broker, message, error].filter(Boolean).join(": "));
        },
    });
  }

  /** A connection of its own, for requests that the broker answers late and in order: fetch and group membership. */
  connection(): Connection {
    // Fetches wait at the broker; kafkajs would give up 100 ms after that. Who calls keeps the time.
    return connection({ ...this.#options, enforceRequestTimeout: false }, this.kafka.logger());
  }

  producer(options: { transactionalId?: string; retry: NonNullable<KafkaConfig["retry"]> }) {
    return this.kafka.producer({
      ...options,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      transactionTimeout: 15_000,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
  }
}

/** Kafka's name for what went wrong, from as deep as kafkajs has wrapped it; "" where it is not the protocol's. */
export const kafkaErrorType = (error: unknown): string => {
  for (
    let e = error as KafkaError | undefined, depth = 0;
    e != null && depth < 8;
    e = e.cause ?? e.originalError, depth++
  )
    if (typeof e.type === "string") return e.type;
  return "";
};

interface KafkaError {
  readonly type?: string;
  readonly cause?: KafkaError;
  readonly originalError?: KafkaError;
}
