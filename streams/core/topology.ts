/** Which stages there are and how topics join them. Checked as a whole; drawn by `afferent graph`. */
import { InvariantError } from "./failure.ts";
import { upstreamOf } from "./position.ts";
import type { AnyStage, AnyTopic } from "./stage.ts";

export interface Topology {
  readonly stages: readonly AnyStage[];
  readonly topics: readonly AnyTopic[];
  stage(name: string): AnyStage;
  topic(name: string): AnyTopic;
  /** The names (`upstreamOf`) of everything upstream that a reader of `topic` hears ticks from; empty for a raw topic. */
  upstreams(topic: string): readonly string[];
}

/** Every topic that a stage reads or writes, plus the ones that only sources and sinks use. Throws InvariantError on a clash. */
export const topology = (stages: readonly AnyStage[], others: readonly AnyTopic[] = []): Topology => {
  const topics = new Map<string, AnyTopic>();
  const add = (t: AnyTopic): void => {
    const known = topics.get(t.name);
    if (known !== undefined && known !== t)
      throw new InvariantError(`topology: two different topics are called ${t.name}`);
    topics.set(t.name, t);
  };
  const byName = new Map<string, AnyStage>();
  for (const s of stages) {
    if (byName.has(s.name)) throw new InvariantError(`topology: two stages are called ${s.name}`);
    byName.set(s.name, s);
    add(s.reads);
    for (const t of Object.values<AnyTopic>(s.writes)) add(t);
  }
  for (const t of others) add(t);
  const find = <T>(from: ReadonlyMap<string, T>, what: string, name: string): T => {
    const found = from.get(name);
    if (found === undefined) throw new InvariantError(`topology: no ${what} is called ${name}`);
    return found;
  };
  return {
    stages,
    topics: [...topics.values()],
    stage: (name) => find(byName, "stage", name),
    topic: (name) => find(topics, "topic", name),
    upstreams: (name) =>
      stages
        .filter((s) => Object.values<AnyTopic>(s.writes).some((t) => t.name === name))
        .flatMap((s) =>
          Array.from({ length: s.reads.partitions }, (_, partition) =>
            upstreamOf({ writer: s.name, topic: s.reads.name, partition }),
          ),
        ),
  };
};
