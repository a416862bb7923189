/**
 * Declares a record once and gets both its Avro schema and its TypeScript type. The Avro bytes are the carrier;
 * the registry's header is put on outside (streams/io/registry).
 */
import avro from "avsc";
import type { Body, Codec, Envelope } from "../streams/core/topic.ts";
import type { DeviceTime, EventTime, LogTime, ReceivedTime } from "../streams/core/time.ts";

declare const type: unique symbol;
/** An Avro schema that knows the TypeScript type of its values. */
export interface Field<T> {
  readonly avro: unknown;
  /** JSON default, for a field added to a schema that has been in use. */
  readonly default?: unknown;
  readonly [type]?: T;
}
export type TypeOf<F> = F extends Field<infer T> ? T : never;

export interface RecordField<T> extends Field<T> {
  readonly name: string;
}

const field = <T>(avroType: unknown): Field<T> => ({ avro: avroType });

export const string = field<string>("string");
export const boolean = field<boolean>("boolean");
export const int = field<number>("int");
/** A safe integer. */
export const long = field<number>("long");
export const double = field<number>("double");
export const bytes = field<Uint8Array>("bytes");
const millis = { type: "long", logicalType: "timestamp-millis" };
export const deviceTime = field<DeviceTime>(millis);
export const receivedTime = field<ReceivedTime>(millis);
export const logTime = field<LogTime>(millis);
export const eventTime = field<EventTime>(millis);
/** Milliseconds since the epoch on a person's or server's clock (a confirmation, an approval). */
export const instant = field<number>(millis);
export const nullable = <T>(of: Field<T>): Field<T | null> => field(["null", of.avro]);
export const array = <T>(of: Field<T>): Field<readonly T[]> => field({ type: "array", items: of.avro });
/** Appends a default, as a field must have that is added to a schema in use. */
export const withDefault = <T>(of: Field<T>, value: T): Field<T> => ({ ...of, default: value });
/** Avro symbols: letters, digits, underscores. */
export const oneOf = <const S extends string>(name: string, ...symbols: readonly S[]): Field<S> =>
  field({ type: "enum", name, symbols });

export const record = <const F extends Record<string, Field<unknown>>>(
  name: string,
  fields: F,
): RecordField<{ readonly [K in keyof F]: TypeOf<F[K]> }> => ({
  name,
  avro: {
    type: "record",
    name,
    fields: Object.entries(fields).map(([fieldName, f]) => ({
      name: fieldName,
      type: f.avro,
      ...("default" in f && { default: f.default }),
    })),
  },
});

/** A record with its `kind`: what an envelope can carry. */
export const body = <const K extends string, const F extends Record<string, Field<unknown>>>(
  kind: K,
  fields: F,
): BodyField<{ readonly kind: K } & { readonly [N in keyof F]: TypeOf<F[N]> }> => {
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  const bytesFields = Object.keys(fields).filter((fieldName) => fields[fieldName]?.avro === "bytes");
  return {
    ...record(name, { kind: oneOf(`${name}Kind`, kind), ...fields }),
    kind,
    bytesFields,
  } as unknown as BodyField<{ readonly kind: K } & { readonly [N in keyof F]: TypeOf<F[N]> }>;
};

export interface BodyField<T extends Body> extends RecordField<T> {
  readonly kind: string;
  /** Fields of bytes: avsc takes Buffers only. */
  readonly bytesFields: readonly string[];
}

const namespace = "afferent";

interface Tap {
  readonly pos: number;
  readonly buf: Buffer;
  readLong(): number;
  skipLong(): void;
}

/**
 * avsc trusts an array's count: a few rubbish bytes can claim 2^50 items and hang the process. No item here is empty, so
 * a count above the bytes that are left can't be true. Its resolvers for older writers take over `_read` from here.
 */
class BoundedArray extends avro.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const { itemsType } = this as unknown as { itemsType: { _read(tap: Tap): unknown } };
    const items: unknown[] = [];
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) tap.skipLong();
      const size = Math.abs(count);
      if (!(size <= tap.buf.length - tap.pos)) throw new Error(`an array of ${size} items is longer than its bytes`);
      for (let i = 0; i < size; i++) items.push(itemsType._read(tap));
    }
    return items;
  }

  /** What a reader that lacks the field does. */
  _skip(tap: Tap): void {
    this._read(tap);
  }
}

