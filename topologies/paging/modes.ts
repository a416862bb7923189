/** Entering and leaving a mode of partial degradation is an event of its own, told beside the alarm of the part that made it (schemas/degradation.ts). */
import type { Policy } from "../../schemas/records/alert.ts";
import { changesBetween, type HopName, type ModeInForce, modesOf } from "../../schemas/degradation.ts";
import type { Book } from "./book.ts";

/** `before`: the parts that were down until now. `since`: when the part went away or came back, in ms. */
export const tellModes = (book: Book, before: readonly string[], since: number): void => {
  const after = book.downHops();
  if (before.length === after.length && before.every((hop) => after.includes(hop))) return;
  for (const { mode, which, entered } of changesBetween(inForce(book, before), inForce(book, after)))
    book.tellMode({
      kind: "mode",
      mode: mode.id,
      which,
      entered,
      since,
      priority: mode.priority,
      banner: mode.banner?.replace("{which}", which ?? "") ?? null,
      at: book.now,
    });
};

const inForce = ({ policy }: Book, down: readonly string[]): readonly ModeInForce[] =>
  modesOf({ down: down as readonly HopName[], notifiers: notifiersOf(policy) });

/** Those by which people are told: what only a test receiver hears of is none. */
const notifiersOf = ({ recipients }: Policy): readonly string[] => [
  ...new Set(
    recipients.filter(({ test }) => !test).flatMap(({ addresses }) => addresses.map(({ notifier }) => notifier)),
  ),
];
