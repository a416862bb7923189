/** What one transaction of a task stores beside the cells that changed, and how stored entries are read back by those who only look. */
import { dueKey, separator } from "./cells.ts";
import type { Mark } from "./position.ts";
import type { TimeScale } from "./time.ts";

export interface Checkpoint {
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
