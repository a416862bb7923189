/** Whether an alarm only says once more what its page has told: then it joins in silence (clinical.md 13, 15). */
import type { Alarm } from "../../schemas/records/alert.ts";
import type { OpenPage } from "./page.ts";

/**
 * Our rule and the device on one event are one thing. Of one source, another channel or rule says nothing new where it is no worse; but whoever
 * took the page took it for the rules that were on it, so another rule is news to him.
 */
export const saysTheSame = (page: OpenPage, before: readonly Alarm[], alarm: Alarm): boolean => {
  const same = before.filter((one) => one.present && one.event === alarm.event);
  const ofItsSource = same.filter(({ source }) => source === alarm.source);
  if (ofItsSource.length === 0) return same.length > 0;
  if (page.state === "accepted" && !ofItsSource.some(({ rule }) => rule === alarm.rule)) return false;
  return ofItsSource.some((one) => isNoWorse(one, alarm));
};

/** Neither the value nor the limit lies further out; where only one of them has a value, nobody knows. */
const isNoWorse = (told: Alarm, alarm: Alarm): boolean => {
  if (told.value === null && alarm.value === null) return true;
  return outwards(alarm).every((now, i) => {
    const then = outwards(told)[i] ?? null;
    return now === null || then === null ? now === then : now <= then;
  });
};

/** Value and limit of the alarm's direction, the greater the worse; of no direction, both ways: the same is no worse, and nothing else. */
const outwards = ({ direction, value, lowLimit, highLimit }: Alarm): readonly (number | null)[] => {
  const down = [value, lowLimit].map((at) => (at === null ? null : -at));
  if (direction === "low") return down;
  return direction === "high" ? [value, highLimit] : [...down, value, highLimit];
};
