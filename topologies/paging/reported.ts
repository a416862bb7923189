/**
 * Episodes as the telemetry plane saw them. They never page on their own: each is matched to the circuit's own alarms by device, metric,
 * event or direction, and overlapping interval; one that the circuit lacks is paged, with an alarm that the circuit missed it (clinical.md 13).
 */
import { eventTime, receivedTime } from "../../streams/core/time.ts";
import type { Alarm, Reported } from "../../schemas/records/alert.ts";
import { alarmEventOf } from "../../schemas/alarm-events.ts";
import { groupOf } from "../alarms/group.ts";
import { unmeasured } from "../alarms/unmeasured.ts";
import type { Book, Standing } from "./book.ts";
import { takeAlarm } from "./by-alarm.ts";
import { standInIdentity } from "./stand-in.ts";
import { endedNow, technicalAlarm } from "./technical.ts";

/** What the circuit itself knew of a device lately. */
export interface Seen {
  readonly bed: string | null;
  readonly alarms: readonly Interval[];
}

interface Interval {
  readonly identity: string;
  readonly metric: string | null;
  readonly event: string;
  readonly direction: Alarm["direction"];
  /** Ms of event time; `to` null while it is open. */
  readonly from: number;
  readonly to: number | null;
  /** Log time in ms of the last word about it. */
  readonly saidAt: number;
}

/** An episode that waits for the circuit's own alarm. */
export interface Awaited {
  readonly reported: Reported;
  /** Log time in ms. */
  readonly until: number;
}

/** The circuit may hear of it so much later than the telemetry plane, in ms of log time. */
const graceMs = 30_000;
/** What has ended is known for an hour, and so many of each device. */
const seenMs = 3_600_000;
const seenMost = 64;

/** Every alarm of the circuit, whatever became of it with people. */
export const notice = (book: Book, alarm: Alarm): void => {
  if (alarm.test || alarm.source === "technical") return;
  const { identity, metric, event, direction, device, bed, onset, end, present } = alarm;
  const ended = end ?? (present ? null : book.now);
  const interval: Interval = { identity, metric, event, direction, from: onset, to: ended, saidAt: book.now };
  const others = stillSeen(book, book.seen(device)?.alarms ?? []).filter((one) => one.identity !== identity);
  const alarms = [...others, interval].sort(
    (a, b) => Number(a.to === null) - Number(b.to === null) || a.saidAt - b.saidAt,
  );
  book.keepSeen(device, { bed, alarms: alarms.slice(-seenMost) }, book.now + seenMs);
};

const stillSeen = ({ now }: Book, alarms: readonly Interval[]): readonly Interval[] =>
  alarms.filter(({ to, saidAt }) => to === null || saidAt + seenMs > now);

export const forgetSeen = (book: Book, { devices }: Standing): void => {
  for (const device of devices) {
    const seen = book.seen(device);
    if (seen === undefined) continue;
    const alarms = stillSeen(book, seen.alarms);
    if (alarms.length === 0) book.forget("seen", device);
    else {
      const closed = alarms.filter(({ to }) => to !== null).map(({ saidAt }) => saidAt + seenMs);
      if (alarms.length < seen.alarms.length) book.keepSeen(device, { ...seen, alarms }, null);
      book.comeBackAt(closed.length === 0 ? null : Math.min(...closed));
    }
  }
};

const isKnown = (book: Book, { device, metric, event, direction, start, end }: Reported): boolean =>
  (book.seen(device)?.alarms ?? []).some(
    (one) =>
      (one.metric === null || one.metric === metric) &&
      (one.event === event || (one.metric === metric && direction !== "none" && one.direction === direction)) &&
      one.from <= (end ?? Number.POSITIVE_INFINITY) &&
      start <= (one.to ?? Number.POSITIVE_INFINITY),
  );

const identityOf = ({ episode }: Reported): string => standInIdentity(episode);

/** Reason of refusal: `reported-too-old`. */
export const takeReported = (book: Book, reported: Reported): void => {
  const paged = book.paged(identityOf(reported))?.alarm;
  if (paged !== undefined) {
    if (reported.end !== null) takeAlarm(book, endedNow(book, paged, reported.end, paged.detail));
    return;
  }
  if (book.endedAt(identityOf(reported)) !== undefined || isKnown(book, reported)) {
    book.forget("awaited", reported.episode);
    return;
  }
  if (reported.end !== null && reported.end < book.now - seenMs) {
    book.forget("awaited", reported.episode);
    book.refuse(
      "reported-too-old",
      `episode ${reported.episode}: over for so long that nothing it could match is known`,
    );
    return;
  }
  const until = book.awaited(reported.episode)?.until ?? book.now + graceMs;
  book.keepAwaited(reported.episode, { reported, until });
};

/** Those whose grace is over: matched by now, or paged. */
export const pageMissed = (book: Book, { episodes }: Standing): void => {
  for (const episode of episodes) {
    const awaited = book.awaited(episode);
    if (awaited === undefined) continue;
    const { reported, until } = awaited;
    if (until > book.now) {
      book.comeBackAt(until);
      continue;
    }
    book.forget("awaited", episode);
    if (!isKnown(book, reported)) missed(book, reported);
  }
};

const missed = (book: Book, reported: Reported): void => {
  const bed = book.seen(reported.device)?.bed ?? null;
  takeAlarm(book, alarmOf(book, reported, bed));
  const technical = technicalAlarm(book, {
    event: "missedByCircuit",
    priority: "medium",
    about: reported.device,
    text: `${alarmEventOf("missedByCircuit").label}: ${reported.text}`,
    detail: `episode ${reported.episode} came from the telemetry plane; the circuit has no alarm of ${reported.device} then`,
    since: reported.start,
    bed,
    origin: reported.episode,
  });
  // It is a finding and not a condition: it stays until somebody has named himself and reset it.
  takeAlarm(book, { ...technical, present: false, signal: "latched" });
};

const alarmOf = (book: Book, reported: Reported, bed: string | null): Alarm => {
  const { device, channel, metric, event, direction, priority, text, start, end, subject, episode } = reported;
  const { alertType } = alarmEventOf(event);
  return {
    kind: "alarm",
    identity: identityOf(reported),
    instance: 0,
    revision: end === null ? 0 : 1,
    phase: end === null ? "start" : "end",
    source: "rule",
    event,
    alertType,
    direction,
    priority,
    device,
    channel,
    metric,
    text,
    group: groupOf({ who: subject ?? device, device, channel, metric, event, direction, alertType, code: null }),
    subject,
    unit: book.unit,
    bed,
    bedSince: null,
    bedConfirmed: false,
    onset: eventTime(start),
    end,
    receivedTime: receivedTime(book.now),
    present: end === null,
    signal: end === null ? "active" : "inactive",
    inactivation: "enabled",
    timeliness: end === null ? "current" : "over",
    ...unmeasured,
    origin: episode,
    test: false,
    detail: "reported by the telemetry plane only",
  };
};
