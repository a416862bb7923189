/** What could not be taken, in either plane, as it came. */
import { body, bytes, int, long, nullable, string, type TypeOf } from "../avro.ts";

/** Refused input, whole, with its reason and where it stood. */
export const quarantined = body("quarantined", {
  reason: string,
  detail: string,
  device: nullable(string),
  stage: string,
  topic: string,
  partition: int,
  offset: long,
  key: string,
  value: bytes,
});
export type Quarantined = TypeOf<typeof quarantined>;
