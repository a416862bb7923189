/** Makes the notification that one recipient gets of a page, and keeps outside the trust boundary what must not cross it (clinical.md 13, 18). */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime } from "../../streams/core/time.ts";
import type { Alarm, Notification, Recipient } from "../../schemas/records/alert.ts";
import type { Book } from "./book.ts";
import { type OpenPage, type Person, textOf, unmonitored, withPerson } from "./page.ts";

export interface Telling {
  readonly what: Notification["what"];
  readonly phase: Notification["phase"];
  readonly step: number;
  readonly lastResort: boolean;
  /** Where something else is so of what he was told already: he owes no new answer. */
  readonly quiet?: boolean;
}

/** Tells each of them once; the page knows then whom it told, at which step, and how often. */
export const tell = (book: Book, page: OpenPage, to: readonly Recipient[], telling: Telling): OpenPage =>
  to.reduce((told, recipient) => tellOne(book, told, recipient, telling), page);

const tellOne = (book: Book, page: OpenPage, recipient: Recipient, telling: Telling): OpenPage => {
  const counter = `${telling.step} ${recipient.id}`;
  const attempt = page.attempts[counter] ?? 0;
  const said = notificationOf(book, page, book.alarmsOf(page), recipient, { ...telling, attempt });
  book.notify(said);
  const before = page.people.find((one) => one.recipient === recipient.id);
  // Who has it, or is only told of the end, owes no new answer.
  const keepsState = before !== undefined && (telling.what !== "alarm" || telling.quiet === true);
  const person: Person = {
    recipient: recipient.id,
    state: keepsState ? before.state : "pending",
    since: keepsState ? before.since : book.now,
    step: telling.step,
    notification: said.identity,
    ways: [...new Set(recipient.addresses.map(({ notifier }) => notifier))],
  };
  return { ...withPerson(page, person), attempts: { ...page.attempts, [counter]: attempt + 1 } };
};

/** What one recipient is told of these alarms. Equal content is an equal identity; a repeat, a rise, another step are new (clinical.md 13). */
export const notificationOf = (
  book: Book,
  page: Pick<OpenPage, "identity">,
  alarms: readonly Alarm[],
  recipient: Recipient,
  { what, phase, step, lastResort, attempt }: Telling & { readonly attempt: number },
): Notification => {
  const [gravest] = alarms;
  if (gravest === undefined) throw new Error(`page ${page.identity} has no alarm`);
  const { alertType, priority, event, direction, device, channel, metric, onset, end, signal, inactivation } = gravest;
  const { value, ucum, lowLimit, highLimit, bed, bedSince, bedConfirmed, receivedTime } = gravest;
  const beds = unmonitored(alarms);
  const identities = alarms.map(({ identity }) => identity);
  const whole: Notification = {
    kind: "notification",
    identity: contentHash(
      "notification",
      page.identity,
      ...identities,
      what,
      phase,
      priority,
      step,
      recipient.id,
      attempt,
    ).slice(0, 32),
    page: page.identity,
    alarms: identities,
    what,
    phase,
    priority,
    alertType,
    event,
    direction,
    device,
    channel,
    metric,
    text: textOf(gravest, alarms),
    onset,
    end,
    signal,
    inactivation,
    value,
    ucum,
    lowLimit,
    highLimit,
    unit: book.unit,
    bed: beds.length > 1 ? null : bed,
    bedSince: beds.length > 1 ? null : bedSince,
    bedConfirmed: beds.length > 1 ? false : bedConfirmed,
    beds,
    recipient: recipient.id,
    inside: recipient.inside,
    addresses: recipient.addresses,
    step,
    attempt,
    lastResort,
    receivedTime,
    at: book.now,
  };
  return recipient.inside ? whole : withoutDetails(whole);
};

/** Bed, alarm and time identify a patient to anyone in the building: what leaves says the unit, and to open the app (clinical.md 18). */
const withoutDetails = (whole: Notification): Notification => ({
  ...whole,
  alarms: [],
  alertType: "advisory",
  event: "outside",
  direction: "none",
  device: "",
  channel: "",
  metric: null,
  text: `alarm in unit ${whole.unit}, open the app`,
  onset: eventTime(whole.at),
  end: null,
  signal: "active",
  inactivation: "enabled",
  value: null,
  ucum: null,
  lowLimit: null,
  highLimit: null,
  bed: null,
  bedSince: null,
  bedConfirmed: false,
  beds: [],
});
