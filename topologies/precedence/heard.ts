/** What is known of one source of a quantity: its newest word, how old and how sure that is. */
import { classOf, type Quantity, type SeriesId } from "./policy.ts";

/** The newest that is known of one source. Times in ms: `lastAt` of the event, the rest of the log. */
export interface Heard extends SeriesId {
  readonly association: string;
  readonly lastAt: number;
  /** Null: an episode told of it, no minute's value yet. */
  readonly mean: number | null;
  readonly validity: "valid" | "questionable";
  /** Since when it has been fresh without a break. */
  readonly freshSince: number;
}

export type Said = Omit<Heard, "freshSince">;

export const staleForMs = (q: Quantity, heard: Heard, at: number): number =>
  at - heard.lastAt - classOf(q, heard).freshForMs;
export const isFresh = (q: Quantity, heard: Heard, at: number): boolean => staleForMs(q, heard, at) <= 0;

/** Greater where it is less sure. */
export const doubt = ({ validity }: Heard): number => (validity === "valid" ? 0 : 1);

/** An older word than the newest changes nothing; a time ahead of the log's counts as now. */
export const heardAfter = (q: Quantity, known: Heard | undefined, said: Said, at: number): Heard => {
  const lastAt = Math.min(said.lastAt, at);
  if (known !== undefined && lastAt < known.lastAt) return known;
  const { freshForMs } = classOf(q, said);
  const unbroken = known !== undefined && lastAt - known.lastAt <= freshForMs && at - lastAt <= freshForMs;
  const mean = said.mean ?? (known?.association === said.association ? known.mean : null);
  return { ...said, mean, lastAt, freshSince: unbroken ? known.freshSince : at };
};
