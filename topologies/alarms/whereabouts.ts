/** Alarms follow their device: to another bed or unit, and away from the subject that it leaves. */
import { type EventTime, eventTime, receivedTime } from "../../streams/core/time.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { SubjectEnded } from "../../schemas/records/telemetry.ts";
import { end, raiseAgain, type Word } from "./condition.ts";
import { asTold, change } from "./course.ts";
import type { Desk } from "./desk.ts";
import { standing, withLink } from "./place.ts";

export const takeAssociation = (desk: Desk, association: Association): void => {
  const { device, bed } = association;
  const before = desk.place(device);
  const place = withLink(before, association);
  if (place === before) return;
  desk.keepPlace(device, place);
  // A move is told by the device's state, in the same breath and with the unit.
  if (place.told === null || place.told.bed === bed) moveAlarms(desk, device);
};

/** An open alarm of a device that stands elsewhere now: another unit has it raised anew, another bed is told as a change. */
export const moveAlarms = (desk: Desk, device: string): void => {
  const stands = standing(desk.place(device), desk.now);
  for (const [name, condition] of desk.conditions(device)) {
    const { open } = condition;
    if (open === null) continue;
    const told = asTold(open, condition);
    const late = open.timeliness === "late";
    const { lateUntil, past = false } = condition;
    const word: Word = { ...told, facts: { ...told.facts, ...stands }, late, lateUntil, past };
    if (stands.unit === open.unit) desk.take(name, change(condition, word));
    else desk.take(name, raiseAgain(condition, name, word, `moved to unit ${stands.unit}`));
  }
};

/** What is open of a device ends when it leaves: of this subject it says nothing more. */
export const takeSubjectEnded = (desk: Desk, { device, at }: SubjectEnded): void => {
  endAlarms(desk, device, at);
  desk.keepPlace(device, { ...desk.place(device), leftAt: desk.now, waiting: null });
};

/** A word from before it left that came after it: an alarm of it is over, and one delayed item. */
export const endIfLeft = (desk: Desk, device: string): void => {
  const { leftAt } = desk.place(device);
  if (leftAt !== null) endAlarms(desk, device, eventTime(leftAt));
};

const endAlarms = (desk: Desk, device: string, at: EventTime): void => {
  for (const [name, condition] of desk.conditions(device)) {
    if (condition.open === null) continue;
    const ended = { at, receivedTime: receivedTime(desk.now), now: desk.now, why: "the device left" };
    desk.take(name, end(condition, ended));
  }
};
