/**
 * What is known before the first message: the origin of scaled time, the roster and the rules, appended to the logs of the
 * devices and patients that they concern, and from then on a tick a second. Appended at least once; what is unchanged is not repeated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Announced as AnnouncedRecords, type RosterChanges, rosterChanges } from "../io/roster-changes.ts";
import { type Roster, type RosterRecord, rosterRecords } from "../io/roster-file.ts";
import { OperatingError } from "../core/failure.ts";
import { digest, partitionOf } from "../core/hash.ts";
import type { AnyTopic } from "../core/stage.ts";
import { type LogTime, logTime, realTime, scaleTime, type TimeScale } from "../core/time.ts";
import type { Body } from "../core/topic.ts";
import type { Wire } from "../core/wire.ts";
import type { Append, Appender, Log } from "../log/log.ts";
import type { Rule } from "../../schemas/records/broadcast.ts";
import { events, raw, rawWaveforms } from "../../schemas/topics.ts";

const platformRawTopics: readonly AnyTopic[] = [raw, rawWaveforms];
const store = "source";

export interface SourceOptions {
  readonly log: Log;
  readonly wire: Wire;
  readonly now: () => number;
  /** The raw topics of this log; the platform's two unless told otherwise. */
  readonly rawTopics?: readonly AnyTopic[];
}

/** What the source keeps beside what it announced: no record's id is like these. */
const scaleKey = "scale";
const originsKey = "origins";
const rulesKey = "rules";
const rulesVersionKey = "rulesVersion";
const eachRuleKey = "eachRule";
const notRecords = new Set([scaleKey, originsKey, rulesKey, rulesVersionKey, eachRuleKey]);
const lookAgainMs = 200;

const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decoded = <T>(bytes: Uint8Array | undefined): T | undefined =>
  bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as T);

/**
 * The scale of this log's time: as it was fixed, or, in an empty log, `speed` from now on (and then it is fixed). Every raw partition's first
 * record says so too; what a crash left out of that is made up for. Codes: `speed-differs` when the log runs at another speed, `scale-unknown`
 * when something wrote to the log before.
 */
export const fixScale = async (speed: number, options: SourceOptions): Promise<TimeScale> => {
  const owner = await options.log.claim(store, 0, 1);
  try {
    const stored = await owner.load();
    await owner.confirm();
    const known = decoded<TimeScale>(stored.get(scaleKey));
    if (known !== undefined && known.speed !== speed)
      throw new OperatingError(
        "speed-differs",
        `the log's time runs at speed ${known.speed}, not ${speed}: use that speed or another data folder`,
        { retry: false },
      );
    if (known === undefined) await refuseWritten(options);
    const scale = known ?? (speed === 1 ? realTime : { originMs: options.now(), speed });
    if (known === undefined) await owner.commit(new Map([[scaleKey, encoded(scale)]]));
    if (!stored.has(originsKey)) {
      if (scale.speed !== 1) await appendOrigins(scale, options);
      await owner.commit(new Map([[originsKey, encoded(true)]]));
    }
    return scale;
  } finally {
    await owner.close();
  }
};

/** The scale that the front door has fixed; waits for it. Codes: `closed` once aborted. */
export const knownScale = async (
  speed: number,
  { log }: Pick<SourceOptions, "log">,
  signal?: AbortSignal,
): Promise<TimeScale> => {
  if (speed === 1) return realTime;
  for (;;) {
    const scale = decoded<TimeScale>((await log.snapshot(store, 0)).get(scaleKey));
    if (scale !== undefined) return scale;
    if (signal?.aborted) throw new OperatingError("closed", "closed before a time scale was known", { retry: true });
    await sleep(lookAgainMs, undefined, { ...(signal !== undefined && { signal }) }).catch(() => undefined);
  }
};

const rawPartitions = ({ rawTopics = platformRawTopics }: Pick<SourceOptions, "rawTopics">) =>
  rawTopics.flatMap((topic) => Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition })));

const refuseWritten = async ({ log, ...options }: SourceOptions): Promise<void> => {
  for (const { topic, partition } of rawPartitions(options))
    if ((await log.bounds(topic.name, partition)).end > 0)
      throw new OperatingError(
        "scale-unknown",
        `${topic.name}/${partition} holds records and nothing says how fast their time runs: use another data folder`,
        { retry: false },
      );
};

/** The origin is the first record of each partition, or none: stages refuse it later. */
const appendOrigins = async (scale: TimeScale, { log, wire, ...options }: SourceOptions): Promise<void> => {
  const appender = await log.appender("source.origin");
  for (const { topic, partition } of rawPartitions(options))
    if ((await log.bounds(topic.name, partition)).end === 0)
      await appender.append(
        toEveryPartition([topic], { kind: "origin", ...scale } as Body, wire).filter(
          (one) => one.partition === partition,
        ),
      );
  await appender.close();
};

/** A broadcast: the same record, under the empty key, for every partition. */
export const toEveryPartition = (
  topics: readonly AnyTopic[],
  body: Body,
  wire: Wire,
  at: LogTime | null = null,
): Append[] =>
  topics.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
      key: "",
      value: wire.encode(topic, { position: null, logTime: at, body }),
    })),
  );

export interface Announced {
  readonly records: number;
  readonly rules: boolean;
}

