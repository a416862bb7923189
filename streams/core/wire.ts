/** Between a record's bytes in the log (registry header and Avro) and its envelope. Ids are resolved beforehand, so both ways are synchronous. */
import type { Result } from "./failure.ts";
import type { Body, Envelope, Topic } from "./topic.ts";

export interface Wire {
  /** Magic byte 0, schema id (4 bytes, big-endian), Avro. */
  encode<B extends Body>(topic: Topic<B>, envelope: Envelope<B>): Uint8Array;
  /** Reasons: `not-avro` (no magic byte, torn bytes), `unknown-schema-id`, `unreadable-schema` (of another topic, or incompatible). */
  decode<B extends Body>(topic: Topic<B>, bytes: Uint8Array): Result<Envelope<B>>;
  /** Asks the registry for an id that `decode` did not know; true if it is known now. */
  learn(id: number): Promise<boolean>;
}

/** The schema id in a record's header, or null where there is none. */
export const schemaIdOf = (bytes: Uint8Array): number | null =>
  bytes.length >= 5 && bytes[0] === 0
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1)
    : null;
