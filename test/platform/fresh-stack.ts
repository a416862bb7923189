/** Topics have fixed names, so a platform on the shared stack begins by emptying its servers. */
import { Kafka, logLevel } from "kafkajs";
import type { Stack } from "../../deploy/stack.ts";
import { literal, runSql } from "../../streams/io/series/questdb-http.ts";
import { tableNames } from "../../streams/io/series/tables.ts";
import { purgeEhr } from "./ehr.ts";
import { until } from "./watch.ts";

/** Kafka's topics and groups, QuestDB's tables and everything in the EHR. Schemas stay: the registry's ids may. */
export const emptyStack = async (stack: Stack): Promise<void> => {
  await Promise.all([
    emptyKafka(stack.server("kafka").url),
    emptyQuestdb(stack.server("questdb").url),
    purgeEhr(stack.server("hapi").url),
  ]);
};

const emptyKafka = async (broker: string): Promise<void> => {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { groups } = await admin.listGroups();
  await until("consumer groups of an earlier platform to be empty", async () => {
    const { groups: described } = await admin.describeGroups(groups.map(({ groupId }) => groupId));
    return described.every(({ state }) => state === "Empty" || state === "Dead");
  });
  if (groups.length > 0) await admin.deleteGroups(groups.map(({ groupId }) => groupId));
  const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith("__"));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await until("topics to be gone", async () => (await admin.listTopics()).every((topic) => topic.startsWith("__")));
  await admin.disconnect();
};

const emptyQuestdb = async (url: string): Promise<void> => {
  for (const table of tableNames) await runSql({ url }, `DROP TABLE IF EXISTS ${table}`);
  await until("tables to be gone", async () => {
    const names = tableNames.map(literal).join(", ");
    return (await runSql({ url }, `SELECT table_name FROM tables() WHERE table_name IN (${names})`)).length === 0;
  });
};
