/** Produce requests byte by byte, and their checksum. */
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";

const load = createRequire(import.meta.url);
type Request = (of: object) => { encode(): Promise<{ buffer: Buffer }> };

/** kafkajs's modules from their files once more: what was loaded before stands in nobody's way. */
const fresh = <T>(path: string): T => {
  for (const file of Object.keys(load.cache)) if (file.includes("/kafkajs/")) delete load.cache[file];
  return load(path) as T;
};
const requestPath = "kafkajs/src/protocol/requests/produce/v3/request";
const groupingPath = "kafkajs/src/producer/groupMessagesPerPartition";
const kafkajsRequest = fresh<Request>(requestPath);
const kafkajsGrouping = load(groupingPath) as (of: object) => object;
fresh("kafkajs");
await import("./kafka-produce.ts");
const request = load(requestPath) as Request;
const grouping = load(groupingPath) as typeof kafkajsGrouping;
const Long = load("kafkajs/src/utils/long") as { fromValue(value: string): object };

const field = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
const plain = { key: fc.option(field), value: fc.option(field) };
const timestamp = fc.constantFrom("1800000000000", "1800000000001", "1800086400000");
const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ maxLength: 9 }), { maxKeys: 2 });
const lengths = { minLength: 1, maxLength: 70 };

const produce = fc.record({
  transactionalId: fc.option(fc.constant("task")),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }).map((id) => Long.fromValue(String(id))),
  producerEpoch: fc.integer({ min: 0, max: 2 ** 15 - 1 }),
  firstSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  messages: fc.oneof(
    fc.array(fc.record({ ...plain, timestamp }), lengths),
    fc.array(fc.record({ ...plain, timestamp, headers }), lengths),
  ),
});

describe("a produce request", () => {
  it("has the very bytes that kafkajs gives it", async () => {
    expect(request).not.toBe(kafkajsRequest);
    await fc.assert(
      fc.asyncProperty(produce, async ({ firstSequence, messages, ...of }) => {
        const topicData = [{ topic: "t", partitions: [{ partition: 3, firstSequence, messages }] }];
        const encoded = async (make: Request) =>
          (await make({ acks: -1, timeout: 5000, ...of, topicData }).encode()).buffer.toString("hex");
        expect(await encoded(request)).toBe(await encoded(kafkajsRequest));
      }),
      { numRuns: 300 },
    );
  });

  it("groups messages by partition as kafkajs does, ten thousand without delay", () => {
    expect(grouping).not.toBe(kafkajsGrouping);
    const partitioner = ({ message: { partition } }: { message: { partition: number } }) => partition;
    const of = (count: number) => ({
      topic: "t",
      partitionMetadata: [{}],
      messages: Array.from({ length: count }, (_, i) => ({ partition: (i * 7) % 3, value: String(i) })),
      partitioner,
    });
    expect(grouping(of(100))).toEqual(kafkajsGrouping(of(100)));
    expect(grouping({ ...of(1), partitionMetadata: [] })).toEqual({});
    const began = performance.now();
    grouping(of(10_000));
    expect(performance.now() - began).toBeLessThan(100);
  });
});

describe("CRC-32C", () => {
  it.each([
    ["123456789", 0xe3069283],
    ["", 0],
    ["a", 0xc1d04330],
  ])("of %j", (text, sum) => {
    expect(crc32c(Buffer.from(text))).toBe(sum);
  });

  it("of a part is that of the part's bytes", () => {
    const bytes = Buffer.from("....123456789..");
    expect(crc32c(bytes, 4, 13)).toBe(0xe3069283);
  });
});
