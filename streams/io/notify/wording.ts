/**
 * How a notification reads to people, and what of it may leave: inside the trust boundary everything but other people's addresses, outside
 * only that there is an alarm in a unit (clinical.md 18).
 */
import type { Notification } from "../../../schemas/records/alert.ts";
import { utcInstant } from "../../../schemas/fhir/instant.ts";

/** What a receiver outside is told: nothing of bed, device, event, value or time of onset. */
export interface OutsideMessage {
  readonly kind: "notification";
  readonly identity: string;
  readonly page: string;
  readonly what: Notification["what"];
  readonly unit: string;
  readonly text: string;
}

/** As JSON goes out: the addresses of others are nobody's business. */
export const messageOf = (notification: Notification): Omit<Notification, "addresses"> | OutsideMessage => {
  if (notification.inside) {
    const { addresses: _, ...told } = notification;
    return told;
  }
  const { kind, identity, page, what, unit } = notification;
  return { kind, identity, page, what, unit, text: outsideText(notification) };
};

const outsideTexts: Readonly<Record<Notification["what"], string>> = {
  alarm: "alarm",
  reminder: "alarm",
  delayed: "delayed alarm",
  ended: "alarm ended",
  test: "test",
};

/** "alarm in unit X, open the app": also the subject of every e-mail, for subjects are shown on locked screens and kept in logs. */
export const outsideText = ({ what, unit }: Notification): string =>
  `${outsideTexts[what]} in unit ${oneLine(unit)}, open the app`;

/** One line for whoever is inside, e.g. `HIGH alarm: asystole (0 /min), bed 3 of icu, since 2027-01-15T08:00:00.000Z, device mon-01`. */
export const lineOf = (notification: Notification): string => {
  const { priority, what, text, unit, beds, onset, end, device } = notification;
  const parts = [
    `${priority.toUpperCase()} ${what}: ${text}${measuredOf(notification)}`,
    `${placeOf(notification)} of ${unit}`,
    ...(beds.length === 0 ? [] : [`nobody watches: ${beds.join(", ")}`]),
    `since ${utcInstant(onset)}`,
    ...(end === null ? [] : [`ended ${utcInstant(end)}`]),
    `device ${device}`,
    ...(notification.signal === "latched" ? ["latched"] : []),
    ...(notification.inactivation === "enabled" ? [] : [notification.inactivation]),
    ...(notification.lastResort ? [`last resort, attempt ${notification.attempt}`] : []),
  ];
  return oneLine(parts.join(", "));
};

/** What a line may hold: a text from a device can't begin a line or a header of its own, nor speak to a terminal. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();

const measuredOf = ({ value, ucum }: Notification): string => (value === null ? "" : ` (${value} ${ucum ?? ""})`);

/** With how old the knowledge of the bed is (clinical.md 18). */
const placeOf = ({ bed, bedSince, bedConfirmed }: Notification): string => {
  if (bed === null) return "no bed known";
  const since = bedSince === null ? "nobody said since when" : `there since ${utcInstant(bedSince)}`;
  return `bed ${bed} (${since}, ${bedConfirmed ? "confirmed" : "not confirmed"})`;
};
