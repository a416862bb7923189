/** From a log's records to what a task takes. */
import type { AnyTopic } from "../core/stage.ts";
import type { InputRecord } from "../core/task.ts";
import { schemaIdOf, type Wire } from "../core/wire.ts";
import type { LogRecord } from "./log.ts";

/** Decodes a batch, asking the registry once for schema ids that are new to this process. */
export const decodeAll = async (
  topic: AnyTopic,
  records: readonly LogRecord[],
  wire: Wire,
): Promise<readonly InputRecord[]> => {
  const decoded: InputRecord[] = [];
  for (const record of records) {
    let result = wire.decode(topic, record.value);
    if (!result.ok && result.problem.reason === "unknown-schema-id") {
      const id = schemaIdOf(record.value);
      if (id !== null && (await wire.learn(id))) result = wire.decode(topic, record.value);
    }
    decoded.push({ ...record, decoded: result });
  }
  return decoded;
};
