/**
 * Every link of the service: what people confirmed, and around that what ADT and where a device stands let one assert. Times that the roster file or
 * a person has spoken for are left to them.
 */
import { contentHash } from "../../streams/core/hash.ts";
import type { RosterBase } from "./base.ts";
import { type Bound, boundLinks } from "./bound.ts";
import { againstBound, assertedPrefix, clearStays, type Conflict, endOf, type Known } from "./conflicts.ts";
import type { RosterEvent } from "./events.ts";
import { type Interval, intersection, open, without } from "./intervals.ts";
import type { Stay } from "./stays.ts";

/** A device at a bed with a patient in it, for a while. */
export interface Link {
  readonly id: string;
  readonly device: string;
  /** The key before any merge. */
  readonly patient: string;
  readonly bed: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly confirmedBy: string | null;
  readonly confirmedMs: number | null;
  /** Since when he vouches for it, where he dated it back. */
  readonly vouchedMs: number | null;
  readonly assertedBy: string;
  readonly conflicts: readonly Conflict[];
}

/** `adt/` and a hash of what it is: the same facts have the same id, however often they are computed. */
const assertedId = (device: string, { patient, begunAs, bed, fromMs }: Stay, after: string): string =>
  `${assertedPrefix}${contentHash(device, patient, begunAs, bed, fromMs, after).slice(0, 20)}`;

export const linksOf = (events: readonly RosterEvent[], known: Known, base: RosterBase): readonly Link[] => {
  const bound = boundLinks(events, known).flatMap((link) => besideFile(link, base));
  return [...bound.map((link) => confirmed(link, known)), ...asserted(events, bound, known, base)].toSorted(
    (a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1),
  );
};

const confirmed = (link: Bound, known: Known): Link => ({
  id: link.id,
  device: link.device,
  patient: link.patient,
  bed: link.bed,
  fromMs: link.fromMs,
  toMs: link.toMs,
  confirmedBy: link.confirmedBy,
  confirmedMs: link.confirmedMs,
  vouchedMs: link.vouchedMs,
  assertedBy: link.assertedBy,
  conflicts: againstBound(link, known),
});

const spanOf = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number | null }): Interval => ({
  from: fromMs,
  to: open(toMs),
});

/** Where the file links the same device from, it is the file's: what a person had bound before ends there; what lies within it never held. */
const besideFile = (link: Bound, { links }: RosterBase): readonly Bound[] => {
  const own = links.filter((one) => one.device === link.device && intersection(spanOf(one), spanOf(link)) !== null);
  if (own.length === 0) return [link];
  const fromMs = Math.min(...own.map((one) => one.fromMs));
  return fromMs <= link.fromMs ? [] : [{ ...link, toMs: fromMs, endedByAdt: false }];
};

const asserted = (
  events: readonly RosterEvent[],
  bound: readonly Bound[],
  known: Known,
  base: RosterBase,
): readonly Link[] => {
  const { placements, stays, staysIn, identities } = known;
  const openStays = Map.groupBy(
    stays.filter(({ bed, toMs }) => bed !== null && toMs === null),
    ({ patient }) => identities.patient(patient),
  );
  const clear = new Map([...staysIn].map(([bed, own]) => [bed, clearStays(own, openStays, identities)]));
  const wrong = Map.groupBy(
    events.flatMap((event) => (event.kind === "act" && event.act === "wrong" ? [event] : [])),
    ({ device }) => device,
  );
  const boundTo = Map.groupBy(bound, ({ device }) => device);
  const ofFile = Map.groupBy(base.links, ({ device }) => device);
  return placements.flatMap((placement) => {
    const { device } = placement;
    const ofDevice = boundTo.get(device) ?? [];
    const taken = [...ofDevice, ...(ofFile.get(device) ?? [])].map(spanOf);
    return (clear.get(placement.bed) ?? []).flatMap(({ stay, span, conflicts }): Link[] => {
      const both = intersection(span, placement.span);
      if (both === null) return [];
      const denied = (wrong.get(device) ?? []).filter(
        (act) => identities.patient(act.patient) === identities.patient(stay.patient),
      );
      const left = without(both, [...taken, ...denied.map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs }))]);
      // a device that was taken away and came back within a stay has two links of it
      const since = placement.span.from > stay.fromMs ? `put there at ${placement.span.from} ` : "";
      const idOf = (part: string): string => assertedId(device, stay, `${since}${part}`);
      const first = idOf("");
      const nameOf = (piece: Interval): string => {
        const part = partOf(piece, both, ofDevice, first);
        return part === "" ? first : idOf(part);
      };
      return left.map((piece) => ({
        id: nameOf(piece),
        device: placement.device,
        patient: stay.patient,
        bed: placement.bed,
        fromMs: piece.from,
        toMs: endOf(piece),
        confirmedBy: null,
        confirmedMs: null,
        vouchedMs: null,
        assertedBy: stay.source,
        conflicts,
      }));
    });
  });
};

/** Which part of the stay it is: the first (unless a person confirmed that), or what is left after something else. */
const partOf = (piece: Interval, whole: Interval, bound: readonly Bound[], first: string): string => {
  if (piece.from === whole.from) return bound.some(({ id }) => id === first) ? "before" : "";
  const before = bound.find(({ toMs }) => toMs === piece.from);
  return before === undefined ? String(piece.from) : `after ${before.id}`;
};
