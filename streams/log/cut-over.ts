/**
 * Code changes at a recorded offset (docs/design.md, "Versions"). An owner steps only entries below a *licence* that its version has committed
 * beforehand; so whatever any owner of that version, a zombie included, has emitted or will emit lies below the highest licence. A newer
 * version claims the older one's store, which fences its owner, and records there that it supersedes it at exactly that offset. Older owners
 * step up to it and stand still; the newer version begins there, once they have checkpointed there, with migrated or rebuilt state.
 */
import {
  begunKey,
  type Life,
  licenceKey,
  lifeOf,
  migrated,
  rebuildingKey,
  stored as asStored,
  storeOf,
  type Superseded,
  supersededKey,
} from "../core/checkpoint.ts";
import { OperatingError } from "../core/failure.ts";
import type { AnyStage } from "../core/stage.ts";
import type { Log, Owner } from "./log.ts";
import { refuseOtherInput } from "./lost-input.ts";

/** How far a licence reaches beyond what has been stepped, at least: so long an idle partition makes a cut-over wait, in entries. */
const shortestSlack = 32;

/** Of one owner. */
export class Licence {
  #granted: number;
  /** What owners before this one may have stepped: of that nothing can be given back. */
  readonly #inherited: number;

  constructor(life: Life) {
    this.#granted = life.licence;
    this.#inherited = life.licence;
  }

