/** What the readers of tables give: the values of one time, as the file wrote them. */

export interface RecordedRow {
  /** Since the record's first row. */
  readonly offsetMs: number;
  /** Column as schemas/devices/recorded-numerics.ts names it, and the file's own text; a value that the file left empty is absent. */
  readonly values: readonly (readonly [column: string, text: string])[];
}

/** The lines' cells, blanks around them gone, without a byte order mark or empty lines. No file here quotes a cell. */
export const cellsOf = (text: string): string[][] =>
  text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((cell) => cell.trim()));
