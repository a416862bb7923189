/** The cells of the gates' first version in the shapes of now: what records have gained since has the values that it had by default. */
import { type Association, type Candidate, type Episode, knownAlike, undisputed } from "../../schemas/records.ts";
import type { Cell } from "./cells.ts";
import { foldedCell, type Ledger } from "./ceiling.ts";

/** What no episode had. */
const plain = { companions: [], late: false };

const candidateOf = (old: Candidate): Candidate => {
  const association: Association | null = old.association === null ? null : { ...undisputed, ...old.association };
  const episode: Episode = { ...plain, ...old.episode };
  return { ...old, episode, association, alongside: [], correction: null };
};

/** A mark of a folded episode was named `folded/<ledger>/<identity>` and held no more. */
const foldedOf = (name: string): readonly [string, Cell] => {
  const cut = name.lastIndexOf("/");
  const ledger = name.slice("folded/".length, cut);
  const [destination = ""] = JSON.parse(ledger.slice("ledger/".length)) as readonly string[];
  return [foldedCell(destination, name.slice(cut + 1)), { kind: "folded", ledger }];
};

const cellOf = (name: string, cell: Cell): readonly [string, Cell] => {
  if (cell.kind === "folded") return foldedOf(name);
  if (cell.kind === "patient") return [name, { ...knownAlike, ...cell }];
  if (cell.kind !== "ledger") return [name, cell];
  const ledger: Ledger = { ...cell, last: cell.last === null ? null : candidateOf(cell.last) };
  return [name, ledger];
};

export const cellsOfVersion1 = (cells: Readonly<Record<string, unknown>>): Readonly<Record<string, Cell>> =>
  Object.fromEntries(Object.entries(cells).map(([name, cell]) => cellOf(name, cell as Cell)));
