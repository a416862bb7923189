/** Alarms about the platform itself: a part that is away, no policy in force, an alarm that the circuit missed. */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime, receivedTime } from "../../streams/core/time.ts";
import type { Alarm, Hop } from "../../schemas/records/alert.ts";
import { type AlarmEventName, alarmEventOf } from "../../schemas/alarm-events.ts";
import { gravenessOf } from "../../schemas/degradation.ts";
import type { Priority } from "../../schemas/priority.ts";
import { unmeasured } from "../alarms/unmeasured.ts";
import type { Book } from "./book.ts";
import { takeAlarm } from "./by-alarm.ts";
import { tellModes } from "./modes.ts";

interface Technical {
  readonly event: AlarmEventName;
  readonly priority: Priority;
  /** What it is about: the part, or the device that was missed. */
  readonly about: string;
  readonly text: string;
  readonly detail: string;
  /** Ms of event time. */
  readonly since: number;
  readonly bed: string | null;
  /** Makes its identity, with the time. */
  readonly origin: string;
}

export const technicalAlarm = (book: Book, said: Technical): Alarm => ({
  kind: "alarm",
  identity: contentHash("technical", book.unit, said.event, said.origin, said.since, book.now).slice(0, 32),
  instance: 0,
  revision: 0,
  phase: "start",
  source: "technical",
  event: said.event,
  alertType: "technical",
  direction: "none",
  priority: said.priority,
  device: said.about,
  channel: "platform",
  metric: null,
  text: said.text,
  group: `platform/${said.event}/${said.about}`,
  subject: null,
  unit: book.unit,
  bed: said.bed,
  bedSince: null,
  bedConfirmed: false,
  onset: eventTime(said.since),
  end: null,
  receivedTime: receivedTime(book.now),
  present: true,
  signal: "active",
  inactivation: "enabled",
  timeliness: "current",
  ...unmeasured,
  origin: said.origin,
  test: false,
  detail: said.detail,
});

/** A part went away or came back: its alarm, and the modes of degradation that are entered or left by it. */
export const takeHop = (book: Book, hop: Hop): void => {
  const before = book.downHops();
  takeStanding(book, hop);
  tellModes(book, before, hop.since);
};

const takeStanding = (book: Book, { hop, up, since, detail }: Hop): void => {
  const known = book.downAlarm(hop);
  const open = known === undefined ? undefined : book.paged(known)?.alarm;
  if (up) {
    if (known !== undefined) book.forget("down", hop);
    if (open !== undefined) takeAlarm(book, endedNow(book, open, since, detail));
    return;
  }
  if (open !== undefined) {
    if (open.detail !== detail) takeAlarm(book, { ...open, revision: open.revision + 1, phase: "update", detail });
    return;
  }
  const event = hop === "configuration" || hop === "policy" ? "configurationRefused" : "hopDown";
  const alarm = technicalAlarm(book, {
    event,
    priority: gravenessOf(hop),
    about: hop,
    text: `${alarmEventOf(event).label}: ${hop}`,
    detail,
    since,
    bed: null,
    origin: hop,
  });
  book.keepDown(hop, alarm.identity);
  takeAlarm(book, alarm);
};

export const endedNow = (book: Book, open: Alarm, at: number, detail: string | null): Alarm => ({
  ...open,
  revision: open.revision + 1,
  phase: "end",
  present: false,
  signal: "inactive",
  end: eventTime(Math.max(at, open.onset)),
  receivedTime: receivedTime(book.now),
  detail,
});

/** Fails loud: whoever has no policy gets the console and an alarm that says so, until there is one. */
export const lookForPolicy = (book: Book, somebodyIsNeeded: boolean): void => {
  const missing = book.announced === null;
  if (missing ? !somebodyIsNeeded : book.downAlarm("policy") === undefined) return;
  const detail = missing ? "no escalation policy was ever in force: only the console is told" : "a policy is in force";
  if (missing && book.downAlarm("policy") !== undefined) return;
  takeHop(book, { kind: "hop", hop: "policy", up: !missing, since: book.now, detail });
};
