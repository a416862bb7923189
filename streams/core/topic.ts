/** A topic of the topology: its name, partitions, and how the bodies of its entries are carried as bytes. */
import type { Position } from "./position.ts";
import type { LogTime } from "./time.ts";

/** Every body says what it is. */
export interface Body {
  readonly kind: string;
}

/** What travels as a record's value. `position` is null where a source (ingest, roster) appended it. */
export interface Envelope<B extends Body> {
  readonly position: Position | null;
  /** Null on a raw topic, whose log stamps it. */
  readonly logTime: LogTime | null;
  readonly body: B;
}

/** Bytes without the registry's five-byte header; that is put on and taken off by the schema registry adapter. */
export interface Codec<T> {
  /** The Avro schema as JSON. */
  readonly schema: object;
  /** `room`: so many bytes are left free before it, for a header. */
  encode(value: T, room?: number): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** A decoder for bytes that an older or newer writer schema produced. Throws where the two can't be resolved. */
  decodeFrom(writer: object): (bytes: Uint8Array) => T;
}

export interface Topic<B extends Body> {
  readonly name: string;
  /** Part of the topology; checked at start, never changed under a live topic (counterexample C8). */
  readonly partitions: number;
  readonly codec: Codec<Envelope<B>>;
  /** What the key is, for people: "device", "subject", "patient key". */
  readonly key: string;
  /** A raw topic's log stamps log time and its records are sources' own: no positions. */
  readonly raw: boolean;
}

export const topic = <B extends Body>(
  name: string,
  of: { partitions: number; key: string; codec: Codec<Envelope<B>>; raw?: boolean },
): Topic<B> => ({ name, partitions: of.partitions, key: of.key, codec: of.codec, raw: of.raw ?? false });
