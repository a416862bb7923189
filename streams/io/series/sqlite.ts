/** The series store of the embedded stack: one SQLite file with the same tables and keys as QuestDB. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { InvariantError, OperatingError } from "../../core/failure.ts";
import { eventTime } from "../../core/time.ts";
import type { Row, SeriesStore, Vital, VitalsQuery } from "./series.ts";
import { demandStorable } from "./storable.ts";
import { type Cell, type ColumnType, filled, type Table, tableNames, tables } from "./tables.ts";
import { newestRevisions, type RevisedVital } from "./revisions.ts";

export interface SqliteSeriesOptions {
  /** A file, or ":memory:". */
  readonly file: string;
  /** Rows whose log time is further than this behind the newest row's are removed; left out: everything is kept. */
  readonly keepHours?: number | undefined;
}

const sqlTypes: Readonly<Record<ColumnType, string>> = {
  symbol: "TEXT",
  text: "TEXT",
  int: "INTEGER",
  long: "INTEGER",
  boolean: "INTEGER",
  time: "INTEGER",
  double: "REAL",
  doubles: "BLOB",
};

const bind = (cell: Cell): SQLInputValue => {
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (typeof cell === "object" && cell !== null) return new Uint8Array(Float64Array.from(cell).buffer);
  return cell;
};

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

const creation = (table: Table<unknown>): string =>
  `CREATE TABLE IF NOT EXISTS ${table.name} (ts INTEGER NOT NULL,
    ${table.columns.map(({ name, type }) => `"${name}" ${sqlTypes[type]}`).join(", ")},
    UNIQUE (${quoted(["ts", ...table.keys])}))`;

/** Adds what a newer program stores beside the rest; an older table's rows have null there. */
const addMissingColumns = (db: DatabaseSync, table: Table<unknown>): void => {
  const present = new Set(
    db
      .prepare(`SELECT name FROM pragma_table_info('${table.name}')`)
      .all()
      .map((c) => c["name"]),
  );
  for (const { name, type } of table.columns)
    if (!present.has(name)) db.exec(`ALTER TABLE ${table.name} ADD COLUMN "${name}" ${sqlTypes[type]}`);
};

const create = (db: DatabaseSync): void => {
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  for (const name of tableNames) {
    db.exec(creation(tables[name] as Table<unknown>));
    addMissingColumns(db, tables[name] as Table<unknown>);
  }
  db.exec("CREATE INDEX IF NOT EXISTS vitals_of_subject ON vitals (subject, event_time)");
  db.exec("CREATE INDEX IF NOT EXISTS vitals_of_device ON vitals (device, event_time)");
};

const upsert = (table: Table<unknown>): string => {
  const names = ["ts", ...table.columns.map((column) => column.name)];
  const others = table.columns.map((column) => column.name).filter((name) => !table.keys.includes(name));
  return `INSERT INTO ${table.name} (${quoted(names)}) VALUES (${names.map(() => "?").join(", ")})
    ON CONFLICT (${quoted(["ts", ...table.keys])}) DO UPDATE SET ${others.map((n) => `"${n}" = excluded."${n}"`).join(", ")}`;
};

const cellsOf = (table: Table<unknown>, { body, logTime }: Row<unknown>): SQLInputValue[] => [
  table.ts(body, logTime),
  ...table.columns.map((column) => bind(column.of(body, logTime))),
];

const isAnyOf = (column: string, values: readonly string[] | undefined): string =>
  values === undefined ? "" : `AND ${column} IN (${values.map(() => "?").join(", ")})`;

const vitalOf = (row: Record<string, unknown>): RevisedVital => ({
  ...(row as unknown as RevisedVital),
  eventTime: eventTime(Number(row["event_time"])),
});

const msPerHour = 3_600_000;

class SqliteSeries implements SeriesStore {
  readonly #options: SqliteSeriesOptions;
  readonly #db: DatabaseSync;
  #newestLogTime = 0;

  constructor(options: SqliteSeriesOptions) {
    this.#options = options;
    this.#db = this.#attempt(() => {
      const db = new DatabaseSync(options.file);
      create(db);
      return db;
    });
  }

  async write(rows: Parameters<SeriesStore["write"]>[0]): Promise<void> {
    const parts = filled(rows);
    demandStorable(parts);
    this.#attempt(() =>
      this.#inTransaction(() => {
        for (const { table, rows: tableRows } of parts) this.#insert(table, tableRows);
        this.#forget(2 * parts.reduce((sum, part) => sum + part.rows.length, 0));
      }),
    );
  }

  async vitals({ device, subject, metric, from, to, limit }: VitalsQuery): Promise<readonly Vital[]> {
    const rows = this.#attempt(() =>
      this.#db
        .prepare(
          `SELECT identity, revision, device, subject, channel, metric, ucum, value, validity, event_time FROM vitals
           WHERE event_time >= ? AND event_time < ? ${isAnyOf("device", device)} ${isAnyOf("subject", subject)}
           ${isAnyOf("metric", metric)} ORDER BY event_time DESC LIMIT ?`,
        )
        .all(from, to, ...(device ?? []), ...(subject ?? []), ...(metric ?? []), limit),
    );
    return newestRevisions(rows.map(vitalOf).reverse());
  }

  async count(table: keyof typeof tables): Promise<number> {
    return this.#attempt(() => Number(this.#db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]));
  }

  async settled(): Promise<void> {}

  async close(): Promise<void> {
    this.#db.close();
  }

  #insert(table: Table<unknown>, rows: readonly Row<unknown>[]): void {
    const insert = this.#db.prepare(upsert(table));
    for (const row of rows) {
      insert.run(...cellsOf(table, row));
      this.#newestLogTime = Math.max(this.#newestLogTime, row.logTime);
    }
  }

  /** Rows lie in the order they came, so the oldest are the first. Removing twice what was written keeps up, and no write waits long. */
  #forget(rowsMax: number): void {
    const { keepHours } = this.#options;
    if (keepHours === undefined) return;
    for (const name of tableNames)
      this.#db
        .prepare(
          `DELETE FROM ${name} WHERE rowid IN (SELECT rowid FROM ${name} ORDER BY rowid LIMIT ${rowsMax}) AND log_time < ?`,
        )
        .run(this.#newestLogTime - keepHours * msPerHour);
  }

  #inTransaction(run: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      run();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #attempt<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new OperatingError("store-unavailable", `Using the series store ${this.#options.file}: ${why}`, {
        retry: true,
        cause: error,
      });
    }
  }
}

/** Opens or creates the store. Codes: `store-unavailable`. */
export const sqliteSeries = async (options: SqliteSeriesOptions): Promise<SeriesStore> => new SqliteSeries(options);
