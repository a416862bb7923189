/** What people answer, and what became of what they were told. Accepting stops the redirect and changes no condition (clinical.md 12). */
import type { Answer, Notified } from "../../schemas/records/alert.ts";
import { isPerson } from "../policy.ts";
import type { Book } from "./book.ts";
import { reset } from "./by-alarm.ts";
import { accepted, advance } from "./escalate.ts";
import { type OpenPage, type Person, withPerson } from "./page.ts";
import { heardOfDelayed } from "./undelivered.ts";

const answersKept = 32;

/** Reasons of refusal: `answer-by-nobody`, `page-unknown`, `page-over`, `answer-repeated`, `not-told`, `not-latched`. */
export const takeAnswer = (book: Book, answer: Answer): void => {
  const who = answer.who.trim();
  if (who === "" || !isPerson(book.policy, who)) {
    book.refuse("answer-by-nobody", `page ${answer.page}: the policy in force knows no person called "${answer.who}"`);
    return;
  }
  const page = pageOf(book, answer.page);
  if (page === undefined) return;
  if (page.answers.includes(answer.id)) return; // redelivered
  const heard: OpenPage = { ...page, answers: [...page.answers, answer.id].slice(-answersKept) };
  if (answer.what === "accept") book.keep(accepted(book, withAnswer(book, heard, who, "accepted"), who));
  else if (answer.what === "reject") reject(book, heard, who);
  else resetLatched(book, heard, who);
};

const pageOf = (book: Book, identity: string): OpenPage | undefined => {
  const page = book.page(identity);
  if (page === undefined)
    book.refuse(
      book.wasPage(identity) ? "page-over" : "page-unknown",
      `page ${identity}: ${book.wasPage(identity) ? "it is over" : "there is none"}`,
    );
  return page;
};

const withAnswer = (book: Book, page: OpenPage, who: string, state: "accepted" | "rejected"): OpenPage => {
  const before = page.people.find(({ recipient }) => recipient === who);
  const person: Person = {
    ...(before ?? { recipient: who, step: page.step, notification: null, ways: null }),
    state,
    since: book.now,
  };
  return withPerson(page, person);
};

/** The next step at once, where it has not been told already. Who gives back what he had accepted is passed over in the same way. */
const reject = (book: Book, page: OpenPage, who: string): void => {
  const before = page.people.find(({ recipient }) => recipient === who);
  if (before === undefined) {
    book.refuse("not-told", `page ${page.identity}: ${who} was not told of it and can't reject it`);
    return;
  }
  const rejected = withAnswer(book, page, who, "rejected");
  if (page.state === "accepted" && page.acceptedBy === who)
    book.keep(advance(book, { ...rejected, state: "escalating", acceptedBy: null, remindAt: null }, "continue"));
  else book.keep(isAsked(page, before) ? advance(book, rejected, "continue") : rejected);
};

/** He is of the step that an accept is waited for, and there is a next one. */
const isAsked = (page: OpenPage, { state, step }: Person): boolean =>
  page.state === "escalating" && page.redirectAt !== null && state === "pending" && step === page.step;

const resetLatched = (book: Book, page: OpenPage, who: string): void => {
  if (book.alarmsOf(page).some(({ present, signal }) => !present && signal === "latched"))
    reset(book, withAnswer(book, page, who, "accepted"));
  else book.refuse("not-latched", `page ${page.identity}: nothing of it waits for a reset`);
};

/** One that nothing could be told is passed over at once. */
export const takeNotified = (book: Book, said: Notified): void => {
  if (heardOfDelayed(book, said)) return;
  const page = book.page(said.page);
  if (page === undefined) {
    if (!book.wasPage(said.page)) book.refuse("page-unknown", `page ${said.page}: there is none to be told of`);
    return;
  }
  const before = page.people.find(({ notification }) => notification === said.notification);
  if (before === undefined || before.ways === null) return; // of an older telling, or it got through by another way
  const ways = said.outcome === "confirmed" ? null : before.ways.filter((way) => way !== said.notifier);
  const undeliverable = ways !== null && ways.length === 0 && before.state === "pending";
  const person: Person = {
    ...before,
    ways,
    ...(undeliverable && { state: "undeliverable" as const, since: book.now }),
  };
  const heard = withPerson(page, person);
  book.keep(undeliverable && isAsked(page, before) ? advance(book, heard, "continue") : heard);
};
