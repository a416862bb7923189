/**
 * How the records of a produce request become bytes. kafkajs 2.2.4 copies a request's messages once per message (a checkpoint of 2,000 cells
 * is two million copies) and gives every record encoders of 512 zeroed bytes. Linear code stands in for both from here on, in whatever
 * this process sends through kafkajs. Import it before kafkajs, whose producer keeps what it loaded first.
 * Format: Kafka's record batch, magic 2. What our records never have (headers, compression) stays kafkajs's own work.
 */
import { createRequire } from "node:module";
import { crc32c } from "./crc32c.ts";

type Field = Buffer | string | null | undefined;

interface Message {
  readonly key?: Field;
  readonly value: Field;
  readonly headers?: object;
}
interface BatchRecord extends Message {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
}
interface Batch {
  readonly compression?: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number | string;
  readonly maxTimestamp: number | string;
  readonly transactional: boolean;
  /** A whole number, of a class of kafkajs's. */
  readonly producerId: { toString(): string };
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly records: readonly BatchRecord[];
}
interface Encoder {
  buf: Buffer;
  offset: number;
}

/** The fixed part of a batch, up to its records. */
const headBytes = 61;
/** What a batch's length and its checksum leave out before them. */
const beforeLength = 12;
const beforeChecksum = 21;
const magic = 2;
const transactionalBit = 16;

const fieldBytes = (field: Field): number =>
  field == null ? 0 : typeof field === "string" ? Buffer.byteLength(field) : field.length;

const varintBytes = (value: number): number => {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 2 ** 7 ? 1 : zigzag < 2 ** 14 ? 2 : zigzag < 2 ** 21 ? 3 : zigzag < 2 ** 28 ? 4 : 5;
};

const sizedFieldBytes = (field: Field): number => {
  const bytes = fieldBytes(field);
  return varintBytes(field == null ? -1 : bytes) + bytes;
};

/** Without its own length: attributes, two deltas, key, value and the number of headers, which is 0. */
const recordBytes = ({ key, value, offsetDelta, timestampDelta }: BatchRecord): number =>
  2 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + sizedFieldBytes(key) + sizedFieldBytes(value);

class Writer {
  readonly bytes: Buffer;
  #at = headBytes;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.bytes[this.#at++] = value;
  }

  varint(value: number): void {
    let left = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; left > 0x7f; left >>>= 7) this.byte((left & 0x7f) | 0x80);
    this.byte(left);
  }

  field(field: Field): void {
    this.varint(field == null ? -1 : fieldBytes(field));
    if (typeof field === "string") this.#at += this.bytes.write(field, this.#at, "utf8");
    else if (field != null) {
      this.bytes.set(field, this.#at);
      this.#at += field.length;
    }
  }

  record(record: BatchRecord, bytes: number): void {
    this.varint(bytes);
    this.byte(0);
    this.varint(record.timestampDelta);
    this.varint(record.offsetDelta);
    this.field(record.key);
    this.field(record.value);
    this.byte(0);
  }
}

const encodeBatch = (batch: Batch): Buffer => {
  const sizes = batch.records.map(recordBytes);
  const writer = new Writer(sizes.reduce((sum, size) => sum + varintBytes(size) + size, headBytes));
  batch.records.forEach((record, i) => {
    writer.record(record, sizes[i] ?? 0);
  });
  const { bytes } = writer;
  bytes.fill(0, 0, beforeChecksum);
  bytes.writeInt32BE(bytes.length - beforeLength, 8);
  bytes.writeInt8(magic, 16);
  bytes.writeInt16BE(batch.transactional ? transactionalBit : 0, 21);
  bytes.writeInt32BE(batch.lastOffsetDelta, 23);
  bytes.writeBigInt64BE(BigInt(batch.firstTimestamp), 27);
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp), 35);
  bytes.writeBigInt64BE(BigInt(batch.producerId.toString()), 43);
  bytes.writeInt16BE(batch.producerEpoch, 51);
  bytes.writeInt32BE(batch.firstSequence, 53);
  bytes.writeInt32BE(batch.records.length, 57);
  bytes.writeUInt32BE(crc32c(bytes, beforeChecksum), 17);
  return bytes;
};

type Partitioner<M> = (of: { topic: string; partitionMetadata: readonly object[]; message: M }) => number;

const byPartition = <M>(of: {
  topic: string;
  partitionMetadata: readonly object[];
  messages: readonly M[];
  partitioner: Partitioner<M>;
}): Record<number, M[]> => {
  const groups: Record<number, M[]> = {};
  const { topic, partitionMetadata, messages, partitioner } = of;
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    groups[partition] ??= [];
    groups[partition].push(message);
  }
  return groups;
};

const load = createRequire(import.meta.url);

const replace = (path: string, exports: unknown): void => {
  const held = load.cache[load.resolve(path)];
  if (held === undefined) throw new Error(`${path} was not loaded`);
  held.exports = exports;
};

const paths = {
  record: "kafkajs/src/protocol/recordBatch/record/v0",
  batch: "kafkajs/src/protocol/recordBatch/v0",
  grouping: "kafkajs/src/producer/groupMessagesPerPartition",
} as const;
const EncoderOfKafkajs = load("kafkajs/src/protocol/encoder") as new (size: number) => Encoder;
const recordOfKafkajs = load(paths.record) as (record: BatchRecord) => Encoder;
const kafkajs = load(paths.batch) as { RecordBatch: (batch: object) => Promise<Encoder>; MAGIC_BYTE: number };
load(paths.grouping);

/** Deltas of 31 bits and more, headers and compression are left to kafkajs. */
const isPlain = ({ timestampDelta, headers }: BatchRecord): boolean =>
  headers === undefined && timestampDelta >= 0 && timestampDelta < 2 ** 30;

const recordBatch = async (batch: Batch): Promise<Encoder> => {
  if ((batch.compression ?? 0) !== 0 || !batch.records.every(isPlain))
    return await kafkajs.RecordBatch({ ...batch, records: batch.records.map(recordOfKafkajs) });
  const bytes = encodeBatch(batch);
  return Object.assign(new EncoderOfKafkajs(1), { buf: bytes, offset: bytes.length });
};

replace(paths.grouping, byPartition);
replace(paths.record, (record: BatchRecord) => record);
replace(paths.batch, { ...kafkajs, RecordBatch: recordBatch });