const boundArrays: NonNullable<avro.ForSchemaOptions["typeHook"]> = (schema, options) =>
  typeof schema === "object" && (schema as { type?: unknown }).type === "array"
    ? new BoundedArray(schema as ConstructorParameters<typeof BoundedArray>[0], options)
    : undefined;

const avroTypeOf = (schema: object): avro.Type =>
  avro.Type.forSchema(schema as avro.Schema, { wrapUnions: "auto", typeHook: boundArrays });

const position = {
  type: "record",
  name: "Position",
  fields: [
    { name: "writer", type: "string" },
    { name: "topic", type: "string" },
    { name: "partition", type: "int" },
    { name: "offset", type: "long" },
    { name: "n", type: "int" },
  ],
};

/** Avro allows a named type to be defined once in a schema; repeats become references. */
const defineOnce = (schema: unknown, seen: Set<string>): unknown => {
  if (Array.isArray(schema)) return schema.map((s) => defineOnce(s, seen));
  if (typeof schema !== "object" || schema === null) return schema;
  const {
    name,
    type: inner,
    items,
    fields,
  } = schema as { name?: string; type?: unknown; items?: unknown; fields?: unknown };
  const named = inner === "record" || inner === "enum";
  if (named && name !== undefined) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return {
    ...schema,
    ...(items !== undefined && { items: defineOnce(items, seen) }),
    ...(fields !== undefined && {
      fields: (fields as { type: unknown }[]).map((f) => ({ ...f, type: defineOnce(f.type, seen) })),
    }),
  };
};

/** The codec of a topic whose entries carry any of these bodies. `name` becomes the Avro record's name. */
export const envelope = <const F extends readonly BodyField<Body>[]>(
  name: string,
  bodies: F,
): Codec<Envelope<TypeOf<F[number]> & Body>> => {
  type B = TypeOf<F[number]> & Body;
  const schema = defineOnce(
    {
      type: "record",
      name,
      namespace,
      fields: [
        { name: "position", type: ["null", position], default: null },
        { name: "logTime", type: ["null", millis], default: null },
        { name: "body", type: bodies.map((b) => b.avro) },
      ],
    },
    new Set(),
  ) as object;
  const avroType = avroTypeOf(schema);
  const wrapped = bodies.length > 1;
  const withBuffers = new Map(bodies.filter((b) => b.bytesFields.length > 0).map((b) => [b.kind, b.bytesFields]));
  const branchOf = new Map(bodies.map((b) => [b.kind, `${namespace}.${b.name}`]));
  const unwrap = (value: { position: never; logTime: never; body: Record<string, B> }): Envelope<B> =>
    wrapped
      ? { position: value.position, logTime: value.logTime, body: Object.values(value.body)[0] as B }
      : (value as unknown as Envelope<B>);
  return {
    schema,
    encode: ({ position: at, logTime: time, body: b }, room = 0) => {
      const carried = buffered(b, withBuffers.get(b.kind));
      const value = {
        position: at,
        logTime: time,
        body: wrapped ? { [branchOf.get(b.kind) ?? b.kind]: carried } : carried,
      };
      let end = avroType.encode(value, scratch, room);
      if (end < 0) {
        scratch = Buffer.allocUnsafe(2 * (scratch.length - end));
        end = avroType.encode(value, scratch, room);
      }
      return Buffer.from(scratch.subarray(0, end));
    },
    decode: (buffer) => unwrap(avroType.fromBuffer(asBuffer(buffer))),
    decodeFrom: (writer) => {
      const resolver = avroType.createResolver(avroTypeOf(writer));
      return (buffer) => unwrap(avroType.fromBuffer(asBuffer(buffer), resolver));
    },
  };
};

/** Where every record is put together before its bytes are copied out once; grows to the largest record seen. */
let scratch = Buffer.allocUnsafe(64 * 1024);

const buffered = (b: Body, fields: readonly string[] | undefined): object =>
  fields === undefined || fields.every((f) => Buffer.isBuffer((b as Body & Record<string, Uint8Array>)[f]))
    ? b
    : {
        ...b,
        ...Object.fromEntries(
          fields.map((f) => [f, asBuffer((b as Body & Record<string, Uint8Array>)[f] ?? new Uint8Array())]),
        ),
      };

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
