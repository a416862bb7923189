/**
 * How long each topic is kept. Raw topics for ever, for all else can be made again from them (law 1); clinical ones too: they stand for
 * patients, consents and decisions, and whoever starts anew reads them from their beginning (roles/consent-table.ts).
 */
import type { AnyTopic } from "./core/stage.ts";
import type { Retention } from "./log/log.ts";

const weekHours = 168;
const isClinical = (topic: string): boolean => topic.startsWith("clinical.");

/** Kafka's settings of a topic; a state store, which is compacted, has none. `keepDerivedHours`: a week unless told otherwise. */
export const kafkaRetention = (
  topics: readonly AnyTopic[],
  keepDerivedHours = weekHours,
): ((name: string) => Readonly<Record<string, string>>) => {
  const derivedMs = String(Math.round(keepDerivedHours * 3_600_000));
  return (name) => {
    const topic = topics.find((one) => one.name === name);
    if (topic === undefined) return {};
    return { "retention.ms": topic.raw || isClinical(name) ? "-1" : derivedMs };
  };
};

/** An embedded log has one small disk: where a count is given, raw topics are held to it too. Clinical ones never are. */
export const sqliteRetention =
  (keepRecords: number | undefined): Retention =>
  (topic) =>
    isClinical(topic) ? undefined : keepRecords;
