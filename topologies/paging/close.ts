/** The end of a page: those who were told hear of it, and nobody else; what nobody was told of in time becomes a delayed item. */
import type { Notification, Recipient } from "../../schemas/records/alert.ts";
import type { Book } from "./book.ts";
import { tellDelayed } from "./escalate.ts";
import type { OpenPage } from "./page.ts";
import { tell } from "./tell.ts";

export const close = (book: Book, page: OpenPage, phase: Notification["phase"]): void => {
  const ended =
    page.people.length === 0 && page.acceptedBy === null ? tellDelayed(book, page) : tellEnded(book, page, phase);
  book.end(ended);
};

const tellEnded = (book: Book, page: OpenPage, phase: Notification["phase"]): OpenPage =>
  page.people.reduce((told, { recipient, step, notification }) => {
    const to = notification === null ? [] : knownAs(book, recipient);
    return tell(book, told, to, { what: "ended", phase, step, lastResort: false });
  }, page);

const knownAs = ({ policy }: Book, id: string): readonly Recipient[] =>
  policy.recipients.filter((one) => one.id === id && !one.test);
