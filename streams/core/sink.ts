/**
 * A sink carries entries to a system outside (QuestDB, an EHR). Unlike a stage it may wait and fail. It must be idempotent
 * by identity and ordered by revision, for after a crash the same entries come again.
 */
import type { AnyTopic, BodyOf, Entry } from "./stage.ts";
import type { Body, Topic } from "./topic.ts";

/** Something that a sink says back into the log, about the entry at `offset`. */
export interface Emission<W extends Record<string, AnyTopic>> {
  readonly offset: number;
  readonly to: keyof W & string;
  readonly key: string;
  readonly body: BodyOf<W[keyof W & string]>;
}

export interface Sink<B extends Body, W extends Record<string, AnyTopic> = Record<string, never>> {
  readonly name: string;
  readonly reads: Topic<B>;
  readonly writes: W;
  /** The topic, one of `writes`, that takes the place of what can't be written back (`poison-output`). Without one it is only told. */
  readonly quarantine?: keyof W & string;
  /**
   * Resolves only when the outside system has answered for all of them; progress is recorded after that. Rejects with a
   * retryable OperatingError to be called again with the same entries after a pause. Ticks are left out.
   */
  write(entries: readonly Entry<B>[]): Promise<readonly Emission<W>[]>;
}
