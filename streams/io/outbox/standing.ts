/** What a destination has of a resource already, as clinical.deliveries tells it. Asked only where it matters: it is read from the log. */
import type { Delivery, Intent } from "../../../schemas/records/clinical.ts";

export interface Standing {
  /** The highest revision that was settled there, parked ones included; null: none. */
  readonly newest: number | null;
  /** The highest revision that it took, as far as is known; null: none. */
  readonly written: number | null;
  /** False where every try of every revision was refused, withheld or dropped: nothing of it can stand there. */
  readonly mayStand: boolean;
}

export type StandingOf = (intent: Intent) => Promise<Standing>;

export const nothingStands: Standing = { newest: null, written: null, mayStand: false };

/** Begins what is said of an intent of which a try had no answer: it may be there all the same. */
export const unsure = "unsure: ";

export type Settled = Pick<Delivery, "revision" | "outcome" | "detail">;

/** The standing after one more delivery of the same resource to the same destination. */
export const standingAfter = (before: Standing, { revision, outcome, detail }: Settled): Standing => {
  const doubt = detail.startsWith(unsure) && (outcome === "refused" || outcome === "withheld");
  if (outcome === "withheld" || outcome === "dropped") return doubt ? { ...before, mayStand: true } : before;
  return {
    newest: Math.max(before.newest ?? revision, revision),
    written: outcome === "written" ? Math.max(before.written ?? revision, revision) : before.written,
    mayStand: before.mayStand || outcome === "written" || doubt,
  };
};

/** Which resource of which destination a delivery or an intent is about. */
export const resourceKey = (of: Pick<Intent, "destination" | "resourceType" | "resourceId">): string =>
  `${of.destination}/${of.resourceType}/${of.resourceId}`;
