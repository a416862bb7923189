/**
 * What is known before the first message: the origin of scaled time, the roster and the rules, appended to the logs of the
 * devices and patients that they concern, and from then on a tick a second. Appended at least once; what is unchanged is not repeated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { changedRecords, type Roster, type RosterRecord, rosterRecords } from "../io/roster-file.ts";
import { OperatingError } from "../core/failure.ts";
import { digest, partitionOf } from "../core/hash.ts";
import type { AnyTopic } from "../core/stage.ts";
import { logTime, realTime, scaleTime, type TimeScale } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import type { Wire } from "../core/wire.ts";
import type { Append, Appender, Log } from "../log/log.ts";
import type { Rule } from "../../schemas/records.ts";
import { events, raw, rawWaveforms } from "../../schemas/topics.ts";

const rawTopics: readonly AnyTopic[] = [raw, rawWaveforms];
const store = "source";

export interface SourceOptions {
  readonly log: Log;
  readonly wire: Wire;
  readonly now: () => number;
}

/**
 * The scale of this log's time: as its first raw record fixed it, or, in an empty log, `speed` from now on (and then it is fixed).
 * Codes: `speed-differs` when the log runs at another speed.
 */
export const fixScale = async (speed: number, { log, wire, now }: SourceOptions): Promise<TimeScale> => {
  const reader = await log.reader(raw.name, 0, "start");
  const [first] = (await log.bounds(raw.name, 0)).end === 0 ? [] : await reader.next(1000);
  await reader.close();
  const known = first === undefined ? undefined : scaleOf(first.value, wire);
  if (known !== undefined) {
    if (known.speed === speed) return known;
    throw new OperatingError(
      "speed-differs",
      `the log's time runs at speed ${known.speed}, not ${speed}: use that speed or another data folder`,
      { retry: false },
    );
  }
  if (speed === 1) return realTime;
  const scale: TimeScale = { originMs: now(), speed };
  const appender = await log.appender("source.origin");
  await appender.append(toEveryPartition(rawTopics, { kind: "origin", ...scale } as Body, wire));
  await appender.close();
  return scale;
};

/** The scale that the front door has fixed; waits for it where the log is still empty and time is scaled. */
export const knownScale = async (
  speed: number,
  { log, wire }: Pick<SourceOptions, "log" | "wire">,
): Promise<TimeScale> => {
  if (speed === 1) return realTime;
  const reader = await log.reader(raw.name, 0, "start");
  try {
    for (;;) {
      const [first] = await reader.next(1000);
      if (first !== undefined) return scaleOf(first.value, wire);
    }
  } finally {
    await reader.close();
  }
};

const scaleOf = (value: Uint8Array, wire: Wire): TimeScale => {
  const decoded = wire.decode(raw, value);
  if (!decoded.ok || decoded.value.body.kind !== "origin") return realTime;
  const { originMs, speed } = decoded.value.body;
  return { originMs, speed };
};

const toEveryPartition = (topics: readonly AnyTopic[], body: Body, wire: Wire): Append[] =>
  topics.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
      key: "",
      value: wire.encode(topic, { position: null, logTime: null, body }),
    })),
  );

export interface Announced {
  readonly records: number;
  readonly rules: boolean;
}

/** Appends what changed in roster and rules since the last time. Safe to repeat. */
export const announce = async (
  roster: Roster,
  rules: readonly Rule[],
  scale: TimeScale,
  options: SourceOptions,
): Promise<Announced> => {
  const { log, wire, now } = options;
  const owner = await log.claim(store, 0, 1);
  const before = new Map([...(await owner.load())].map(([id, hash]) => [id, new TextDecoder().decode(hash)]));
  await owner.confirm();
  const at = logTime(Math.round(scaleTime(scale, now())));
  const changed = changedRecords(rosterRecords(roster), before);
  const rulesHash = digest(new TextEncoder().encode(JSON.stringify(rules)));
  const rulesChanged = before.get("rules") !== rulesHash;
  const version = Number(before.get("rulesVersion") ?? 0) + (rulesChanged ? 1 : 0);
  const appender = await log.appender(store);
  await appender.append([
    ...changed.flatMap((record) => appendsOf(record, at, wire)),
    ...(rulesChanged
      ? toEveryPartition(rawTopics, { kind: "rules", version, effectiveFrom: at, rules } as Body, wire)
      : []),
  ]);
  await appender.close();
  const text = new TextEncoder();
  await owner.commit(
    new Map([
      ...changed.map(({ id, hash }) => [id, text.encode(hash)] as const),
      ["rules", text.encode(rulesHash)] as const,
      ["rulesVersion", text.encode(String(version))] as const,
    ]),
  );
  await owner.close();
  return { records: changed.length, rules: rulesChanged };
};

const appendsOf = (record: RosterRecord, at: ReturnType<typeof logTime>, wire: Wire): Append[] =>
  (record.plane === "device" ? rawTopics : [events]).map((topic) => ({
    topic: topic.name,
    partition: partitionOf(record.key, topic.partitions),
    key: record.key,
    value: wire.encode(topic, { position: null, logTime: topic.raw ? null : at, body: record.body }),
  }));

/** Appends a tick to every raw partition each second of log time until aborted. A log that is away is tried again. */
export const tick = async (
  appender: Appender,
  scale: TimeScale,
  wire: Wire,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> => {
  const records = toEveryPartition(rawTopics, { kind: "tick" }, wire);
  // at high speed the log need not see each second: a tick carries the time, and stages catch up by it
  const everyMs = Math.max(20, 1000 / scale.speed);
  while (!signal.aborted) {
    const began = performance.now();
    await appender.append(records).catch(onError);
    await sleep(Math.max(1, everyMs - (performance.now() - began)), undefined, { signal }).catch(() => undefined);
  }
};
