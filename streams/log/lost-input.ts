/** Refuses to go on where the log no longer holds, or no longer is, what a checkpoint was made from. */
import { checkpointOf } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { Mark } from "../core/position.ts";
import type { AnyStage } from "../core/stage.ts";
import type { Log } from "./log.ts";

/**
 * Where a log no longer holds what a checkpoint still needs, going on would silently skip input. `anywhere`: nothing was ever made of this
 * topic (or a person reset it), so it may begin at whatever the log still holds.
 */
export const refuseLostInput = async (
  log: Log,
  topic: string,
  partition: number,
  next: number,
  anywhere: boolean,
): Promise<void> => {
  const { start, end } = await log.bounds(topic, partition);
  if (next < start && !anywhere)
    throw new OperatingError(
      "checkpoint-below-log-start",
      `${topic}/${partition}: the log starts at ${start}, the checkpoint needs ${next}: reset the stage by name or restore the log`,
      { retry: false },
    );
  if (next > end)
    throw new OperatingError(
      "log-ends-below-checkpoint",
      `${topic}/${partition}: the log ends at ${end}, the checkpoint is at ${next}: the log was replaced or truncated`,
      { retry: false },
    );
};

/** Offsets of one topic mean nothing in another. */
export const refuseOtherInput = (stage: AnyStage, stored: ReadonlyMap<string, Uint8Array>): void => {
  const reads = checkpointOf(stored)?.reads ?? stage.reads.name;
  if (reads !== stage.reads.name)
    throw new OperatingError(
      "input-changed",
      `${stage.name}: its state came of ${reads}, now it reads ${stage.reads.name}: a stage that reads another topic is another stage, give it a new name`,
      { retry: false },
    );
};

/** Who writes a topic decides when its readers' timers come: two builds that disagree would step the same entries otherwise (C7). */
export const refuseOtherUpstreams = (
  stage: AnyStage,
  stored: ReadonlyMap<string, Uint8Array>,
  upstreams: readonly string[],
): void => {
  const before = checkpointOf(stored)?.upstreams ?? upstreams;
  if ([...before].sort().join() !== [...upstreams].sort().join())
    throw new OperatingError(
      "upstreams-changed",
      `${stage.name}: other stages write ${stage.reads.name} now than when its checkpoint was made: raise its version, so that it changes at one offset`,
      { retry: false },
    );
};

/**
 * A mark says how far an upstream topic had been read by its writer; where that topic now ends below it, it was replaced or truncated, and
 * all that its writer makes of it anew would be dropped as repeats. `marks` by `upstreamOf`.
 */
export const refuseLostUpstream = async (
  log: Log,
  reader: string,
  marks: Iterable<readonly [string, Mark]>,
): Promise<void> => {
  await Promise.all(
    [...marks].map(async ([upstream, { offset }]) => {
      const [topic, partition] = placeOf(upstream);
      const end = await endOf(log, topic, partition);
      if (end !== null && end <= offset)
        throw new OperatingError(
          "upstream-ends-below-mark",
          `${reader}: has had what ${upstream} gave for offset ${offset}, but ${topic}/${partition} ends at ${end}: it was replaced or truncated; restore it, or give the new one a new name`,
          { retry: false },
        );
    }),
  );
};

const placeOf = (upstream: string): [topic: string, partition: number] => {
  const place = upstream.slice(upstream.indexOf(":") + 1);
  const slash = place.lastIndexOf("/");
  return [place.slice(0, slash), Number(place.slice(slash + 1))];
};

/** Null where the topic is gone for good: the topology has no such upstream any more. */
const endOf = async (log: Log, topic: string, partition: number): Promise<number | null> => {
  try {
    return (await log.bounds(topic, partition)).end;
  } catch (error) {
    if (error instanceof OperatingError && error.code === "unknown-topic") return null;
    throw error;
  }
};
