/** At which bed a device stands, and when: a fixed monitor by the roster file, others by a named person's word or a FHIR server's. */
import { placeOf, type RosterBase } from "./base.ts";
import type { RosterEvent } from "./events.ts";
import { type Interval, open } from "./intervals.ts";

export interface Placement {
  readonly device: string;
  readonly bed: string;
  readonly span: Interval;
}

interface Put {
  readonly device: string;
  readonly bed: string | null;
  readonly atMs: number;
}

/** `events` in order. A fixed monitor has always stood at its bed until somebody puts it elsewhere. */
export const placementsOf = (events: readonly RosterEvent[], base: RosterBase): readonly Placement[] => {
  const fixed = base.devices.map(({ device, bed }): Put => ({ device, bed, atMs: Number.NEGATIVE_INFINITY }));
  const moved = events.flatMap((event): Put[] => {
    if (event.kind === "act" && event.act === "place")
      return [{ device: event.device, bed: event.bed, atMs: event.occurredMs }];
    if (event.kind === "fhirDevice")
      return [
        {
          device: event.device,
          bed: event.location === null ? null : placeOf(base, event.location).bed,
          atMs: event.occurredMs,
        },
      ];
    return [];
  });
  return [...Map.groupBy([...fixed, ...moved], ({ device }) => device).values()].flatMap((told) => {
    const puts = told.filter(({ bed }, n) => n === 0 || bed !== told[n - 1]?.bed);
    return puts.flatMap(({ device, bed, atMs }, n): Placement[] => {
      const span = { from: atMs, to: open(puts[n + 1]?.atMs ?? null) };
      return bed === null || span.from >= span.to ? [] : [{ device, bed, span }];
    });
  });
};
