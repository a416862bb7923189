/**
 * Puts on and takes off the registry's five-byte header. Schemas are registered and older versions fetched beforehand, and one
 * resolver is kept per (topic, schema id), so that both ways are synchronous and cost no look-up at the registry.
 */
import { InvariantError, ok, refuse, type Result } from "../../core/failure.ts";
import type { AnyTopic } from "../../core/stage.ts";
import type { Body, Envelope, Topic } from "../../core/topic.ts";
import { schemaIdOf, type Wire } from "../../core/wire.ts";
import type { SchemaRegistry } from "./registry.ts";

const headerLength = 5;
// biome-ignore lint/suspicious/noExplicitAny: a decoder of any topic's envelopes
type Decoder = (bytes: Uint8Array) => Envelope<any>;

interface Carrier {
  readonly writerId: number;
  /** Per schema id: its decoder, or why this topic can't read what it wrote. */
  readonly decoders: Map<number, Result<Decoder>>;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The subject that the registry keeps a topic's schema versions under. */
export const subjectOf = (topic: AnyTopic): string => `${topic.name}-value`;

const decoderOf = (topic: AnyTopic, id: number, writer: object): Result<Decoder> => {
  try {
    return ok(topic.codec.decodeFrom(writer));
  } catch (error) {
    return refuse("unreadable-schema", `${topic.name}: records of schema ${id} can't be read: ${messageOf(error)}`);
  }
};

const carrierOf = async (registry: SchemaRegistry, topic: AnyTopic): Promise<Carrier> => {
  const writerId = await registry.register(subjectOf(topic), topic.codec.schema);
  const decoders = new Map<number, Result<Decoder>>();
  for (const { id, schema } of await registry.all(subjectOf(topic))) decoders.set(id, decoderOf(topic, id, schema));
  decoders.set(
    writerId,
    ok((bytes: Uint8Array) => topic.codec.decode(bytes)),
  );
  return { writerId, decoders };
};

class RegistryWire implements Wire {
  readonly #registry: SchemaRegistry;
  readonly #carriers: ReadonlyMap<string, Carrier>;
  /** Schemas that `learn` fetched: written by a newer program, or of no topic of ours. */
  readonly #learnt = new Map<number, object>();

  constructor(registry: SchemaRegistry, carriers: ReadonlyMap<string, Carrier>) {
    this.#registry = registry;
    this.#carriers = carriers;
  }

  encode<B extends Body>(topic: Topic<B>, envelope: Envelope<B>): Uint8Array {
    const { writerId } = this.#carrier(topic);
    const bytes = topic.codec.encode(envelope, headerLength);
    bytes[0] = 0;
    for (let i = 1; i < headerLength; i++) bytes[i] = writerId >>> (8 * (headerLength - 1 - i));
    return bytes;
  }

  decode<B extends Body>(topic: Topic<B>, bytes: Uint8Array): Result<Envelope<B>> {
    const id = schemaIdOf(bytes);
    if (id === null)
      return refuse("not-avro", `${topic.name}: ${bytes.length} bytes that don't begin with the registry's header`);
    const decoder = this.#decoder(topic, id);
    if (!decoder.ok) return decoder;
    try {
      return ok(decoder.value(bytes.subarray(headerLength)));
    } catch (error) {
      return refuse("not-avro", `${topic.name}: not a record of schema ${id}: ${messageOf(error)}`);
    }
  }

  async learn(id: number): Promise<boolean> {
    if (this.#learnt.has(id)) return true;
    const schema = await this.#registry.byId(id);
    if (schema === undefined) return false;
    this.#learnt.set(id, schema);
    return true;
  }

  #carrier(topic: AnyTopic): Carrier {
    const carrier = this.#carriers.get(topic.name);
    if (carrier === undefined)
      throw new InvariantError(`wire: ${topic.name} was not among the topics it was opened for`);
    return carrier;
  }

  #decoder(topic: AnyTopic, id: number): Result<Decoder> {
    const { decoders } = this.#carrier(topic);
    const known = decoders.get(id);
    if (known !== undefined) return known;
    const schema = this.#learnt.get(id);
    if (schema === undefined)
      return refuse("unknown-schema-id", `${topic.name}: the registry gave no schema with id ${id}`);
    const decoder = decoderOf(topic, id, schema);
    decoders.set(id, decoder);
    return decoder;
  }
}

/**
 * Registers each topic's schema under `<topic>-value` and knows every older version.
 * Codes: `schema-incompatible`, `registry-unavailable`.
 */
export const openWire = async (registry: SchemaRegistry, topics: Iterable<AnyTopic>): Promise<Wire> => {
  const carriers = new Map<string, Carrier>();
  for (const topic of topics) carriers.set(topic.name, await carrierOf(registry, topic));
  return new RegistryWire(registry, carriers);
};
