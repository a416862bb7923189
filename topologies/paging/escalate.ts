/**
 * Who is told next, and when: the chain's steps one after the other, the last resort again and again until somebody accepts, and a reminder
 * while what was accepted is still there (clinical.md 12). The plan is looked up each time, so that the night shift is told at night.
 */
import { type LogTime, logTime } from "../../streams/core/time.ts";
import type { Notification, Policy, Recipient } from "../../schemas/records/alert.ts";
import { lastResortOf, type Plan, type Resolved, resolve } from "../policy.ts";
import type { Book } from "./book.ts";
import { bedsOf, type OpenPage, untold } from "./page.ts";
import { tell, type Telling } from "./tell.ts";
import { awaitDelivery } from "./undelivered.ts";

type Phase = Notification["phase"];

/** The time `ms` from now. */
const after = ({ now }: Book, ms: number): LogTime => logTime(now + ms);

const earlier = (at: LogTime | null, other: LogTime): LogTime => (at === null || other < at ? other : at);

/** From the first step on. */
export const begin = (book: Book, page: OpenPage, phase: Phase): OpenPage =>
  advance(book, { ...page, ...untold }, phase);

/**
 * The next step that reaches anybody, or the last resort where none is left. Where nobody is at the bed, the last resort is told at once and
 * the chain goes on beside it. Where another shift has another chain, that one begins: its step is not the former's.
 */
export const advance = (book: Book, from: OpenPage, phase: Phase): OpenPage => {
  const plan = book.plan(from);
  let page: OpenPage = { ...from, chain: plan.chain };
  for (let step = isOtherChain(from, plan) ? 0 : from.step + 1; step < plan.steps.length; step++) {
    const { recipients, unassigned } = stepAt(book, page, plan, step);
    page = tell(book, { ...page, step }, recipients, { what: "alarm", phase, step, lastResort: false });
    if (unassigned && !page.lastResort) page = tellLastResort(book, page, phase);
    const acceptWithinMs = plan.steps[step]?.acceptWithinMs ?? 0;
    if (recipients.length > 0) return { ...page, redirectAt: after(book, acceptWithinMs) };
  }
  const toldNow = page.lastResort && page.repeatAt === repeatFrom(book, plan);
  const exhausted = { ...page, step: plan.steps.length, redirectAt: null };
  return toldNow ? exhausted : tellLastResort(book, exhausted, phase);
};

const isOtherChain = ({ chain }: OpenPage, plan: Plan): boolean => chain !== undefined && chain !== plan.chain;

const repeatFrom = (book: Book, plan: Plan): LogTime => after(book, plan.unit.lastResort.repeatMs);

const stepAt = (book: Book, page: OpenPage, { unit, steps }: Plan, step: number): Resolved =>
  resolve(book.policy, unit, steps[step]?.to ?? [], bedsOf(book.alarmsOf(page)));

const tellLastResort = (book: Book, page: OpenPage, phase: Phase): OpenPage => {
  const plan = book.plan(page);
  const telling: Telling = { what: "alarm", phase, step: plan.steps.length, lastResort: true };
  const all = tell(book, page, lastResortOf(book.policy, plan), telling);
  return { ...all, lastResort: true, repeatAt: repeatFrom(book, plan) };
};

/** Those who were told and have said nothing in their time. */
const noAnswer = (book: Book, page: OpenPage, of: (step: number) => boolean): OpenPage => ({
  ...page,
  people: page.people.map((one) =>
    one.state === "pending" && of(one.step) ? { ...one, state: "noAnswer", since: book.now } : one,
  ),
});

/**
 * There is news of the page: worse, or once more. One that was accepted begins again, and who took it hears of it; one that escalates keeps
 * its deadlines, for news must not put off the next step, and everybody who was told so far is told.
 */
