/** What is parked: what a destination refused for good and nobody has dealt with since, folded from clinical.deliveries. Pure. */
import type { Delivery } from "../../../schemas/records/clinical.ts";
import { contentHash } from "../../core/hash.ts";
import { nothingStands, resourceKey, type Standing, standingAfter } from "../../io/outbox/standing.ts";

export interface Parked {
  /** Twelve hex digits; its beginning will do where it is the only one. */
  readonly id: string;
  readonly delivery: Delivery;
  /** When it was refused (ms, the log's stamp). */
  readonly atMs: number;
  /** A later revision of the same resource was settled there: there is nothing to send again, only to be dropped. */
  readonly superseded: boolean;
}

const idOf = (of: Pick<Delivery, "destination" | "resourceType" | "resourceId" | "revision">): string =>
  contentHash("parked", resourceKey(of), of.revision).slice(0, 12);

export interface Told {
  readonly delivery: Delivery;
  readonly atMs: number;
}

/** Oldest first. `told`: each partition's deliveries in their order; those of one patient are in one partition. */
export const parkedIn = (told: readonly Told[]): readonly Parked[] => {
  const open = new Map<string, Told>();
  const standing = new Map<string, Standing>();
  for (const one of told) {
    const { delivery } = one;
    const [id, resource] = [idOf(delivery), resourceKey(delivery)];
    standing.set(resource, standingAfter(standing.get(resource) ?? nothingStands, delivery));
    if (delivery.outcome === "refused") open.set(id, one);
    else open.delete(id);
  }
  return [...open]
    .map(([id, { delivery, atMs }]) => ({
      id,
      delivery,
      atMs,
      superseded: (standing.get(resourceKey(delivery))?.newest ?? 0) > delivery.revision,
    }))
    .toSorted((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
};
