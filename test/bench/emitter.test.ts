/** The Kafka Streams program that `windows` is measured against writes the same record: a field that is added to it must be added there. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { windowAggregate } from "../../schemas/records/telemetry.ts";

it("the benchmark's emitter sets every field of a window", () => {
  const file = new URL("kafka-streams/src/main/java/bench/Emitter.java", import.meta.url);
  const put = [...readFileSync(file, "utf8").matchAll(/body\.put\("(\w+)"/g)].map(([, name]) => name);
  const { fields } = windowAggregate.avro as unknown as { readonly fields: readonly { readonly name: string }[] };
  expect(put.toSorted()).toEqual(fields.map(({ name }) => name).toSorted());
});