export const renew = (book: Book, page: OpenPage, phase: Phase): OpenPage => {
  if (page.state === "accepted") return tellAcceptor(book, page, begin(book, page, phase), phase);
  if (page.step < 0) return begin(book, page, phase);
  const plan = book.plan(page);
  const done = new Set<string>();
  let renewed: OpenPage = { ...page, tellAt: null };
  for (let step = 0; step <= Math.min(page.step, plan.steps.length - 1); step++) {
    const { recipients } = stepAt(book, page, plan, step);
    const fresh = recipients.filter(({ id }) => !done.has(id));
    for (const { id } of fresh) done.add(id);
    renewed = tell(book, renewed, fresh, { what: "alarm", phase, step, lastResort: false });
  }
  const within = plan.steps[page.step]?.acceptWithinMs;
  if (within !== undefined) renewed = { ...renewed, redirectAt: earlier(renewed.redirectAt, after(book, within)) };
  if (!page.lastResort) return done.size > 0 ? renewed : advance(book, renewed, phase);
  return { ...tellLastResort(book, renewed, phase), repeatAt: earlier(renewed.repeatAt, repeatFrom(book, plan)) };
};

/** `before`: the page as he had taken it. */
const tellAcceptor = (book: Book, before: OpenPage, begun: OpenPage, phase: Phase): OpenPage => {
  const said = (page: OpenPage): string | null | undefined =>
    page.people.find(({ recipient }) => recipient === before.acceptedBy)?.notification;
  if (said(begun) !== said(before)) return begun;
  const to = known(book.policy, before.acceptedBy);
  return tell(book, begun, to, { what: "alarm", phase, step: Math.max(begun.step, 0), lastResort: false });
};

const known = ({ recipients }: Policy, who: string | null): readonly Recipient[] =>
  recipients.filter(({ id, test }) => id === who && !test);

/** Time has come this far: tells whom it is time to tell. */
export const passTime = (book: Book, before: OpenPage): OpenPage => {
  const isDue = (at: LogTime | null): boolean => at !== null && at <= book.now;
  // News with every tick must not keep the next step from being told.
  const page = isDue(before.tellAt) ? renew(book, before, "start") : before;
  if (page.state === "accepted") return isDue(page.remindAt) ? remind(book, page) : page;
  const isShifted = isDue(page.repeatAt) && isOtherChain(page, book.plan(page));
  const redirected =
    isDue(page.redirectAt) || isShifted
      ? advance(
          book,
          noAnswer(book, page, (step) => step <= page.step),
          "continue",
        )
      : page;
  if (!isDue(redirected.repeatAt)) return redirected;
  const { steps } = book.plan(redirected);
  return tellLastResort(
    book,
    noAnswer(book, redirected, (step) => step >= steps.length),
    "continue",
  );
};

/** Present and accepted for long: who took it is told again, and the step that he took it from. It stays accepted (clinical.md 12). */
const remind = (book: Book, page: OpenPage): OpenPage => {
  const plan = book.plan(page);
  const step = Math.max(page.step, 0);
  const others = step < plan.steps.length ? stepAt(book, page, plan, step).recipients : lastResortOf(book.policy, plan);
  const to = [...known(book.policy, page.acceptedBy), ...others.filter(({ id }) => id !== page.acceptedBy)];
  const reminded = tell(book, page, to, { what: "reminder", phase: "continue", step, lastResort: false });
  return { ...reminded, remindAt: after(book, plan.unit.remindAcceptedMs) };
};

/** Taken: nobody else is told any more, and the condition is what it was. What came since he was told (`tellAt`) is news for the next tick. */
export const accepted = (book: Book, page: OpenPage, who: string): OpenPage => {
  const present = book.alarmsOf(page).some((alarm) => alarm.present);
  return {
    ...page,
    state: "accepted",
    acceptedBy: who,
    redirectAt: null,
    repeatAt: null,
    remindAt: present ? after(book, book.plan(page).unit.remindAcceptedMs) : null,
  };
};

/** Over before anybody was paged: one delayed item to the first step, or to the last resort where nobody is there (clinical.md 7). */
export const tellDelayed = (book: Book, page: OpenPage): OpenPage => {
  const plan = book.plan(page);
  const first = plan.steps.length > 0 ? stepAt(book, page, plan, 0).recipients : [];
  const lastResort = first.length === 0;
  const to = lastResort ? lastResortOf(book.policy, plan) : first;
  const step = lastResort ? plan.steps.length : 0;
  const told = tell(book, page, to, { what: "delayed", phase: "end", step, lastResort });
  if (!lastResort) awaitDelivery(book, told);
  return told;
};
