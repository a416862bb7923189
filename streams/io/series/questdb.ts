/**
 * The series store of the full stack. A batch stays here until the server has answered 204 for it; a repeated batch changes
 * nothing, for the tables deduplicate by key. What the 204 survives is the server's `cairo.commit.mode`: a killed process
 * always, a power loss only with `sync`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { OperatingError } from "../../core/failure.ts";
import { eventTime } from "../../core/time.ts";
import { lineProtocol } from "./ilp.ts";
import { literal, type QuestdbAddress, runSql, writeLines } from "./questdb-http.ts";
import { createTables } from "./questdb-schema.ts";
import { newestRevisions, type RevisedVital } from "./revisions.ts";
import type { SeriesStore, VitalsQuery } from "./series.ts";
import { demandStorable } from "./storable.ts";
import { filled, tableNames } from "./tables.ts";

export interface QuestdbSeriesOptions extends QuestdbAddress {
  /** Put before the tables' names, where several wards or test runs share a server; none unless told otherwise. */
  readonly prefix?: string;
}

const pollMs = 20;
const settleTimeoutMs = 60_000;

const anyOf = (column: string, values: readonly string[] | undefined): string => {
  if (values === undefined) return "";
  return values.length === 0 ? " AND false" : ` AND ${column} IN (${values.map(literal).join(", ")})`;
};

const micros = (ms: number): number => Math.trunc(ms) * 1000;

const vitalsSql = (table: string, { device, subject, metric, from, to, limit }: VitalsQuery): string =>
  `SELECT identity, revision, device, subject, channel, metric, ucum, value, validity, event_time::long / 1000 AS ms
   FROM '${table}' WHERE event_time >= ${micros(from)} AND event_time < ${micros(to)}
   ${anyOf("device", device)}${anyOf("subject", subject)}${anyOf("metric", metric)}
   ORDER BY event_time DESC LIMIT ${limit}`;

/** Codes: `store-suspended`. */
const isSettled = async (address: QuestdbAddress, names: readonly string[]): Promise<boolean> => {
  const rows = await runSql(address, "SELECT name, suspended, writerTxn, sequencerTxn FROM wal_tables()");
  const ours = rows.filter((row) => names.includes(String(row["name"])));
  const suspended = ours.filter((row) => row["suspended"] === true).map((row) => row["name"]);
  if (suspended.length > 0)
    throw new OperatingError("store-suspended", `QuestDB has suspended the tables ${suspended.join(", ")}`, {
      retry: false,
    });
  return ours.length === names.length && ours.every((row) => row["writerTxn"] === row["sequencerTxn"]);
};

/** Opens the store, creating its tables. Codes: `store-unavailable`, `store-refused`, `store-schema-changed`. */
export const questdbSeries = async (options: QuestdbSeriesOptions): Promise<SeriesStore> => {
  const prefix = options.prefix ?? "";
  await createTables(options, prefix);
  return {
    async write(rows) {
      const parts = filled(rows);
      demandStorable(parts);
      for (const lines of lineProtocol(parts, prefix)) await writeLines(options, lines);
    },
    async vitals(query) {
      const rows = await runSql(options, vitalsSql(`${prefix}vitals`, query));
      const found = rows.map((row) => ({ ...row, eventTime: eventTime(Number(row["ms"])) }) as unknown as RevisedVital);
      return newestRevisions(found.reverse());
    },
    async count(table) {
      const [row] = await runSql(options, `SELECT count() AS n FROM '${prefix}${table}'`);
      return Number(row?.["n"]);
    },
    async settled() {
      const giveUpAt = Date.now() + settleTimeoutMs;
      const names = tableNames.map((name) => prefix + name);
      while (!(await isSettled(options, names))) {
        if (Date.now() > giveUpAt)
          throw new OperatingError(
            "store-unavailable",
            `QuestDB at ${options.url} has not applied all writes in 60 s`,
            {
              retry: true,
            },
          );
        await sleep(pollMs);
      }
    },
    async close() {},
  };
};
