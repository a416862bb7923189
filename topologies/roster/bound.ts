/**
 * Links that a named person made or confirmed, and when each ends: at the patient's discharge or transfer, at a re-binding, at a power cycle or a
 * gap beyond policy, or when a person says so (clinical.md 9). Nothing that ADT says lengthens or moves one. A discharge that was taken back has ended
 * it all the same: it must be confirmed again.
 */
import type { BindAct, RosterEvent } from "./events.ts";
import type { Identities } from "./merges.ts";
import { open } from "./intervals.ts";
import type { Departure, Stay, Whereabouts } from "./stays.ts";

export interface Bound {
  readonly id: string;
  readonly device: string;
  /** As the act named him, before any merge. */
  readonly patient: string;
  readonly bed: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly confirmedBy: string;
  readonly confirmedMs: number;
  readonly assertedBy: string;
  /** By ADT's word of this patient: then it is settled that he left. */
  readonly endedByAdt: boolean;
  /** What later confirmations of the same link overruled, and until when. */
  readonly overruled: readonly { readonly conflict: string; readonly untilMs: number }[];
  /** Another link of the device that a person made for the same moment. */
  readonly contested: boolean;
}

interface Ending {
  readonly atMs: number;
  readonly byAdt: boolean;
}

/** By device, in the order of their beginnings; those that a person called wrong are left out. */
export const boundLinks = (
  events: readonly RosterEvent[],
  { departures, stays }: Pick<Whereabouts, "departures" | "stays">,
  identities: Identities,
): readonly Bound[] => {
  const acts = events.filter(
    (event): event is BindAct => event.kind === "act" && (event.act === "bind" || event.act === "confirm"),
  );
  const wrong = new Set(events.flatMap((event) => (event.kind === "act" && event.act === "wrong" ? [event.link] : [])));
  const links = [...Map.groupBy(acts, ({ link }) => link).values()].filter(([first]) => !wrong.has(first?.link ?? ""));
  return links.flatMap((own): Bound[] => {
    const first = own.toSorted((a, b) => a.recordedMs - b.recordedMs || (a.id < b.id ? -1 : 1))[0];
    if (first === undefined) return [];
    const others = links.flatMap(([other]) =>
      other !== undefined && other.device === first.device && other.link !== first.link ? [other] : [],
    );
    const endings = [...endingsOf(first, events, others), ...departed(first, departures, stays, identities)];
    const end = endings.toSorted((a, b) => a.atMs - b.atMs || Number(b.byAdt) - Number(a.byAdt))[0];
    return [
      {
        id: first.link,
        device: first.device,
        patient: first.patient,
        bed: first.bed,
        fromMs: first.occurredMs,
        toMs: end?.atMs ?? null,
        confirmedBy: first.by,
        confirmedMs: first.recordedMs,
        assertedBy: first.assertedBy,
        endedByAdt: end?.byAdt ?? false,
        overruled: own.flatMap(({ overrules, recordedMs }) =>
          overrules.map((conflict) => ({ conflict, untilMs: recordedMs })),
        ),
        contested: others.some(
          (other) =>
            other.occurredMs === first.occurredMs &&
            identities.patient(other.patient) !== identities.patient(first.patient),
        ),
      },
    ];
  });
};

const endingsOf = (link: BindAct, events: readonly RosterEvent[], others: readonly BindAct[]): readonly Ending[] => {
  const said = events.flatMap((event): number[] => {
    if (event.kind === "interruption" && event.device === link.device)
      return event.occurredMs > link.recordedMs ? [event.occurredMs] : [];
    if (event.kind === "act" && event.act === "unbind" && event.link === link.link)
      return [Math.max(event.occurredMs, link.occurredMs + 1)];
    return [];
  });
  const rebound = others.flatMap(({ occurredMs }) => (occurredMs > link.occurredMs ? [occurredMs] : []));
  return [...said, ...rebound].map((atMs) => ({ atMs, byAdt: false }));
};

/**
 * Only what occurred after the confirmation: what ADT dates before it, the person who stood at the bed knew better (and it is a conflict,
 * conflicts.ts). A transfer to the very bed of the link is ADT catching up; a visit elsewhere says nothing of this bed.
 */
const departed = (
  link: BindAct,
  departures: readonly Departure[],
  stays: readonly Stay[],
  identities: Identities,
): readonly Ending[] => {
  const isHis = ({ patient }: { readonly patient: string }): boolean =>
    identities.patient(patient) === identities.patient(link.patient);
  const here = stays.filter((stay) => stay.bed === link.bed && isHis(stay));
  const isHereStill = ({ visit, atMs }: Departure): boolean =>
    here.some((stay) => stay.visit !== visit && stay.fromMs <= atMs && open(stay.toMs) > atMs);
  return departures
    .filter((one) => isHis(one) && one.atMs > link.recordedMs && one.goesTo !== link.bed && !isHereStill(one))
    .map(({ atMs }) => ({ atMs, byAdt: true }));
};
