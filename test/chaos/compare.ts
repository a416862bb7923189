/** The ledger against everything that the platform holds after a run: the raw log, every stage, QuestDB, decisions and the EHR. */
import type { Observation } from "@medplum/fhirtypes";
import { systems } from "../../schemas/fhir/systems.ts";
import {
  decisions,
  episodes,
  events,
  outbox,
  raw,
  rawWaveforms,
  vitals,
  waveforms,
  windows,
} from "../../schemas/topics.ts";
import type { AnyTopic, BodyOf } from "../../streams/core/stage.ts";
import type { Topology } from "../../streams/core/topology.ts";
import type { Wire } from "../../streams/core/wire.ts";
import { runSql } from "../../streams/io/series/questdb-http.ts";
import type { Log } from "../../streams/log/log.ts";
import { observationVersionsIn } from "../platform/ehr.ts";
import { contentsOf, type CutOver, foldStages, type TopicContents } from "./fold.ts";
import { type LedgerLine, messageId } from "./ledger.ts";
import { type Tally, tally } from "./tally.ts";

export interface Compared {
  readonly log: Log;
  readonly wire: Wire;
  readonly topology: Topology;
  readonly ledger: readonly LedgerLine[];
  /** When the sender had each message's PUBACK, by its id, wall-clock ms. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** The stage that changed in the run; null where none did. */
  readonly changed: CutOver | null;
  readonly questdbUrl: string;
  readonly ehr: string;
  /** Devices whose messages are all readings of a simulated monitor. */
  readonly monitors: ReadonlySet<string>;
}

export interface Comparison {
  readonly tallies: readonly Tally[];
  /** Messages that are in the raw log more often than in the ledger: sent again for want of a PUBACK. */
  readonly resent: number;
  /** How many were promoted, and of the others how many for which reason, the first that each gate gave. */
  readonly decisions: ReadonlyMap<string, number>;
  /** Records that readers drop, by topic. */
  readonly repeats: ReadonlyMap<string, number>;
  /** Ids of ledger messages that the raw log lacks. */
  readonly missing: readonly string[];
}

const countOf = (ids: Iterable<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
};

export const compare = async (run: Compared): Promise<Comparison> => {
  const { log, wire, topology } = run;
  const contents = new Map<string, TopicContents>();
  for (const topic of topology.topics) contents.set(topic.name, await contentsOf(log, wire, topic));
  const whole = (topic: AnyTopic): TopicContents =>
    contents.get(topic.name) ?? { topic, partitions: [], repeats: 0, reused: [] };
  const bodies = <T extends AnyTopic>(topic: T): BodyOf<T>[] => placed(whole(topic), topic).map(({ body }) => body);

  const sent = countOf(run.ledger.map(({ id }) => id));
  const received = countOf(
    [...bodies(raw), ...bodies(rawWaveforms)].flatMap((body) =>
      body.kind === "reading" ? [messageId(body.mqttTopic, body.payload)] : [],
    ),
  );
  const inRaw = tally("messages of the ledger in the raw log", asTexts(sent.keys()), asTexts(received.keys()));
  const resent = [...received].reduce((sum, [id, times]) => sum + Math.max(0, times - (sent.get(id) ?? 0)), 0);
  return {
    resent,
    decisions: countOf(
      bodies(decisions).flatMap((d) =>
        d.kind === "decision" ? [d.answers.find(({ passed }) => !passed)?.reason ?? "promoted"] : [],
      ),
    ),
    missing: inRaw.missing,
    repeats: new Map([...contents].map(([name, { repeats }]) => [name, repeats])),
    tallies: [
      { ...inRaw, lastSeen: new Map(run.ledger.map((line) => [line.id, lastSeenAtSender(line, run.acknowledged)])) },
      ...foldStages(topology, wire, contents, run.changed),
      await heartRates(run, new Set(inRaw.missing)),
      ...(await inQuestdb(run, {
        vitals: placed(whole(vitals), vitals).flatMap(({ body: m, place }) =>
          m.kind === "measurement" && m.value !== null ? [[`${m.identity} ${m.revision}`, String(m.value), place]] : [],
        ),
        waveforms: placed(whole(waveforms), waveforms).flatMap(({ body: w, place }) =>
          w.kind === "waveformChunk" ? [[w.identity, String(w.samples.length), place]] : [],
        ),
        windows: placed(whole(windows), windows).flatMap(({ body: w, place }) =>
          w.kind === "windowAggregate" ? [[`${w.identity} ${w.revision}`, String(w.count), place]] : [],
        ),
        episodes: placed(whole(episodes), episodes).flatMap(({ body: e, place }) =>
          e.kind === "episode" ? [[`${e.identity} ${e.revision} ${e.phase}`, String(e.count), place]] : [],
        ),
      })),
      tally(
        "positions that mean one thing",
        new Map(),
        [...contents.values()].flatMap(({ reused }) => reused.map((at): [string, string] => [at, ""])),
      ),
      decided(whole(events), whole(decisions)),
      await charted(run.ehr, placed(whole(outbox), outbox)),
    ],
  };
};

const lastSeenAtSender = ({ id, atMs }: LedgerLine, acknowledged: ReadonlyMap<string, number>): string => {
  const at = acknowledged.get(id);
  const answer = at === undefined ? "never acknowledged" : `acknowledged at ${new Date(at).toISOString()}`;
  return `in the ledger for ${new Date(atMs).toISOString()}, ${answer}`;
};

/** The bodies of a topic but broadcasts, each with its place. */
const placed = <T extends AnyTopic>({ partitions }: TopicContents, topic: T) =>
  partitions.flatMap((records, partition) =>
    records.flatMap(({ key, offset, decoded }) =>
      decoded.ok && key !== ""
        ? [{ body: decoded.value.body as BodyOf<T>, place: `${topic.name}/${partition} offset ${offset}` }]
        : [],
    ),
  );

