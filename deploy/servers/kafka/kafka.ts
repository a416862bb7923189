/** Kafka: one KRaft node that is broker and controller. */
import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { host, type StackConfig } from "../../config.ts";
import type { Place, ServerSpec } from "../../server.ts";
import { classPath, java } from "../java.ts";

/** A payload of 1 MiB (law 1's limit) with its envelope, and several of them in one request. */
export const recordBytes_max = 2 * 1024 * 1024;

export const kafkaSettings = ({
  ports,
  kafkaAdvertised,
  folder,
}: Place): string => `# Written by deploy/servers/kafka/kafka.ts at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${host}:${ports.kafkaController}
listeners=PLAINTEXT://${host}:${ports.kafka},CONTROLLER://${host}:${ports.kafkaController}
advertised.listeners=PLAINTEXT://${host}:${kafkaAdvertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=${join(folder, "log")}

# Topics are part of the topology, with their partition counts: one that nobody declared is a mistake.
auto.create.topics.enable=false
delete.topic.enable=true

# One node holds everything once. In a cluster: three replicas, two of them in step, no unclean election.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# The 50 partitions each that these get by default only lengthen the start of a single node.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4

# A group's first member need not wait for company.
group.initial.rebalance.delay.ms=0

# An entry may hold a payload of 1 MiB and its envelope.
message.max.bytes=${recordBytes_max}
replica.fetch.max.bytes=${recordBytes_max}

# Acknowledged means: in the page cache, which survives the broker's death but not the machine's. A power loss costs what
# the kernel had not yet written (some 30 s at most); replicas, not fsync, are Kafka's answer to that.
`;

const logging = `# The broker's log goes to its standard output, which the stack keeps in one file.
status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
`;

const options = (place: Place): string[] => [
  ...java(512),
  "-XX:TieredStopAtLevel=1",
  `-Dlog4j2.configurationFile=${join(place.folder, "log4j2.properties")}`,
  "-cp",
  classPath(place.software),
];

const prepare = async (place: Place): Promise<void> => {
  await mkdir(place.folder, { recursive: true });
  const file = join(place.folder, "server.properties");
  await writeFile(file, kafkaSettings(place));
  await writeFile(join(place.folder, "log4j2.properties"), logging);
  if (existsSync(join(place.folder, "log", "meta.properties"))) return;
  // an id that began with - would be read as an option
  const cluster = `A${randomBytes(16).toString("base64url").slice(1)}`;
  const format = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", file, "--ignore-formatted"];
  await promisify(execFile)("java", [...options(place), ...format]);
};

/** Whether the broker knows itself, a controller and the cluster's metadata. */
const healthy = async (ports: StackConfig["ports"], limitMs: number): Promise<boolean> => {
  const admin = new Kafka({
    brokers: [`${host}:${ports.kafka}`],
    clientId: "health",
    connectionTimeout: limitMs,
    requestTimeout: limitMs,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    // an id that began with - would be read as an option
    const cluster = await admin.describeCluster();
    return cluster.brokers.length === 1 && cluster.controller !== null;
  } catch {
    return false; // not healthy is the answer, whatever the reason
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};

export const kafka: ServerSpec = {
  name: "kafka",
  software: "kafka",
  ports: ({ kafka: clients, kafkaController }) => [clients, kafkaController],
  url: (ports) => `${host}:${ports.kafka}`,
  prepare,
  command: (place) => ({
    file: "java",
    args: [...options(place), "kafka.Kafka", join(place.folder, "server.properties")],
  }),
  healthy,
  startMs_max: 60_000,
  stopMs_max: 15_000,
};
