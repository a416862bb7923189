/**
 * Technical alarms of ours: a device of which nothing usable comes, and a series that cannot be judged (clinical.md 4, 5). They end no
 * other alarm; what was open is unseen from then on.
 *
 * Priorities: nothing usable of a whole device is HIGH, for while it lasts nobody would see an arrest. One series that is off or lost is
 * MEDIUM (IEC 60601-1-8: prompt), but never below a physiological alarm of the same metric that is open and can no longer be seen.
 */
import { type EventTime, eventTime, receivedTime } from "../../streams/core/time.ts";
import type { SensorState } from "../../schemas/records/alert.ts";
import type { Priority } from "../../schemas/priority.ts";
import type { DeviceState } from "../../schemas/records/telemetry.ts";
import { end, raise, raiseAgain, type Word } from "./condition.ts";
import { asTold, change, confirm, unseen } from "./course.ts";
import { type Desk, nameOf } from "./desk.ts";
import { factsOfTechnical, type Technical } from "./facts.ts";
import { withState } from "./place.ts";
import { sounding } from "./signal.ts";
import { moveAlarms } from "./whereabouts.ts";

/** The channel of what concerns the whole device. */
const wholeDevice = "device";

export const takeDeviceState = (desk: Desk, said: DeviceState): void => {
  const { device, state, since, detail } = said;
  const before = desk.place(device);
  desk.keepPlace(device, withState(before, said));
  moveAlarms(desk, device);
  const name = nameOf("technical", device, "monitoringLost");
  const at = eventTime(since);
  if (state === "streaming" || state === "standby") {
    over(desk, name, at);
    // nothing is expected of one that stands by: what it last showed cannot be seen any more, and is not over
    if (state === "standby") loseSight(desk, device, null);
    return;
  }
  const lost: Technical = {
    event: "monitoringLost",
    device,
    channel: wholeDevice,
    metric: null,
    priority: "high",
    since: at,
    detail: state === "quarantining" ? `what it sends cannot be used: ${detail ?? "no reason given"}` : detail,
  };
  // The detail counts on; only another reason is another thing to tell.
  if (desk.condition(name)?.open == null || before.told?.state !== state) stands(desk, name, lost, desk.now);
  loseSight(desk, device, null);
};

export const takeSensorState = (desk: Desk, said: SensorState): void => {
  const { device, channel, metric, state, since, evidence } = said;
  const names = {
    sensorOff: nameOf("technical", device, channel, metric, "sensorOff"),
    seriesLost: nameOf("technical", device, channel, metric, "seriesLost"),
  };
  const lost = state === "usable" ? null : state === "sensorOff" ? "sensorOff" : "seriesLost";
  // one that becomes the other has lasted until now: `since` is when the series was last well
  const until = lost === null ? since : eventTime(desk.now);
  for (const event of ["sensorOff", "seriesLost"] as const) if (event !== lost) over(desk, names[event], until);
  if (lost === null) return;
  const priority = atLeast("medium", hidden(desk, device, metric));
  const detail = evidence ?? (state === "silent" ? "the device is heard, this series is not" : null);
  stands(desk, names[lost], { event: lost, device, channel, metric, priority, since, detail }, since);
  loseSight(desk, device, metric);
};

/** Both are judged by log time, so what is said of them is said of now, however long ago they began. */
const stands = (desk: Desk, name: string, technical: Technical, at: number): void => {
  const before = desk.condition(name);
  if (before?.open === null && before.raisedAt === at) return; // the same word once more
  const word: Word = {
    facts: factsOfTechnical(technical, desk.context(technical.device)),
    signal: sounding,
    at,
    late: false,
    lateUntil: null,
  };
  desk.take(name, before?.open == null ? raise(before, name, word) : change(before, word));
};

const over = (desk: Desk, name: string, at: EventTime): void => {
  const before = desk.condition(name);
  if (before?.open == null) return;
  desk.take(name, end(before, { at, receivedTime: receivedTime(desk.now), now: desk.now, why: null }));
};

/** What is open of the device (or of one metric of it) can't be seen any more. A late alarm of it will get no newer word: it pages now. */
const loseSight = (desk: Desk, device: string, metric: string | null): void => {
  for (const [name, condition] of desk.conditions(device)) {
    const { open, past } = condition;
    if (open === null || past || open.source === "technical" || (metric !== null && open.metric !== metric)) continue;
    if (open.timeliness === "late") desk.take(name, confirm(condition, asTold(open, condition), notKnownToBeOver));
    desk.take(name, unseen(desk.condition(name) ?? condition, null));
  }
};

/** Time has come this far without a newer word: what came late must not stay silent, and what a gap hid is raised again. */
export const pageOverdue = (desk: Desk, name: string): void => {
  const condition = desk.condition(name);
  if (condition?.open == null || condition.lateUntil === null || condition.lateUntil > desk.now) return;
  const word = asTold(condition.open, condition);
  if (condition.open.timeliness === "late") desk.take(name, confirm(condition, word, notKnownToBeOver));
  else desk.take(name, raiseAgain(condition, name, word, "raised again after a gap"));
};

const notKnownToBeOver = "came late and is not known to be over";

/** The gravest physiological alarm that nobody can see any more. */
const hidden = (desk: Desk, device: string, metric: string): Priority =>
  desk
    .conditions(device)
    .map(([, { open, past }]) => (past ? null : open))
    .filter((open) => open !== null && open.alertType === "physiological" && open.metric === metric)
    .reduce<Priority>((gravest, open) => atLeast(gravest, open?.priority ?? "low"), "low");

const order: readonly Priority[] = ["low", "medium", "high"];
const atLeast = (a: Priority, b: Priority): Priority => (order.indexOf(a) >= order.indexOf(b) ? a : b);
