/** A wire without a registry, for tests: bare Avro, as one process writes and reads it. */
import { ok } from "../../core/failure.ts";
import type { Wire } from "../../core/wire.ts";

export const bareWire: Wire = {
  encode: (topic, envelope) => topic.codec.encode(envelope),
  decode: (topic, bytes) => ok(topic.codec.decode(bytes)),
  learn: () => Promise.resolve(false),
};
