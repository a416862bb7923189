/** What a step reads and what it writes. */
import type { Result } from "./failure.ts";
import type { AnyTopic } from "./stage.ts";
import type { Body, Envelope } from "./topic.ts";

/** A record as read: its bytes for quarantine, and what the wire made of them. */
export interface InputRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array;
  readonly stampMs: number;
  readonly decoded: Result<Envelope<Body>>;
}

export interface OutputRecord {
  readonly topic: AnyTopic;
  readonly partition: number;
  readonly key: string;
  readonly envelope: Envelope<Body>;
}
