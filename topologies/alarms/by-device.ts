/** Alarms that a device itself reports. Its own pauses are shown; they mute no other condition and keep nobody from being told (clinical.md 12). */
import type { DeviceAlarm } from "../../schemas/records/alert.ts";
import { type Condition, end, raise, raiseAgain, type Turn, type Word } from "./condition.ts";
import { change, confirm, unseen } from "./course.ts";
import { type Desk, lateUnknownMs, nameOf } from "./desk.ts";
import { factsOfDevice } from "./facts.ts";
import { said } from "./signal.ts";

/** A device's code, with the channel and its limit's direction, names a condition. */
const nameOfAlarm = ({ device, channel, code, direction }: DeviceAlarm): string =>
  nameOf("device", device, channel, code, direction);

export const takeDeviceAlarm = (desk: Desk, alarm: DeviceAlarm): void => {
  const name = nameOfAlarm(alarm);
  if (alarm.test) beat(desk, name, alarm);
  else if (alarm.present) present(desk, name, alarm);
  else absent(desk, name, alarm);
};

const wordOf = (desk: Desk, before: Condition | undefined, alarm: DeviceAlarm): Word => ({
  facts: factsOfDevice(alarm, desk.context(alarm.device)),
  signal: said(before?.open == null ? null : before.signal, alarm, desk.now),
  at: alarm.saidAt,
  late: desk.isLate(alarm.device, alarm.saidAt),
  lateUntil: desk.now + lateUnknownMs,
});

const present = (desk: Desk, name: string, alarm: DeviceAlarm): void => {
  const before = desk.condition(name);
  if (before === undefined || !isRepeat(before, alarm))
    desk.take(name, turnOf(before, name, wordOf(desk, before, alarm), alarm.why));
};

/** The same word once more. A later one may have an earlier time, where the device's clock was corrected in between. */
const isRepeat = ({ raisedAt, saidAt, origin }: Condition, alarm: DeviceAlarm): boolean =>
  origin === alarm.identity && alarm.saidAt === (alarm.why === "begins" ? raisedAt : saidAt);

const turnOf = (before: Condition | undefined, name: string, word: Word, why: DeviceAlarm["why"]): Turn => {
  if (before?.open == null) return raise(before, name, word);
  if (word.late) return why === "afterGap" ? unseen(before, word.lateUntil) : change(before, word);
  if (before.open.timeliness === "late") return confirm(before, word, null);
  const again = whyAgain(before, word, why);
  return again === null ? change(before, word) : raiseAgain(before, name, word, again);
};

/** Why an alarm that is open already has to be raised again; null where it only changed. */
const whyAgain = (before: Condition, { facts }: Word, why: DeviceAlarm["why"]): string | null => {
  if (before.unseen || why === "afterGap") return "raised again after a gap";
  return before.origin === facts.origin ? null : "began again";
};

/** A signal that is latched when it is first heard of is an alarm all the same: over, and waiting to be reset. */
const absent = (desk: Desk, name: string, alarm: DeviceAlarm): void => {
  if (desk.condition(name)?.open == null && alarm.signal === "latched") present(desk, name, alarm);
  const before = desk.condition(name);
  if (before?.open == null) {
    if (before?.origin !== alarm.identity)
      desk.refuse("alarm-not-open", `alarm ${alarm.identity}: ends an alarm that is not open`);
    return;
  }
  const { eventTime: at, receivedTime } = alarm;
  const latched = { ...before, signal: said(before.signal, alarm, desk.now) };
  const ending = alarm.signal === "latched" ? latched : before;
  desk.take(name, end(ending, { at, receivedTime, now: desk.now, why: null }));
};

/** A heartbeat: one short alarm, over at once; nothing of it is kept. */
const beat = (desk: Desk, name: string, alarm: DeviceAlarm): void => {
  if (!alarm.present) return;
  const begun = raise(undefined, name, { ...wordOf(desk, undefined, alarm), late: false });
  desk.tell(begun);
  const { eventTime: at, receivedTime } = alarm;
  desk.tell(end(begun.condition, { at, receivedTime, now: desk.now, why: "test" }));
};
