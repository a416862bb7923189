/**
 * Links that a named person made or confirmed, and when each ends: at the patient's discharge or transfer, at a re-binding, at a power cycle or a
 * gap beyond policy, or when a person says so (clinical.md 9). Nothing that ADT says lengthens or moves one. A discharge that was taken back has ended
 * it all the same: it must be confirmed again.
 */
import type { BindAct, InterruptionEvent, RosterEvent, UnbindAct } from "./events.ts";
import type { Identities } from "./merges.ts";
import { open } from "./intervals.ts";
import type { Departure, Stay } from "./stays.ts";

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
  /** Since when he vouches for it, where he dated it back; else his word counts from his confirmation. */
  readonly vouchedMs: number | null;
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

/** Those that a person called wrong are left out. */
export const boundLinks = (events: readonly RosterEvent[], known: DepartedFrom): readonly Bound[] => {
  const acts = events.filter(
    (event): event is BindAct => event.kind === "act" && (event.act === "bind" || event.act === "confirm"),
  );
  const wrong = new Set(events.flatMap((event) => (event.kind === "act" && event.act === "wrong" ? [event.link] : [])));
  const links = [...Map.groupBy(acts, ({ link }) => link).values()]
    .map((own) => own.toSorted((a, b) => a.recordedMs - b.recordedMs || (a.id < b.id ? -1 : 1)))
    .filter(([first]) => !wrong.has(first?.link ?? ""));
  const byDevice = Map.groupBy(
    links.flatMap(([first]) => first ?? []),
    ({ device }) => device,
  );
  const said = Map.groupBy(events.filter(endsSomething), (event) => event.device);
  return links.flatMap(([first, ...again]): Bound[] => {
    if (first === undefined) return [];
    const others = (byDevice.get(first.device) ?? []).filter(({ link }) => link !== first.link);
    if (others.some((other) => corrects(other, first, known.identities))) return [];
    const endings = [...endingsOf(first, said.get(first.device) ?? [], others), ...departed(first, known)];
    const end = endings.toSorted((a, b) => a.atMs - b.atMs || Number(b.byAdt) - Number(a.byAdt))[0];
    return [bound([first, ...again], end, isContested(first, others, known.identities))];
  });
};

const bound = (own: readonly [BindAct, ...BindAct[]], end: Ending | undefined, contested: boolean): Bound => {
  const [first] = own;
  return {
    id: first.link,
    device: first.device,
    patient: first.patient,
    bed: first.bed,
    fromMs: first.occurredMs,
    toMs: end?.atMs ?? null,
    confirmedBy: first.by,
    confirmedMs: first.recordedMs,
    vouchedMs: first.vouchedFromMs ?? null,
    assertedBy: first.assertedBy,
    endedByAdt: end?.byAdt ?? false,
    overruled: own.flatMap(({ overrules, recordedMs }) =>
      overrules.map((conflict) => ({ conflict, untilMs: recordedMs })),
    ),
    contested,
  };
};

/** The same patient bound once more for the same moment: the later word is the one that counts. */
const corrects = (other: BindAct, link: BindAct, identities: Identities): boolean =>
  other.occurredMs === link.occurredMs &&
  identities.patient(other.patient) === identities.patient(link.patient) &&
  (other.recordedMs > link.recordedMs || (other.recordedMs === link.recordedMs && other.link > link.link));

const isContested = (link: BindAct, others: readonly BindAct[], identities: Identities): boolean =>
  others.some(
    (other) =>
      other.occurredMs === link.occurredMs && identities.patient(other.patient) !== identities.patient(link.patient),
  );

const endsSomething = (event: RosterEvent): event is UnbindAct | InterruptionEvent =>
  event.kind === "interruption" || (event.kind === "act" && event.act === "unbind");

/** What ADT says of a patient's goings. */
interface DepartedFrom {
  readonly departuresOf: ReadonlyMap<string, readonly Departure[]>;
  readonly staysOf: ReadonlyMap<string, readonly Stay[]>;
  readonly identities: Identities;
}

const endingsOf = (
  link: BindAct,
  events: readonly (UnbindAct | InterruptionEvent)[],
  others: readonly BindAct[],
): readonly Ending[] => {
  const said = events.flatMap((event): number[] => {
    if (event.kind === "interruption") return event.occurredMs > link.recordedMs ? [event.occurredMs] : [];
    return event.link === link.link ? [Math.max(event.occurredMs, link.occurredMs + 1)] : [];
  });
  const rebound = others.flatMap(({ occurredMs }) => (occurredMs > link.occurredMs ? [occurredMs] : []));
  return [...said, ...rebound].map((atMs) => ({ atMs, byAdt: false }));
};

/**
 * Only what occurred after the confirmation: what ADT dates before it, the person who stood at the bed knew better (and it is a conflict,
 * conflicts.ts). A transfer to the very bed of the link is ADT catching up; a visit elsewhere says nothing of this bed.
 */
const departed = (link: BindAct, { departuresOf, staysOf, identities }: DepartedFrom): readonly Ending[] => {
  const patient = identities.patient(link.patient);
  const here = (staysOf.get(patient) ?? []).filter(({ bed }) => bed === link.bed);
  const isHereStill = ({ visit, atMs }: Departure): boolean =>
    here.some((stay) => stay.visit !== visit && stay.fromMs <= atMs && open(stay.toMs) > atMs);
  return (departuresOf.get(patient) ?? [])
    .filter((one) => one.atMs > link.recordedMs && one.goesTo !== link.bed && !isHereStill(one))
    .map(({ atMs }) => ({ atMs, byAdt: true }));
};
