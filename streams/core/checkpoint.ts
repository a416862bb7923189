/** What one transaction of a task stores beside the cells that changed, and how stored entries are read back by those who only look. */
import { cellKey, dueKey, separator } from "./cells.ts";
import type { Mark } from "./position.ts";
import type { Migration } from "./stage.ts";
import type { TimeScale } from "./time.ts";

export interface Checkpoint {
  /** The topic that `next` is an offset of. Absent in checkpoints of before it was recorded. */
  readonly reads?: string;
  /** Whose ticks made its stream time, by `upstreamOf`. Absent in checkpoints of before it was recorded. */
  readonly upstreams?: readonly string[];
  /** The offset to read next. */
  readonly next: number;
  /** The highest position had, by `upstreamOf`. */
  readonly marks: readonly (readonly [string, Mark])[];
  /** The last tick from each upstream, by `upstreamOf` (empty on a raw topic), in ms of log time. */
  readonly times: readonly (readonly [string, number])[];
  readonly streamTime: number | null;
  readonly scale: TimeScale;
  readonly shared: unknown;
  /** The version of each kind of shared data that was forwarded last. */
  readonly forwarded: readonly (readonly [string, number])[];
}

export const checkpointKey = "checkpoint";

/** The state store of a stage at its version. */
export const storeOf = ({ name, version }: { readonly name: string; readonly version: number }): string =>
  `${name}.v${version}`;

/** The group of a stage: each version has its own, so that an old build keeps its partitions until it has come to the cut-over. */
export const groupOf = ({ name, version }: { readonly name: string; readonly version: number }): string =>
  version === 1 ? name : storeOf({ name, version });

/** What a store holds about the life of its version (log/cut-over.ts); a reset keeps these entries. */
export const licenceKey = "licence";
export const supersededKey = "superseded";
export const begunKey = "begun";
export const rebuildingKey = "rebuilding";
export const lifeKeys: ReadonlySet<string> = new Set([licenceKey, supersededKey, begunKey, rebuildingKey]);

/** Left by a reset: the stage begins again at what its log still holds. */
export const resetKey = "reset";

/** No owner of this store has made anything of its input yet, or a person has reset it since. */
export const mayBeginAnywhere = (entries: ReadonlyMap<string, Uint8Array>): boolean =>
  !entries.has(checkpointKey) && (entries.has(resetKey) || ![...lifeKeys].some((key) => entries.has(key)));

/** This version steps nothing from offset `at` on; version `by` does. */
export interface Superseded {
  readonly by: number;
  readonly at: number;
}

/** Where one version of a task stands in its life. */
export interface Life {
  readonly next: number;
  /** Only entries below it may have been stepped by any owner of this version, a zombie included. */
  readonly licence: number;
  readonly superseded: Superseded | null;
  /** Its outputs may have been seen. Not so while it is rebuilt by replay, or where it never stepped anything. */
  readonly begun: boolean;
  readonly rebuilding: boolean;
}

export const lifeOf = (stored: ReadonlyMap<string, Uint8Array>): Life => {
  const entry = (key: string): unknown => {
    const bytes = stored.get(key);
    return bytes === undefined ? null : parsed(bytes);
  };
  const checkpoint = entry(checkpointKey) as Checkpoint | null;
  const licence = entry(licenceKey) as number | null;
  const next = checkpoint?.next ?? 0;
  const rebuilding = stored.has(rebuildingKey);
  return {
    next,
    licence: Math.max(licence ?? 0, next),
    superseded: entry(supersededKey) as Superseded | null,
    begun: !rebuilding && (checkpoint !== null || licence !== null || stored.has(begunKey)),
    rebuilding,
  };
};

export const stored = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** What an earlier version stored, up to its cut-over, as this version's first checkpoint. Its held-off keys get a fresh chance. */
export const migrated = <C, G>(
  { cells, shared }: Migration<C, G>,
  from: number,
  entries: ReadonlyMap<string, Uint8Array>,
): Map<string, Uint8Array> => {
  const byKey = new Map<string, Record<string, unknown>>();
  const made = new Map<string, Uint8Array>();
  for (const [name, bytes] of entries) {
    const [type, key, cell] = name.split(separator);
    if (type === "c" && key !== undefined && cell !== undefined)
      byKey.getOrInsertComputed(key, () => ({}))[cell] = parsed(bytes);
    else if (type === "d") made.set(name, bytes);
  }
  for (const [key, old] of byKey)
    for (const [cell, value] of Object.entries(cells(from, key, old))) made.set(cellKey(key, cell), stored(value));
  const before = checkpointOf(entries);
  if (before !== null) {
    // a new version may hear other ticks
    const { upstreams: _, ...checkpoint } = before;
    made.set(
      checkpointKey,
      stored(shared === undefined ? checkpoint : { ...checkpoint, shared: shared(from, checkpoint.shared) }),
    );
  }
  return made;
};

const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** The checkpoint among a task's stored entries; null where it has none yet. */
export const checkpointOf = (stored: ReadonlyMap<string, Uint8Array>): Checkpoint | null => {
  const bytes = stored.get(checkpointKey);
  return bytes === undefined ? null : (parsed(bytes) as Checkpoint);
};

/** One key's state as stored: its cells by name, and when it is next due (ms of log time). */
export interface StoredState {
  readonly cells: Readonly<Record<string, unknown>>;
  readonly dueAt: number | null;
}

export const storedStateOf = (stored: ReadonlyMap<string, Uint8Array>, key: string): StoredState => {
  const cells: [string, unknown][] = [];
  for (const [entry, bytes] of stored) {
    const [type, of, cell] = entry.split(separator);
    if (type === "c" && of === key && cell !== undefined) cells.push([cell, parsed(bytes)]);
  }
  const due = stored.get(dueKey(key));
  return { cells: Object.fromEntries(cells.sort()), dueAt: due === undefined ? null : (parsed(due) as number) };
};

/** The keys that have state, ascending. */
export const storedKeys = (stored: ReadonlyMap<string, Uint8Array>): readonly string[] => {
  const keys = [...stored.keys()].flatMap((entry) => {
    const [type, key] = entry.split(separator);
    return (type === "c" || type === "d") && key !== undefined ? [key] : [];
  });
  return [...new Set(keys)].sort();
};
