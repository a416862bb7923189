/**
 * Makes pages of alarms and tells people: who first, who next, who in the end, until somebody has taken it (clinical.md 7, 12 to 14, 17, 18).
 * An alarm opens a page or joins the open page of its group; only a rise, a re-raise or another event is news. Accepting stops the redirect;
 * a page is over when its conditions are, and a latched one when a named person resets it. What is unit, there, is the key: people's
 * answers come back under the unit that the page carries, also where the page is for the platform's own people.
 */
import { stage } from "../streams/core/stage.ts";
import { alarms, alertQuarantine, type AlarmsBody, notifications } from "../schemas/topics.ts";
import { noPolicies, type Policies, policyInForce, withPolicy } from "./policy.ts";
import { Book, type Cell, type PagingOut } from "./paging/book.ts";
import { settle, takeAlarm } from "./paging/by-alarm.ts";
import { takeAnswer, takeNotified } from "./paging/by-people.ts";
import { passTime } from "./paging/escalate.ts";
import { nextAt } from "./paging/page.ts";
import { forgetSeen, notice, pageMissed, takeReported } from "./paging/reported.ts";
import { endStandbys, takeStandby } from "./paging/standby.ts";
import { lookForPolicy, takeHop } from "./paging/technical.ts";
import { forgetUndelivered } from "./paging/undelivered.ts";

const writes = { notifications, quarantine: alertQuarantine };

/** `alert.alarms` to `alert.notifications`, both keyed by unit. */
export const paging = stage<AlarmsBody, typeof writes, Cell, Policies>("paging", {
  // 2: modes of degradation are events, a named person may have a device stand by, and a policy's clocks know summer time
  version: 2,
  migrate: {
    cells: (_from, _key, cells) => cells as Record<string, Cell>,
    shared: (_from, known) => asPolicies(known),
  },
  reads: alarms,
  writes,
  quarantine: "quarantine",
  shared: {
    empty: noPolicies,
    kinds: ["policy"],
    apply: (known, body) => (body.kind === "policy" ? withPolicy(known, body) : known),
  },
  step(state, { key, logTime: now, body }, out, policies) {
    take(new Book(state, out, key, now, policyInForce(policies, now)), body);
  },
  due(state, now, key, out: PagingOut, policies) {
    const book = new Book(state, out, key, now, policyInForce(policies, now));
    const standing = endStandbys(book, book.beginDue());
    lookForPolicy(book, false);
    for (const identity of standing.pages) {
      const page = book.page(identity);
      if (page === undefined || settle(book, page)) continue;
      const passed = passTime(book, page);
      if (passed === page) book.comeBackAt(nextAt(page));
      else book.keep(passed);
    }
    pageMissed(book, standing);
    forgetSeen(book, standing);
    forgetUndelivered(book, standing);
    book.forgetOver(standing);
  },
});

const take = (book: Book, body: AlarmsBody): void => {
  if (body.kind === "alarm") {
    lookForPolicy(book, !body.test);
    notice(book, body);
    takeAlarm(book, body);
  } else if (body.kind === "answer") takeAnswer(book, body);
  else if (body.kind === "notified") takeNotified(book, body);
  else if (body.kind === "hop") takeHop(book, body);
  else if (body.kind === "reported") takeReported(book, body);
  else if (body.kind === "standby") takeStandby(book, body);
};

/** Version 1 knew no summer time. */
const asPolicies = (known: unknown): Policies => ({
  policies: (known as Policies).policies.map((policy) => ({
    ...policy,
    units: policy.units.map((unit) => ({ ...unit, offsets: unit.offsets ?? [] })),
  })),
});
