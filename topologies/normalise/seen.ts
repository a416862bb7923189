/**
 * Which readings were had already (clinical.md 11). A redelivery is dropped where the payload carries a sequence or device time, or where
 * the packet is marked DUP in the MQTT session that brought the first; two readings that merely look alike are two readings.
 *
 * Remembered for a quarter of an hour of log time: what comes back later than that is beyond every window's lateness, lies in a stretch that
 * the thresholds judged (thresholds/judged.ts), and has the identity that sinks know.
 */
export interface Bucket {
  /** The distinct lists of series that its readings held. */
  readonly lists: readonly string[];
  /** Stamp, digest of the payload, index of its list of series. */
  readonly readings: readonly (readonly [string, string, number])[];
}
/** Buckets by name, with the log time at which each was begun; oldest first. */
export type SeenIndex = readonly (readonly [string, number])[];

export interface Sighting {
  readonly boot: string | null;
  readonly sequence: number | null;
  readonly deviceTime: number | null;
  readonly digest: string;
  /** What was measured: "ecg/heartRate". */
  readonly series: readonly string[];
  readonly session: string;
  readonly dup: boolean;
  readonly at: number;
}

/** conflict: another content for the same stamp and series; it is kept, and said. */
export type Admission = "new" | "repeat" | "conflict";

export const seenForMs = 900_000;
const bucketsKept = 256;
const readingsKept = 1_024;
// Small, for a checkpoint writes the whole bucket that changed.
const bucketMs = 15_000;
const bucketSequences = 16;
const digestLength = 12;

/** As much of a device's state as this needs. */
interface SeenState {
  get(cell: string): unknown;
  set(cell: string, value: Bucket | SeenIndex): void;
  delete(cell: string): void;
}

const indexCell = "seen";
const bucketCell = (name: string): string => `seen/${name}`;

/** Says what the reading is, and remembers it. */
export const admit = (state: SeenState, s: Sighting): Admission => {
  const stamped = s.sequence !== null || s.deviceTime !== null;
  const name = bucketOf(s);
  const stamp = stampOf(s);
  const bucket = (state.get(bucketCell(name)) as Bucket | undefined) ?? begin(state, name, s.at);
  const digest = s.digest.slice(0, digestLength);
  const alike = bucket.readings.filter(([known]) => known === stamp);
  if ((stamped || s.dup) && alike.some(([, known]) => known === digest)) return "repeat";
  const list = s.series.join(" ");
  const conflict = stamped && alike.some(([, , known]) => overlap(bucket.lists[known] ?? "", s.series));
  state.set(bucketCell(name), remember(bucket, stamp, digest, list));
  return conflict ? "conflict" : "new";
};

/** A sequence counts within its boot; where the device names none, its time tells a restarted count from a repeat. */
const stampOf = ({ boot, sequence, deviceTime }: Sighting): string =>
  sequence !== null && boot !== null ? `${sequence}` : `${sequence ?? ""}@${deviceTime ?? ""}`;

/** What comes from outside is named as JSON, which has no control characters. */
const bucketOf = ({ boot, sequence, deviceTime, session }: Sighting): string => {
  if (sequence !== null) return `${JSON.stringify(boot)}/sequence/${Math.floor(sequence / bucketSequences)}`;
  if (deviceTime !== null) return `${JSON.stringify(boot)}/time/${Math.floor(deviceTime / bucketMs)}`;
  return `session/${JSON.stringify(session)}`;
};

/** Opens a bucket and forgets those whose time is over. */
const begin = (state: SeenState, name: string, at: number): Bucket => {
  const index = (state.get(indexCell) as SeenIndex | undefined) ?? [];
  const tooMany = index.length + 1 - bucketsKept;
  const kept = index.filter(([, begun], i) => begun + seenForMs > at && i >= tooMany);
  for (const entry of index) if (!kept.includes(entry)) state.delete(bucketCell(entry[0]));
  state.set(indexCell, [...kept, [name, at]]);
  return { lists: [], readings: [] };
};

const remember = (bucket: Bucket, stamp: string, digest: string, list: string): Bucket => {
  const known = bucket.lists.indexOf(list);
  return {
    lists: known < 0 ? [...bucket.lists, list] : bucket.lists,
    readings: [...bucket.readings.slice(-(readingsKept - 1)), [stamp, digest, known < 0 ? bucket.lists.length : known]],
  };
};

const overlap = (list: string, series: readonly string[]): boolean => {
  const known = list.split(" ");
  return series.some((name) => known.includes(name));
};
