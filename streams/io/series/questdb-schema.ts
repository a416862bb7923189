/** Creates the four tables in QuestDB with their deduplication keys, and refuses tables whose keys or types are others. */
import { OperatingError } from "../../core/failure.ts";
import { literal, type QuestdbAddress, runSql } from "./questdb-http.ts";
import { type ColumnType, type Table, tableNames, tables } from "./tables.ts";

const sqlTypes: Readonly<Record<ColumnType, string>> = {
  symbol: "SYMBOL",
  text: "VARCHAR",
  int: "INT",
  long: "LONG",
  double: "DOUBLE",
  doubles: "DOUBLE[]",
  boolean: "BOOLEAN",
  time: "TIMESTAMP",
};

const creation = (name: string, table: Table<unknown>): string =>
  `CREATE TABLE IF NOT EXISTS '${name}' (ts TIMESTAMP, ${table.columns
    .map((column) => `"${column.name}" ${sqlTypes[column.type]}`)
    .join(
      ", ",
    )}) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS (ts, ${table.keys.map((key) => `"${key}"`).join(", ")})`;

const changed = (detail: string): OperatingError =>
  new OperatingError("store-schema-changed", `Opening the series store: ${detail}`, { retry: false });

/** Adds columns that an older program's table lacks. Codes: `store-schema-changed`. */
const reconcile = async (address: QuestdbAddress, name: string, table: Table<unknown>): Promise<void> => {
  const rows = await runSql(address, `SELECT "column", type, upsertKey FROM table_columns(${literal(name)})`);
  const present = new Map(rows.map((row) => [row["column"], row]));
  for (const column of table.columns) {
    const found = present.get(column.name);
    const type = sqlTypes[column.type];
    if (found === undefined) await runSql(address, `ALTER TABLE '${name}' ADD COLUMN "${column.name}" ${type}`);
    else if (found["type"] !== type) throw changed(`${name}.${column.name} is ${found["type"]}, not ${type}`);
  }
  const keys = rows.filter((row) => row["upsertKey"] === true).map((row) => String(row["column"]));
  const wanted = ["ts", ...table.keys];
  if (keys.toSorted().join() !== wanted.toSorted().join())
    throw changed(`${name} has the deduplication keys (${keys.join(", ")}), not (${wanted.join(", ")})`);
};

/** Codes: `store-unavailable`, `store-refused`, `store-schema-changed`. */
export const createTables = async (address: QuestdbAddress, prefix: string): Promise<void> => {
  for (const name of tableNames) {
    const table = tables[name] as Table<unknown>;
    await runSql(address, creation(prefix + name, table));
    await reconcile(address, prefix + name, table);
  }
};
