/** The schema registry port: which Avro schemas a subject has had, each under an id that never changes its meaning. */

export interface RegisteredSchema {
  readonly id: number;
  /** The Avro schema as parsed JSON. */
  readonly schema: object;
}

export interface SchemaRegistry {
  /**
   * Gives the schema's id under this subject, adding it as the newest version where it is not there yet. Every new version
   * must be able to read all older ones (BACKWARD_TRANSITIVE).
   * Codes: `schema-incompatible` (no retry; names the subject and what can't be read), `registry-unavailable` (retry).
   */
  register(subject: string, schema: object): Promise<number>;
  /** Every version of a subject, oldest first; empty for a subject that nobody registered. Codes: `registry-unavailable`. */
  all(subject: string): Promise<readonly RegisteredSchema[]>;
  /** Undefined where the registry has no such id. Codes: `registry-unavailable`. */
  byId(id: number): Promise<object | undefined>;
  close(): Promise<void>;
}