  /** Commits a new licence where the one granted does not cover what is to be stepped now. */
  async cover(owner: Owner, next: number, upTo: number): Promise<void> {
    if (upTo <= this.#granted) return;
    const granted = upTo + slackFor(upTo - next);
    await owner.commit(new Map([[licenceKey, asStored(granted)]]));
    this.#granted = granted;
  }

  /** Adds a new licence to a checkpoint's changes where the one granted has become short. */
  renew(changes: Map<string, Uint8Array | null>, next: number, stepped: number): () => void {
    const slack = slackFor(stepped);
    if (this.#granted - next >= slack / 2) return () => undefined;
    const granted = next + slack;
    changes.set(licenceKey, asStored(granted));
    return () => {
      this.#granted = granted;
    };
  }

  /** What an owner that has nothing under way gives back of it; null where nothing. */
  unused(next: number): Map<string, Uint8Array> | null {
    const needed = Math.max(next, this.#inherited);
    return this.#granted > needed ? new Map([[licenceKey, asStored(needed)]]) : null;
  }
}

const slackFor = (stepped: number): number => Math.max(shortestSlack, 2 * stepped);

/** Code `superseded`: a newer version goes on; nothing to be done but to stop this build. */
export const supersededBy = (stage: AnyStage, partition: number, { by, at }: Superseded): OperatingError =>
  new OperatingError(
    "superseded",
    `${stage.name}/${partition}: version ${by} has taken over from offset ${at} on; this build of version ${stage.version} may be stopped`,
    { retry: false },
  );

const pending = (stage: AnyStage, partition: number, from: number, { next }: Life, at: number): OperatingError =>
  new OperatingError(
    "cut-over-pending",
    `${stage.name}/${partition}: version ${from} is at ${next} and has to come to ${at} before version ${stage.version} begins: let a build of version ${from} run until then`,
    { retry: true },
  );

/** The version that a new one follows, and where it ends. */
interface Predecessor {
  readonly version: number;
  readonly life: Life;
  readonly stored: ReadonlyMap<string, Uint8Array>;
}

/** The newest earlier version that has begun; null where none has. */
export const predecessorOf = async (log: Log, stage: AnyStage, partition: number): Promise<Predecessor | null> => {
  for (let version = stage.version - 1; version > 0; version--) {
    const stored = await log.snapshot(storeOf({ name: stage.name, version }), partition);
    const life = lifeOf(stored);
    if (life.begun) return { version, life, stored };
  }
  return null;
};

/**
 * Ends the earlier versions, down to the newest that has begun: records in each store that this one supersedes it, at its licence. Gives that
 * one as it stands now, or null where none has begun. Codes: `fenced` by an owner that claims at the same moment (claim again).
 */
export const supersede = async (log: Log, stage: AnyStage, partition: number): Promise<Predecessor | null> => {
  for (let version = stage.version - 1; version > 0; version--) {
    const seen = await supersedeOne(log, stage, version, partition);
    if (seen.life.begun) return seen;
  }
  return null;
};

/** Where a newer version says that it wants to take over: small, so that every owner of an older one can look as it opens. */
const successorStore = ({ name }: AnyStage): string => `${name}.successor`;
const byKey = "by";

/** The newest version that wants to take over a partition; 0 where none does. */
const successorOf = async (log: Log, stage: AnyStage, partition: number): Promise<number> => {
  const bytes = (await log.snapshot(successorStore(stage), partition)).get(byKey);
  return bytes === undefined ? 0 : Number(new TextDecoder().decode(bytes));
};

/**
 * An owner that opens ends its own version where a newer one wants to take over: the newer one could be fenced by it again and again before
 * it has recorded that itself. Gives what it recorded, or null.
 */
export const giveWay = async (
  log: Log,
  stage: AnyStage,
  partition: number,
  owner: Owner,
  life: Life,
): Promise<Superseded | null> => {
  const by = await successorOf(log, stage, partition);
  if (by <= stage.version) return null;
  const superseded = { by, at: life.begun ? life.licence : 0 };
  await owner.commit(new Map([[supersededKey, asStored(superseded)]]));
  return superseded;
};

const wantToFollow = async (log: Log, stage: AnyStage, partition: number): Promise<void> => {
  if ((await successorOf(log, stage, partition)) >= stage.version) return;
  const owner = await log.claim(successorStore(stage), partition, stage.reads.partitions);
  try {
    await owner.load();
    await owner.confirm();
    await owner.commit(new Map([[byKey, asStored(stage.version)]]));
  } catch (error) {
    throw error instanceof OperatingError && error.code === "fenced" ? contended(successorStore(stage), error) : error;
  } finally {
    await owner.close();
  }
};

const supersedeOne = async (log: Log, stage: AnyStage, version: number, partition: number): Promise<Predecessor> => {
  const store = storeOf({ name: stage.name, version });
  const before = await log.snapshot(store, partition);
  if (lifeOf(before).superseded !== null) return { version, life: lifeOf(before), stored: before };
  await wantToFollow(log, stage, partition);
  const owner = await log.claim(store, partition, stage.reads.partitions);
  try {
    const stored = await owner.load();
    await owner.confirm();
    const life = lifeOf(stored);
    if (life.superseded !== null) return { version, life, stored };
    const superseded = { by: stage.version, at: life.begun ? life.licence : 0 };
    await owner.commit(new Map([[supersededKey, asStored(superseded)]]));
    return { version, life: { ...life, superseded }, stored };
  } catch (error) {
    throw error instanceof OperatingError && error.code === "fenced" ? contended(store, error) : error;
  } finally {
    await owner.close();
  }
};

/** Of the older version's store, not of one's own: trying again helps. */
const contended = (store: string, cause: unknown): OperatingError =>
  new OperatingError("cut-over-contended", `${store}: claimed by another at the same moment`, { retry: true, cause });

/** Whether the older version has checkpointed where the newer one begins. */
export const isOver = ({ life }: Predecessor): boolean => life.superseded !== null && life.next >= life.superseded.at;

/**
 * What an owner whose store is empty begins with; commits it. With `migrate`: codes `cut-over-pending` (try again). Without: marks the store as
 * being rebuilt, code `input-trimmed` where the log no longer holds its start.
 */
export const begin = async (
  log: Log,
  stage: AnyStage,
  partition: number,
  owner: Owner,
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const begins = async (changes: ReadonlyMap<string, Uint8Array>): Promise<ReadonlyMap<string, Uint8Array>> => {
    await owner.commit(changes);
    return changes;
  };
  const before = await predecessorOf(log, stage, partition);
  if (before !== null) refuseOtherInput(stage, before.stored);
  if (before !== null && stage.migrate === undefined) {
    await refuseTrimmed(log, stage, partition, before.version);
    return await begins(new Map([[rebuildingKey, asStored({ from: before.version })]]));
  }
  // nothing is superseded by a version that could not go on from there
  if (before !== null && stage.migrate !== undefined) tryMigration(stage, stage.migrate, before);
  const ended = await supersede(log, stage, partition);
  if (ended === null) return await begins(new Map([[begunKey, asStored({ from: null, at: 0 })]]));
  if (!isOver(ended)) throw pending(stage, partition, ended.version, ended.life, ended.life.superseded?.at ?? 0);
  if (stage.migrate === undefined) throw contended(storeOf(stage), null);
  const state = migrated(stage.migrate, ended.version, ended.stored);
  return await begins(state.set(begunKey, asStored({ from: ended.version, at: ended.life.next })));
};

const tryMigration = (stage: AnyStage, migrate: NonNullable<AnyStage["migrate"]>, before: Predecessor): void => {
  try {
    migrated(migrate, before.version, before.stored);
  } catch (cause) {
    throw new OperatingError(
      "migration-failed",
      `${stage.name}: version ${stage.version} can't take over the state of version ${before.version}: ${String(cause)}`,
      { retry: false, cause },
    );
  }
};

const refuseTrimmed = async (log: Log, stage: AnyStage, partition: number, from: number): Promise<void> => {
  const { start } = await log.bounds(stage.reads.name, partition);
  if (start > 0)
    throw new OperatingError(
      "input-trimmed",
      `${stage.reads.name}/${partition} begins at ${start}: the state of ${stage.name} version ${stage.version} can't be rebuilt by replay; give it a migrate from version ${from}`,
      { retry: false },
    );
};

/**
 * How far a version that is being rebuilt may step, its outputs thrown away, and whether it goes live there: up to where the older version has
 * come, for as long as that is far ahead; then up to where it is superseded. Null: wait until the older one has come there.
 */
export const rebuildUpTo = async (
  log: Log,
  stage: AnyStage,
  partition: number,
  next: number,
): Promise<{ readonly upTo: number; readonly live: boolean } | null> => {
  const before = await predecessorOf(log, stage, partition);
  if (before !== null && before.life.superseded === null && before.life.next > next + nearEnough)
    return { upTo: before.life.next, live: false };
  const ended = await supersede(log, stage, partition);
  const at = ended?.life.superseded?.at ?? 0;
  if (next < at) return { upTo: at, live: false };
  return ended === null || isOver(ended) ? { upTo: next, live: true } : null;
};

const nearEnough = 1_000;

/** What a rebuilt version's store records when its outputs begin to count. */
export const goesLive = (next: number): Map<string, Uint8Array | null> =>
  new Map([
    [rebuildingKey, null],
    [begunKey, asStored({ from: null, at: next })],
  ]);
