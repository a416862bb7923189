/**
 * What a named person may do to a stage's state: take a copy, or empty it so that the stage begins again. Each act, these and those on what a
 * destination refused, is recorded with who did it and why, in a state store of its own before it takes effect.
 */
import { lifeKeys, resetKey, storeOf, stored as asStored } from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { AnyStage } from "../core/stage.ts";
import type { Log, Owner } from "./log.ts";

export interface Act {
  /** `retry`, `drop`: of something parked (roles/parked.ts); `correct`: a reviewed plan (roles/correct.ts). */
  readonly kind: "export" | "reset" | "retry" | "drop" | "correct";
  /** The stage, or the destination. */
  readonly stage: string;
  /** Of the stage; of something parked, the revision of its resource. */
  readonly version: number;
  /** What of it, where it is not the whole: "Observation/ep-12...". */
  readonly about?: string;
  /** A person's name. */
  readonly by: string;
  readonly reason: string;
  /** Wall-clock time, ISO 8601. */
  readonly at: string;
}

const actsStore = "acts";
const attemptsMost = 20;

/** Every act so far, oldest first. */
export const actsOf = async (log: Log): Promise<readonly Act[]> =>
  [...(await log.snapshot(actsStore, 0))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => JSON.parse(new TextDecoder().decode(bytes)) as Act);

/** The committed state of each partition, by stored key, recorded as an act. */
export const exportState = async (
  log: Log,
  stage: AnyStage,
  act: Act,
): Promise<readonly ReadonlyMap<string, Uint8Array>[]> => {
  await recordAct(log, act);
  const partitions = Array.from({ length: stage.reads.partitions }, (_, p) => p);
  return await Promise.all(partitions.map((partition) => log.snapshot(storeOf(stage), partition)));
};

/**
 * Empties the state of every partition, checkpoint included: the stage begins again at the start of its log, and its readers drop what
 * they have had already. A running owner learns with its next commit that it is fenced, and takes up the empty state; where the log no longer
 * holds its start, what it emitted before that came from the old state. Gives how many entries each partition had.
 */
export const resetState = async (log: Log, stage: AnyStage, act: Act): Promise<readonly number[]> => {
  await recordAct(log, act);
  const emptied: number[] = [];
  for (let partition = 0; partition < stage.reads.partitions; partition++)
    emptied.push(
      await owning(log, storeOf(stage), partition, stage.reads.partitions, async (owner, stored) => {
        // whose licence it was and who superseded it stays true (log/cut-over.ts)
        const removed = [...stored.keys()].filter((key) => !lifeKeys.has(key));
        await owner.commit(new Map([...removed.map((key) => [key, null] as const), [resetKey, asStored(act.at)]]));
        return removed.length;
      }),
    );
  return emptied;
};

/** Codes: `act-unnamed` (no name, no reason). */
export const recordAct = async (log: Log, act: Act): Promise<void> => {
  if (act.by.trim() === "" || act.reason.trim() === "")
    throw new OperatingError("act-unnamed", `${act.kind}: a person's name and a reason are wanted`, { retry: false });
  await owning(log, actsStore, 0, 1, (owner, stored) =>
    owner.commit(
      new Map([[`${act.at}/${String(stored.size).padStart(6, "0")}`, new TextEncoder().encode(JSON.stringify(act))]]),
    ),
  );
};

/** Claims, and claims again while a running owner that was fenced claims in between. */
const owning = async <T>(
  log: Log,
  store: string,
  partition: number,
  partitions: number,
  does: (owner: Owner, stored: ReadonlyMap<string, Uint8Array>) => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    const owner = await log.claim(store, partition, partitions);
    try {
      const stored = await owner.load();
      await owner.confirm();
      return await does(owner, stored);
    } catch (error) {
      if (!(error instanceof OperatingError && error.code === "fenced") || attempt >= attemptsMost) throw error;
    } finally {
      await owner.close();
    }
  }
};
