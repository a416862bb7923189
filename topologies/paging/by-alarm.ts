/** What an alarm's life does to its page: opened, joined, news, an update, the end (clinical.md 7, 12, 13). */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime, receivedTime } from "../../streams/core/time.ts";
import type { Alarm } from "../../schemas/records/alert.ts";
import { platformUnit, testRecipients } from "../policy.ts";
import type { Book } from "./book.ts";
import { close } from "./close.ts";
import { begin, renew, tellDelayed } from "./escalate.ts";
import { conditionOf, groupOf, isTogether, type OpenPage, rank, stands, untold } from "./page.ts";
import { saysTheSame } from "./same.ts";
import { madeWay, standInIdentity, standsInFor } from "./stand-in.ts";
import { takeHeld } from "./standing-by.ts";
import { notificationOf, tell } from "./tell.ts";

/** The platform's own troubles: told to its own people, whichever unit they concern. */
const ofPlatform: ReadonlySet<string> = new Set(["hopDown", "configurationRefused", "missedByCircuit"]);
const policyUnitOf = (book: Book, { event, source }: Alarm): string =>
  source === "technical" && ofPlatform.has(event) ? platformUnit : book.unit;

export const takeAlarm = (book: Book, alarm: Alarm): void => {
  if (alarm.test) {
    if (alarm.phase === "start") beat(book, alarm);
    return;
  }
  const open = book.paged(alarm.identity);
  const revision = open?.alarm.revision ?? book.endedAt(alarm.identity);
  if (revision !== undefined && alarm.revision <= revision) return; // the same word once more
  const page = open === undefined ? undefined : book.page(open.page);
  if (open !== undefined && page !== undefined) change(book, page, open.alarm, alarm);
  else if (takeHeld(book, alarm)) return;
  else if (alarm.timeliness === "over") delayed(book, alarm);
  else if (alarm.timeliness === "late") return;
  else if (stands(alarm)) raise(book, alarm);
  else book.refuse("alarm-not-open", `alarm ${alarm.identity}: ends an alarm that no page has`);
};

/** A heartbeat reaches test receivers and nobody else, and leaves no page (clinical.md 17). */
const beat = (book: Book, alarm: Alarm): void => {
  const to = testRecipients(book.policy);
  if (to.length === 0) book.refuse("no-test-recipient", "a test alarm reaches nobody: the policy has no test receiver");
  const page = { identity: pageIdentity(book, alarm) };
  const telling = { what: "test", phase: "start", step: 0, lastResort: false, attempt: 0 } as const;
  for (const recipient of to) book.notify(notificationOf(book, page, [alarm], recipient, telling));
};

const pageIdentity = ({ unit }: Book, alarm: Alarm, ...again: readonly string[]): string =>
  contentHash("page", unit, groupOf(alarm), alarm.identity, alarm.revision, ...again).slice(0, 32);

const pageFor = (book: Book, alarm: Alarm, ...again: readonly string[]): OpenPage => ({
  identity: pageIdentity(book, alarm, ...again),
  revision: -1,
  unit: book.unit,
  policyUnit: policyUnitOf(book, alarm),
  group: groupOf(alarm),
  alarms: [alarm.identity],
  had: [conditionOf(alarm)],
  priority: alarm.priority,
  raisedAt: book.now,
  ...untold,
  settleAt: null,
  people: [],
  attempts: {},
  answers: [],
  row: "",
});

/** Raised in time: a page of its own, or news of the page that its group has. `again`: why one that was on a page before has another. */
export const raise = (book: Book, alarm: Alarm, ...again: readonly string[]): void => {
  const known = book.pageOfGroup(groupOf(alarm));
  if (known !== undefined) {
    join(book, known, alarm);
    return;
  }
  const page = pageFor(book, alarm, ...again);
  book.keepAlarm(page, alarm);
  book.keep(isTogether(alarm) ? { ...page, tellAt: book.now } : begin(book, page, "start"));
};

const hadMost = 64;
const togetherMost = 64;

const join = (book: Book, page: OpenPage, alarm: Alarm): void => {
  if (alarm.event === "monitoringLost" && isTogether(alarm) && page.settleAt === null) {
    const priority = rank[alarm.priority] > rank[page.priority] ? alarm.priority : page.priority;
    book.keepForTick({ ...page, priority, tellAt: book.now }, alarm);
    return;
  }
  const found = book.alarmsOf(page);
  const isReplaced = found.some((one) => one.present && standsInFor(one, alarm));
  const before = found.map((one) => (standsInFor(one, alarm) ? madeWay(one, alarm) : one));
  const name = conditionOf(alarm);
  const isTold = isReplaced || saysTheSame(page, before, alarm);
  const grouped = isTold && !page.had.includes(name) && rank[alarm.priority] <= rank[page.priority];
  book.keepAlarm(page, alarm);
  const had = [...page.had.filter((one) => one !== name), name].slice(-hadMost);
  const all = leave(book, [...before, alarm]);
  const joined: OpenPage = {
    ...page,
    had,
    alarms: all.map(({ identity }) => identity),
    priority: gravestOf(all),
    settleAt: null,
  };
  if (isTogether(alarm)) book.keep({ ...joined, tellAt: book.now });
  else book.keep(grouped ? joined : renew(book, joined, alarm.phase === "escalate" ? "escalate" : "start"));
};

