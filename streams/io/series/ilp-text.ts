/**
 * QuestDB's line protocol as text, for tables of plain columns. Written here because the client's buffer, which goes letter
 * by letter, takes several times the CPU; vitals are most of what a ward says.
 */
import type { Row } from "./series.ts";
import type { Cell, Column, ColumnType, Table } from "./tables.ts";

const unquotedSpecial = /[ ,=\n\r\\]/g;
const quotedSpecial = /["\n\r\\]/g;
const unquoted = (text: string): string => text.replace(unquotedSpecial, "\\$&");
/** In microseconds; by text, for the number would not be a safe integer. */
const micros = (ms: number): string => `${ms}000t`;

const written: Readonly<Record<Exclude<ColumnType, "doubles">, (cell: never) => string>> = {
  symbol: (cell: string) => unquoted(cell),
  text: (cell: string) => `"${cell.replace(quotedSpecial, "\\$&")}"`,
  int: (cell: number) => `${cell}i`,
  long: (cell: number) => `${cell}i`,
  double: (cell: number) => String(cell),
  boolean: (cell: boolean) => (cell ? "t" : "f"),
  time: (cell: number) => micros(cell),
};

interface Part {
  readonly column: Column<unknown>;
  readonly write: (cell: Cell) => string;
}

const partsOf = (table: Table<unknown>, isWanted: (type: ColumnType) => boolean): Part[] =>
  table.columns
    .filter((column) => isWanted(column.type))
    .map((column) => ({ column, write: written[column.type as "symbol"] as (cell: Cell) => string }));

/** Rows of a table without array columns; `name` is the table's name at the server. Null cells are left out. */
export const textLines = (name: string, table: Table<unknown>, rows: readonly Row<unknown>[]): Uint8Array => {
  const symbols = partsOf(table, (type) => type === "symbol");
  const fields = partsOf(table, (type) => type !== "symbol");
  let lines = "";
  for (const { body, logTime } of rows) {
    lines += unquoted(name);
    for (const { column, write } of symbols) {
      const cell = column.of(body, logTime);
      if (cell !== null) lines += `,${column.name}=${write(cell)}`;
    }
    let separator = " ";
    for (const { column, write } of fields) {
      const cell = column.of(body, logTime);
      if (cell === null) continue;
      lines += `${separator}${column.name}=${write(cell)}`;
      separator = ",";
    }
    lines += ` ${micros(table.ts(body, logTime))}\n`;
  }
  return Buffer.from(lines);
};
