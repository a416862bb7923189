/** Prints decoded records of a topic, one JSON line each, as they come. Bytes are shown as text where they are text. */
import { openPlatform } from "../compose.ts";
import { readConfig } from "../config.ts";
import { OperatingError } from "../core/failure.ts";
import { partitionOf } from "../core/hash.ts";
import type { Reader } from "../log/log.ts";
import { decodeAll } from "../log/decode.ts";

export interface TapOptions {
  readonly config: string;
  readonly key?: string;
  readonly from: "start" | "end";
  readonly limit?: number;
  readonly ticks?: boolean;
}

const waitMs = 500;
const printable = /^[\t\n\r -~\u00a0-\uffff]*$/;

const asText = (bytes: Uint8Array): string => {
  const text = new TextDecoder().decode(bytes);
  return printable.test(text) ? text : `base64:${Buffer.from(bytes).toString("base64")}`;
};

/** A replacer for JSON.stringify: bytes as text where they are text, else as base64. */
export const showBytes = (_name: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return asText(value);
  const buffered = value as { type?: unknown; data?: unknown } | null;
  return buffered?.type === "Buffer" && Array.isArray(buffered.data)
    ? asText(Uint8Array.from(buffered.data as number[]))
    : value;
};

/** Runs until interrupted or `limit` records were printed. */
export const tap = async (topicName: string, options: TapOptions): Promise<void> => {
  const platform = await openPlatform(await readConfig(options.config), "tap");
  const topic = platform.topology.topics.find(({ name }) => name === topicName);
  if (topic === undefined) {
    const known = platform.topology.topics.map(({ name }) => `\n  ${name}`).join("");
    await platform.close();
    throw new OperatingError("unknown-topic", `tap: no topic is called ${topicName}; there are:${known}`, {
      retry: false,
    });
  }
  const partitions =
    options.key === undefined
      ? Array.from({ length: topic.partitions }, (_, p) => p)
      : [partitionOf(options.key, topic.partitions)];
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let stopped = false;
  process.once("SIGINT", () => {
    stopped = true;
  });
  const print = async (partition: number, reader: Reader): Promise<void> => {
    while (!stopped && left > 0) {
      for (const record of await decodeAll(topic, await reader.next(waitMs), platform.wire)) {
        const wanted = options.key === undefined ? record.key !== "" || options.ticks : record.key === options.key;
        if (!wanted || left <= 0) continue;
        left--;
        const { decoded, offset, key, stampMs } = record;
        const content = decoded.ok ? decoded.value : { problem: decoded.problem, value: record.value };
        process.stdout.write(`${JSON.stringify({ partition, offset, key, stampMs, ...content }, showBytes)}\n`);
      }
    }
    await reader.close();
  };
  await Promise.all(
    partitions.map(async (partition) =>
      print(partition, await platform.log.reader(topic.name, partition, options.from)),
    ),
  );
  await platform.close();
};