/** What no longer stands leaves the page; of what waits for a reset in its hundreds, the last are kept. */
const leave = (book: Book, alarms: readonly Alarm[]): readonly Alarm[] => {
  const latched = alarms.filter((one) => stands(one) && !one.present);
  const tooMany = new Set(latched.slice(0, Math.max(0, latched.length - togetherMost)));
  const left = alarms.filter((one) => !stands(one) || tooMany.has(one));
  for (const one of left) book.forgetAlarm(one);
  return alarms.filter((one) => stands(one) && !tooMany.has(one));
};

const gravestOf = (alarms: readonly Alarm[]): OpenPage["priority"] =>
  alarms.reduce<OpenPage["priority"]>((most, { priority }) => (rank[priority] > rank[most] ? priority : most), "low");

const change = (book: Book, page: OpenPage, before: Alarm, alarm: Alarm): void => {
  book.keepAlarm(page, alarm);
  if (stands(alarm)) update(book, page, before, alarm);
  else remove(book, page, alarm);
};

const update = (book: Book, page: OpenPage, before: Alarm, alarm: Alarm): void => {
  const alarms = book.alarmsOf(page);
  const priority = gravestOf(alarms);
  const updated: OpenPage = { ...page, priority, remindAt: remindIn(page, alarms) };
  if (rank[priority] > rank[page.priority] || rank[alarm.priority] > rank[before.priority])
    book.keep(renew(book, updated, "escalate"));
  else if (!before.present && alarm.present) book.keep(renew(book, updated, "start"));
  else book.keep(alarm.bed === before.bed ? updated : tellElsewhere(book, updated));
};

/** What is only latched is not present: whoever took it is not reminded. */
const remindIn = ({ remindAt }: OpenPage, alarms: readonly Alarm[]): OpenPage["remindAt"] =>
  alarms.some(({ present }) => present) ? remindAt : null;

/** Who is on the way has to go to another bed. */
const tellElsewhere = (book: Book, page: OpenPage): OpenPage =>
  page.people.reduce((told, { recipient, step, notification }) => {
    const to = book.policy.recipients.filter(({ id, test }) => id === recipient && !test && notification !== null);
    return tell(book, told, to, { what: "alarm", phase: "update", step, lastResort: false, quiet: true });
  }, page);

/** An alarm has ended. One that only makes way for its next instance keeps its page until the next tick. */
const remove = (book: Book, page: OpenPage, ended: Alarm): void => {
  const alarms = book.alarmsOf(page);
  const standing = alarms.filter(stands);
  if (standing.length === 0) {
    if (ended.end === null) book.keep({ ...page, settleAt: book.now });
    else close(book, page, "end");
    return;
  }
  book.keep({
    ...page,
    alarms: leave(book, alarms).map(({ identity }) => identity),
    priority: gravestOf(standing),
    remindAt: remindIn(page, standing),
  });
};

/**
 * Takes an alarm off its page, as if it had ended: a named person has said that nothing is expected of its device. Its own next word, which is
 * the next revision, is still to come.
 */
export const withdraw = (book: Book, page: OpenPage, alarm: Alarm): void =>
  change(book, page, alarm, {
    ...alarm,
    phase: "end",
    present: false,
    signal: "inactive",
    end: eventTime(Math.max(book.now, alarm.onset)),
    receivedTime: receivedTime(book.now),
  });

/** Its last alarm made way, and nothing came in its place here. */
export const settle = (book: Book, page: OpenPage): boolean => {
  if (page.settleAt === null || page.settleAt > book.now) return false;
  close(book, page, "end");
  return true;
};

/** It was over before anybody could be paged: exactly one item for those who would have been told first. */
export const delayed = (book: Book, alarm: Alarm): void => {
  if (book.endedAt(standInIdentity(alarm.origin)) !== undefined) return; // told already, as it was reported
  const page = pageFor(book, alarm);
  book.keepAlarm(page, alarm);
  book.end(tellDelayed(book, page));
};

/** A named person has reset it: what had ended and only waited for that leaves; what is still there stays. */
export const reset = (book: Book, page: OpenPage): void => {
  const alarms = book.alarmsOf(page);
  const present = alarms.filter((one) => one.present);
  for (const one of alarms) if (!one.present) book.keepAlarm(page, { ...one, phase: "reset", signal: "inactive" });
  if (present.length === 0) {
    close(book, page, "reset");
    return;
  }
  leave(book, book.alarmsOf(page));
  book.keep({ ...page, alarms: present.map(({ identity }) => identity), priority: gravestOf(present) });
};
