/** The sinks of the time-series store: one for each table. What can't be stored (NaN, a time before 1970) is quarantined, whole. */
import { waveforms, episodes, telemetryQuarantine, vitals, windows } from "../../schemas/topics.ts";
import type { Problem } from "../core/failure.ts";
import type { Emission, Sink } from "../core/sink.ts";
import type { Entry } from "../core/stage.ts";
import type { Body, Topic } from "../core/topic.ts";
import type { Row, Series, SeriesStore, TableName } from "../io/series/series.ts";
import { unstorable } from "../io/series/storable.ts";

const writes = { quarantine: telemetryQuarantine };
type StoreSink<B extends Body> = Sink<B, typeof writes>;

/** What of a topic goes to a table; null for bodies that are about something else. */
type RowOf<B extends Body, T extends TableName> = (entry: Entry<B>) => Row<Series[T]> | null;

const refused = <B extends Body>(
  stage: string,
  topic: Topic<B>,
  entry: Entry<B>,
  problem: Problem,
): Emission<typeof writes> => {
  const device = "device" in entry.body && typeof entry.body.device === "string" ? entry.body.device : null;
  return {
    offset: entry.offset,
    to: "quarantine",
    key: device ?? entry.key,
    body: {
      kind: "quarantined",
      ...problem,
      device,
      stage,
      topic: entry.topic,
      partition: entry.partition,
      offset: entry.offset,
      key: entry.key,
      value: topic.codec.encode({ position: null, logTime: entry.logTime, body: entry.body }),
    },
  };
};

const sinkOf = <B extends Body, T extends TableName>(
  store: SeriesStore,
  table: T,
  reads: Topic<B>,
  rowOf: RowOf<B, T>,
): StoreSink<B> => ({
  name: `store-${table}`,
  reads,
  writes,
  async write(entries) {
    const rows: Row<Series[T]>[] = [];
    const emissions: Emission<typeof writes>[] = [];
    for (const entry of entries) {
      const row = rowOf(entry);
      if (row === null) continue;
      const problem = unstorable(table, row);
      if (problem === null) rows.push(row);
      else emissions.push(refused(`store-${table}`, reads, entry, problem));
    }
    if (rows.length > 0) await store.write({ [table]: rows });
    return emissions;
  },
});

/**
 * Sinks for vitals (only measurements that have a value), waveforms, windows and episodes. A write rejects with what the
 * store rejects with: `store-unavailable` may be retried with the same entries.
 */
export const storeSinks = (store: SeriesStore) =>
  [
    sinkOf(store, "vitals", vitals, ({ body, logTime }) =>
      body.kind === "measurement" && body.value !== null ? { logTime, body: { ...body, value: body.value } } : null,
    ),
    sinkOf(store, "waveforms", waveforms, ({ body, logTime }) =>
      body.kind === "waveformChunk" ? { logTime, body } : null,
    ),
    sinkOf(store, "windows", windows, ({ body, logTime }) =>
      body.kind === "windowAggregate" ? { logTime, body } : null,
    ),
    sinkOf(store, "episodes", episodes, ({ body, logTime }) => (body.kind === "episode" ? { logTime, body } : null)),
  ] as const;