/** Rows that a topic asks for: identity, a value, and where it was asked. */
type Asked = readonly (readonly [id: string, content: string, place: string])[];

const asTexts = (ids: Iterable<string>): Map<string, string> => new Map([...ids].map((id) => [id, ""]));

/**
 * The ledger's heart rates against QuestDB's, read from the payloads as JSON and asked for in SQL: past every line of the platform.
 */
const heartRates = async ({ ledger, questdbUrl, monitors }: Compared, missing: ReadonlySet<string>): Promise<Tally> => {
  const expected = new Map<string, string>();
  for (const { id, device, text } of ledger) {
    if (text === null || !monitors.has(device) || missing.has(id)) continue;
    const { time, numerics = [] } = JSON.parse(text) as { time: string; numerics?: { name: string; value: number }[] };
    const heartRate = numerics.find(({ name }) => name === "HR");
    if (heartRate !== undefined) expected.set(`${device} ${Date.parse(time)}`, String(heartRate.value));
  }
  const devices = new Set([...expected.keys()].map((id) => id.slice(0, id.lastIndexOf(" "))));
  const sql = "SELECT device, ts::long / 1000 AS ms, value FROM vitals WHERE metric = 'heartRate'";
  const rows = (await runSql({ url: questdbUrl }, sql)).filter(({ device }) => devices.has(String(device)));
  return tally(
    "heart rates of the ledger in QuestDB",
    expected,
    rows.map(({ device, ms, value }) => [`${device} ${ms}`, String(value)]),
  );
};

/** Identity and revision of every row, with one value of it. */
const rowsSql = {
  vitals: "SELECT concat(identity, ' ', revision) AS id, value AS content FROM vitals",
  waveforms: "SELECT identity AS id, array_count(samples) AS content FROM waveforms",
  windows: "SELECT concat(identity, ' ', revision) AS id, samples AS content FROM windows",
  episodes: "SELECT concat(identity, ' ', revision, ' ', phase) AS id, samples AS content FROM episodes",
} as const;

const inQuestdb = ({ questdbUrl }: Compared, asked: Readonly<Record<keyof typeof rowsSql, Asked>>): Promise<Tally[]> =>
  Promise.all([
    ...(Object.keys(rowsSql) as (keyof typeof rowsSql)[]).map(async (table) => ({
      ...tally(
        `rows of ${table} in QuestDB`,
        new Map(asked[table].map(([id, content]) => [id, content])),
        (await runSql({ url: questdbUrl }, rowsSql[table])).map(({ id, content }) => [String(id), String(content)]),
      ),
      lastSeen: new Map(asked[table].map(([id, , place]) => [id, place])),
    })),
    // QuestDB would hide it if the log said one thing at two positions
    ...(Object.keys(rowsSql) as (keyof typeof rowsSql)[]).map(async (table) => {
      const told = asked[table].map(([id, content]): [string, string] => [id, content]);
      return tally(`${table} told once in the log`, new Map(told), told);
    }),
  ]);

/** Every candidate has one decision about its own episode, made at its position. */
const decided = (offered: TopicContents, made: TopicContents): Tally => {
  const expected = offered.partitions.flatMap((records, partition) =>
    records.flatMap(({ offset, decoded }) => {
      const body = decoded.ok ? (decoded.value.body as BodyOf<typeof events>) : undefined;
      return body?.kind === "candidate" ? [`candidate ${partition}/${offset} of ${body.episode.identity}`] : [];
    }),
  );
  const found = made.partitions.flat().flatMap(({ decoded }): [string, string][] => {
    const { position, body } = decoded.ok ? decoded.value : { position: null, body: undefined };
    const decision = body as BodyOf<typeof decisions> | undefined;
    if (position === null || decision?.kind !== "decision") return [];
    return [[`candidate ${position.partition}/${position.offset} of ${decision.identity}`, ""]];
  });
  // a candidate may also amend an earlier episode of its day: those decisions are the fold's to judge
  const known = new Set(expected);
  return tally(
    "candidates with their decision",
    asTexts(expected),
    found.filter(([id]) => known.has(id)),
  );
};

/** Every intent's resource stands in the EHR with its newest revision, and no revision was written twice. */
const charted = async (
  ehr: string,
  intended: readonly { readonly body: BodyOf<typeof outbox>; readonly place: string }[],
): Promise<Tally> => {
  const newest = new Map<string, number>();
  const lastSeen = new Map<string, string>();
  for (const { body: intent, place } of intended) {
    if (intent.kind !== "intent") continue;
    newest.set(intent.resourceId, Math.max(intent.revision, newest.get(intent.resourceId) ?? 0));
    lastSeen.set(intent.resourceId, place);
  }
  const versions = await observationVersionsIn(ehr);
  const current = [...versions].map(([id, history]) => [id, String(revisionOf(history.at(-1)))] as const);
  const found = tally("Observations in the EHR, newest revision", asTextValues(newest), current);
  const writtenTwice = [...versions].flatMap(([id, history]) =>
    [...countOf(history.map((version) => String(revisionOf(version))))].flatMap(([revision, times]) =>
      times > 1 ? [`${id} revision ${revision}: ${times} versions`] : [],
    ),
  );
  return { ...found, twice: [...found.twice, ...writtenTwice], lastSeen };
};

const asTextValues = (values: ReadonlyMap<string, number>): Map<string, string> =>
  new Map([...values].map(([id, value]) => [id, String(value)]));

const revisionOf = (observation: Observation | undefined): number =>
  Math.max(
    -1,
    ...(observation?.meta?.tag ?? [])
      .filter(({ system }) => system === systems.revision)
      .map(({ code }) => Number(code)),
  );