/**
 * Appends what changed in roster and rules since the last time. Safe to repeat. Codes: `roster-invalid` where the roster leaves out or
 * changes what is in force without saying so (io/roster-changes.ts): then nothing is appended.
 */
export const announce = async (
  roster: Roster,
  rules: readonly Rule[],
  scale: TimeScale,
  options: SourceOptions,
): Promise<Announced> => {
  const { log, wire, now, rawTopics = platformRawTopics } = options;
  const owner = await log.claim(store, 0, 1);
  try {
    const before = await owner.load();
    await owner.confirm();
    const at = logTime(Math.round(scaleTime(scale, now())));
    const changed = refuseSilent(rosterChanges(rosterRecords(roster), announcedBefore(before)));
    const eachRule = refuseSameVersion(rules, decoded<AnnouncedRules>(before.get(eachRuleKey)) ?? {});
    const rulesHash = digest(new TextEncoder().encode(JSON.stringify(rules)));
    const rulesChanged = decoded(before.get(rulesKey)) !== rulesHash;
    const version = (decoded<number>(before.get(rulesVersionKey)) ?? 0) + (rulesChanged ? 1 : 0);
    const appender = await log.appender(store);
    await appender.append([
      ...changed.flatMap((record) => appendsOf(record, at, wire, rawTopics)),
      ...(rulesChanged
        ? toEveryPartition(rawTopics, { kind: "rules", version, effectiveFrom: at, rules } as Body, wire)
        : []),
    ]);
    await appender.close();
    await owner.commit(
      new Map([
        ...changed.map(({ id, key, version: its, hash }) => [id, encoded({ key, version: its, hash })] as const),
        [rulesKey, encoded(rulesHash)] as const,
        [rulesVersionKey, encoded(version)] as const,
        [eachRuleKey, encoded(eachRule)] as const,
      ]),
    );
    return { records: changed.length, rules: rulesChanged };
  } finally {
    await owner.close();
  }
};

/** By id: the version and what it says, its approval left out, for that may come later. */
type AnnouncedRules = Readonly<Record<string, { readonly version: number; readonly hash: string }>>;

/** A rule's name and version stand in charts and approvals: under the same ones it must say the same. Codes: `rules-invalid`. */
const refuseSameVersion = (rules: readonly Rule[], before: AnnouncedRules): AnnouncedRules => {
  const now = rules.map(({ approval: _, ...rule }) => {
    const hash = digest(new TextEncoder().encode(JSON.stringify(rule)));
    return [rule.id, { version: rule.version, hash }] as const;
  });
  const problems = now.flatMap(([id, { version, hash }]) => {
    const known = before[id];
    if (known === undefined || known.hash === hash || version > known.version) return [];
    return [`${id}: it was changed, and version ${known.version} is in force: raise its version above that`];
  });
  if (problems.length > 0)
    throw new OperatingError("rules-invalid", ["the rules:", ...problems].join("\n  "), { retry: false });
  return { ...before, ...Object.fromEntries(now) };
};

/** Whether a roster was announced to this log before: then what it said is in force. */
export const wasAnnounced = async ({ log }: Pick<SourceOptions, "log">): Promise<boolean> =>
  [...(await log.snapshot(store, 0)).keys()].some((id) => !notRecords.has(id));

const announcedBefore = (stored: ReadonlyMap<string, Uint8Array>): AnnouncedRecords =>
  new Map(
    [...stored].flatMap(([id, bytes]) => {
      const record = decoded<{ key: string; version: number; hash: string }>(bytes);
      return notRecords.has(id) || record === undefined ? [] : [[id, record] as const];
    }),
  );

const refuseSilent = ({ changed, problems }: RosterChanges): readonly RosterRecord[] => {
  if (problems.length === 0) return changed;
  const lines = problems.map(({ place, detail, reason }) => `${place}: ${detail} (${reason})`);
  throw new OperatingError("roster-invalid", ["the roster:", ...lines].join("\n  "), { retry: false });
};

const appendsOf = (
  record: RosterRecord,
  at: ReturnType<typeof logTime>,
  wire: Wire,
  rawTopics: readonly AnyTopic[],
): Append[] =>
  (record.plane === "device" ? rawTopics : [events]).map((topic) => ({
    topic: topic.name,
    partition: partitionOf(record.key, topic.partitions),
    key: record.key,
    value: wire.encode(topic, { position: null, logTime: topic.raw ? null : at, body: record.body }),
  }));

export interface Ticking {
  /** The platform's raw topics unless told otherwise. */
  readonly rawTopics?: readonly AnyTopic[];
  /** A second of log time unless told otherwise. */
  readonly everyMs?: number;
}

/** Appends a tick to every raw partition each second of log time, or as told, until aborted. A log that is away is tried again. */
export const tick = async (
  appender: Appender,
  scale: TimeScale,
  wire: Wire,
  signal: AbortSignal,
  onError: (error: unknown) => void,
  { rawTopics = platformRawTopics, everyMs: everyLogMs = 1000 }: Ticking = {},
): Promise<void> => {
  const records = toEveryPartition(rawTopics, { kind: "tick" }, wire);
  // at high speed the log need not see each second: a tick carries the time, and stages catch up by it
  const everyMs = Math.max(20, everyLogMs / scale.speed);
  while (!signal.aborted) {
    const began = performance.now();
    await appender.append(records).catch(onError);
    await sleep(Math.max(1, everyMs - (performance.now() - began)), undefined, { signal }).catch(() => undefined);
  }
};
