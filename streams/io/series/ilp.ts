/**
 * Rows as QuestDB's line protocol, version 2. Arrays are encoded by the official client's buffer. Its Sender is not used,
 * because it drops a batch whose flush fails, hides the server's reason and may hang for minutes.
 */
import { createBuffer, type SenderBuffer, SenderOptions } from "@questdb/nodejs-client";
import { textLines } from "./ilp-text.ts";
import type { Cell, Column, ColumnType, Filled, Table } from "./tables.ts";
import type { Row } from "./series.ts";

type Put = (buffer: SenderBuffer, name: string, cell: Exclude<Cell, null>) => void;

const put: Readonly<Record<ColumnType, Put>> = {
  symbol: (buffer, name, cell) => buffer.symbol(name, cell),
  text: (buffer, name, cell) => buffer.stringColumn(name, cell as string),
  int: (buffer, name, cell) => buffer.intColumn(name, cell as number),
  long: (buffer, name, cell) => buffer.intColumn(name, cell as number),
  double: (buffer, name, cell) => buffer.floatColumn(name, cell as number),
  doubles: (buffer, name, cell) => buffer.arrayColumn(name, [...(cell as readonly number[])]),
  boolean: (buffer, name, cell) => buffer.booleanColumn(name, cell as boolean),
  time: (buffer, name, cell) => buffer.timestampColumn(name, cell as number, "ms"),
};

/** The protocol wants a row's symbols before its other columns. */
const symbolsFirst = (columns: readonly Column<unknown>[]): readonly Column<unknown>[] => [
  ...columns.filter((column) => column.type === "symbol"),
  ...columns.filter((column) => column.type !== "symbol"),
];

/** Through the client, which knows the binary form of arrays. */
const arrayLines = (name: string, table: Table<unknown>, rows: readonly Row<unknown>[]): Uint8Array => {
  const buffer = createBuffer(new SenderOptions("http::addr=none;protocol_version=2;"));
  const columns = symbolsFirst(table.columns);
  for (const { body, logTime } of rows) {
    buffer.table(name);
    for (const column of columns) {
      const cell = column.of(body, logTime);
      if (cell !== null) put[column.type](buffer, column.name, cell);
    }
    buffer.at(table.ts(body, logTime), "ms");
  }
  return buffer.toBufferView();
};

const hasArrays = (table: Table<unknown>): boolean => table.columns.some((column) => column.type === "doubles");

/** What one request carries at most: the server answers for a whole request at once. */
const rowsPerRequest = 5000;

/** The rows as bodies of requests to /write, each of at most 5,000 rows. Null cells are left out. */
export function* lineProtocol(parts: readonly Filled[], prefix: string): Generator<Uint8Array> {
  for (const { table, rows } of parts) {
    const encode = hasArrays(table) ? arrayLines : textLines;
    for (let from = 0; from < rows.length; from += rowsPerRequest)
      yield encode(prefix + table.name, table, rows.slice(from, from + rowsPerRequest));
  }
}
