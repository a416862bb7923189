/** Servers of the bench's own, in a folder and on ports of their own, so that no run finds what another left. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { readStackConfig } from "../../deploy/config.ts";
import { freePorts } from "../../deploy/ports.ts";
import type { ServerName } from "../../deploy/server.ts";
import { startStack } from "../../deploy/stack.ts";
import type { Config } from "../../streams/config.ts";

export interface BenchStack {
  readonly folder: string;
  readonly mqttUrl: string;
  readonly broker: string;
  readonly registryUrl: string;
  readonly createTopic: (topic: string, partitions: number) => Promise<void>;
  /** Records that a topic has taken, over its partitions. */
  readonly taken: (topic: string) => Promise<number>;
}

/** HAPI FHIR alone. */
export const withEhr = async <T>(use: (baseUrl: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), "afferent-bench-"));
  const config = { ...readStackConfig(), data: join(folder, "stack"), ports: await freePorts() };
  try {
    const stack = await startStack({ config, servers: ["hapi"] });
    try {
      return await use(stack.server("hapi").url);
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Starts the servers, uses them and takes everything away again. */
export const withStack = async <T>(use: (stack: BenchStack) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), "afferent-bench-"));
  const config = { ...readStackConfig(), data: join(folder, "stack"), ports: await freePorts() };
  const servers: readonly ServerName[] = ["mosquitto", "kafka", "apicurio"];
  try {
    const stack = await startStack({ config, servers });
    const broker = stack.server("kafka").url;
    const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
    try {
      await admin.connect();
      return await use({
        folder,
        mqttUrl: stack.server("mosquitto").url,
        broker,
        registryUrl: stack.server("apicurio").url,
        createTopic: async (topic, numPartitions) => {
          await admin.createTopics({ topics: [{ topic, numPartitions }] });
        },
        taken: async (topic) => (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
      });
    } finally {
      await admin.disconnect();
      await stack.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The configuration of a role on this stack, and the file that it is read from. */
export const roleConfig = (stack: BenchStack, name: string, roster: object): { file: string; config: Config } => {
  const rosterFile = join(stack.folder, `${name}-roster.json`);
  writeFileSync(rosterFile, JSON.stringify(roster));
  const config: Config = {
    ward: "bench",
    production: false,
    data: join(stack.folder, name),
    log: { kind: "kafka", brokers: [stack.broker] },
    registry: { kind: "confluent", url: stack.registryUrl },
    intake: {
      kind: "subscriber",
      url: stack.mqttUrl,
      protocolVersion: 5,
      clientId: `bench-${process.pid}-${Date.now()}`,
      topics: ["afferent/#"],
    },
    series: { kind: "sqlite", keepHours: 1 },
    destinations: [{ name: "ehr", kind: "fhir", baseUrl: "http://127.0.0.1:9/fhir", finalAtEnd: true }],
    roster: rosterFile,
    rules: [join(import.meta.dirname, "../../topologies/rules/adult-example.json")],
    demoApproval: true,
    allowPlainRules: false,
    board: { host: "127.0.0.1", port: 0 },
    speed: 1,
    lingerMs: 5,
  };
  const file = join(stack.folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return { file, config };
};
