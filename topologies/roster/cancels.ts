/**
 * Which movements were taken back (clinical.md 9). A cancel names what it cancels by the visit and by the time at which that occurred (HL7 v2.6,
 * 3.4.1.6: "the date/time that the event being cancelled occurred"); where it gives none of its own, or only when it was written, the last one is meant.
 */
import type { AdtEventType } from "../../schemas/hl7v2/adt.ts";
import type { AdtEvent, AdtPart } from "./events.ts";
import type { EventProblem } from "./merges.ts";

/** A person's part in a message, with the visit and patient that it is about now. */
export interface Movement {
  readonly event: AdtEvent;
  readonly part: AdtPart;
  readonly visit: string;
  readonly patient: string;
}

const cancelled: Readonly<Partial<Record<AdtEventType, readonly AdtEventType[]>>> = {
  A11: ["A01", "A04"],
  A12: ["A02"],
  A13: ["A03"],
};

export interface Cancels {
  /** Ids of events that never happened. */
  readonly voided: ReadonlySet<string>;
  readonly problems: readonly EventProblem[];
}

const meant = ({ event }: Movement, among: readonly Movement[]): Movement | undefined => {
  const saysWhich = event.occurredGiven && event.occurredMs !== event.recordedMs;
  return saysWhich
    ? among.findLast((one) => one.event.occurredMs === event.occurredMs)
    : among.findLast((one) => one.event.occurredMs <= event.recordedMs);
};

/** An admission that never was takes the visit's later movements with it, up to the next admission. */
const withFollowers = (admission: Movement, movements: readonly Movement[]): readonly string[] => {
  const after = movements.slice(movements.indexOf(admission) + 1);
  const next = after.findIndex(({ event }) => cancelled.A11?.includes(event.type));
  return [admission, ...after.slice(0, next === -1 ? after.length : next)].map(({ event }) => event.id);
};

/** `movements`: of one visit, in order. */
export const cancelsOf = (movements: readonly Movement[]): Cancels => {
  const voided = new Set<string>();
  const problems: EventProblem[] = [];
  const cancels = movements
    .filter(({ event }) => cancelled[event.type] !== undefined)
    .toSorted((a, b) => a.event.recordedMs - b.event.recordedMs || (a.event.id < b.event.id ? -1 : 1));
  for (const cancel of cancels) {
    const types = cancelled[cancel.event.type] ?? [];
    const among = movements.filter(({ event }) => types.includes(event.type));
    const found = meant(
      cancel,
      among.filter(({ event }) => !voided.has(event.id)),
    );
    if (found !== undefined)
      for (const id of cancel.event.type === "A11" ? withFollowers(found, movements) : [found.event.id]) voided.add(id);
    else if (meant(cancel, among) === undefined)
      problems.push({
        event: cancel.event.id,
        reason: "cancel-unmatched",
        detail: `${cancel.event.type}: nothing that is known is cancelled by it`,
      });
  }
  return { voided, problems };
};
