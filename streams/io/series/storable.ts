/**
 * What no store takes as a value: NaN and infinities (QuestDB and SQLite would make them null), times outside the years
 * 1970 to 9999 and symbols with U+0000 (QuestDB refuses the whole batch for one). Such a row is bad input and is quarantined
 * by the sink.
 */
import { InvariantError, type Problem } from "../../core/failure.ts";
import { type Cell, type Column, type Filled, type Table, tables } from "./tables.ts";
import type { Row, Series, TableName } from "./series.ts";

const latestMs = Date.UTC(9999, 11, 31);
const isStorableTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms <= latestMs;

const timeProblem = (where: string, ms: number): Problem | null =>
  isStorableTime(ms)
    ? null
    : { reason: "time-out-of-range", detail: `${where}: ${ms} ms is not between the years 1970 and 9999` };

const numberProblem = (where: string, value: number): Problem | null =>
  Number.isFinite(value) ? null : { reason: "not-finite", detail: `${where}: ${value} is not a number to store` };

const textProblem = (where: string, text: string): Problem | null =>
  text.includes("\0") ? { reason: "text-not-storable", detail: `${where}: holds the character U+0000` } : null;

const cellProblem = (where: string, column: Column<unknown>, cell: Cell): Problem | null => {
  if (cell === null) return null;
  if (column.type === "symbol") return textProblem(where, cell as string);
  if (column.type === "time") return timeProblem(where, cell as number);
  if (column.type === "doubles") {
    const at = (cell as readonly number[]).findIndex((value) => !Number.isFinite(value));
    return at < 0 ? null : numberProblem(`${where}[${at}]`, (cell as readonly number[])[at] ?? Number.NaN);
  }
  return typeof cell === "number" ? numberProblem(where, cell) : null;
};

const rowProblem = (table: Table<unknown>, { body, logTime }: Row<unknown>): Problem | null => {
  const wrongTs = timeProblem(`${table.name}.ts`, table.ts(body, logTime));
  if (wrongTs !== null) return wrongTs;
  for (const column of table.columns) {
    const problem = cellProblem(`${table.name}.${column.name}`, column, column.of(body, logTime));
    if (problem !== null) return problem;
  }
  return null;
};

/** Why the row can't be stored, naming the column; null where it can. Reasons: `not-finite`, `time-out-of-range`, `text-not-storable`. */
export const unstorable = <T extends TableName>(table: T, row: Row<Series[T]>): Problem | null =>
  rowProblem(tables[table] as Table<unknown>, row);

/** A store's own guard: such a row must have been quarantined before it came here. */
export const demandStorable = (parts: readonly Filled[]): void => {
  for (const { table, rows } of parts)
    for (const row of rows) {
      const problem = rowProblem(table, row);
      if (problem !== null) throw new InvariantError(`series store: ${problem.detail}`);
    }
};
