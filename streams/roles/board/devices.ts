/** Which devices there are, which bed each belongs to, and how each stands. Folded from associations, states and measurements. */
import type { BedState, DeviceView } from "../../../schemas/board.ts";
import type { Association } from "../../../schemas/records/roster.ts";
import type { DeviceState } from "../../../schemas/records/telemetry.ts";
import { isInterruptedAt, isNewer } from "../../../topologies/link.ts";
import { redact } from "./redact.ts";

const devicesKept = 5_000;
const associationsKept = 8;
/** Without a word from normalise (the board reads only the newest records), a device that spoke this recently is streaming; the roster may know its own limit. */
const heardWithinMs = 10_000;

interface Known {
  readonly device: string;
  model: string;
  associations: Association[];
  state: DeviceState | null;
  /** Log time of its first and newest usable measurement or state. */
  firstHeard: number;
  lastHeard: number;
  /** The longest that it may be quiet, and since when the board waits for it (log time). */
  silentAfterMs: number;
  watchedFrom: number | null;
}

export interface Place {
  readonly bed: string;
  readonly unit: string;
}

const inForce = (associations: readonly Association[], at: number): Association | undefined => {
  let found: Association | undefined;
  for (const a of associations)
    if (!a.voided && a.from <= at && (a.to === null || at < a.to) && (found === undefined || a.from >= found.from))
      found = a;
  return found;
};

export class Devices {
  readonly #known = new Map<string, Known>();

  /** Repeats and older revisions change nothing. */
  association(association: Association): void {
    const known = this.#of(association.device);
    if (known === undefined) return;
    const same = known.associations.find(({ id }) => id === association.id);
    if (same !== undefined && !isNewer(association, same)) return;
    known.associations = [...known.associations.filter((a) => a !== same), association].slice(-associationsKept);
  }

  /** As the roster names it. */
  expect(device: string, model: string, silentAfterMs = heardWithinMs): void {
    const known = this.#of(device);
    if (known === undefined) return;
    known.model = model;
    known.silentAfterMs = silentAfterMs;
  }

  state(state: DeviceState, logTime: number): void {
    const known = this.#of(state.device);
    if (known === undefined) return;
    known.state = state;
    if (known.firstHeard === 0) known.firstHeard = logTime;
  }

  heard(device: string, logTime: number): void {
    const known = this.#of(device);
    if (known === undefined) return;
    if (known.firstHeard === 0) known.firstHeard = logTime;
    known.lastHeard = Math.max(known.lastHeard, logTime);
  }

  /** The bed of the association in force; else where the device last was; else where its state says; null: none. */
  place(device: string, at: number): Place | null {
    const known = this.#known.get(device);
    if (known === undefined) return null;
    const association = inForce(known.associations, at) ?? known.associations.at(-1);
    if (association !== undefined) return { bed: association.bed, unit: association.unit };
    const { bed, unit } = known.state ?? { bed: null, unit: null };
    return bed === null ? null : { bed, unit: unit ?? "" };
  }

  /** The subject of the association in force. */
  subject(device: string, at: number): string | null {
    return inForce(this.#known.get(device)?.associations ?? [], at)?.subject ?? null;
  }

  /** Every device that has been heard of, in the order of their names. */
  names(): string[] {
    return [...this.#known.keys()].sort();
  }

  view(device: string, at: number): DeviceView | null {
    const known = this.#known.get(device);
    if (known === undefined) return null;
    known.watchedFrom ??= at;
    const association = inForce(known.associations, at);
    const { state, since } = standing(known, association, at);
    const detail = known.state?.detail ?? null;
    return {
      device,
      model: known.model,
      state,
      detail: state === "streaming" || detail === null ? null : redact(detail),
      since,
      clockOffsetMs: known.state?.clockOffsetMs ?? null,
      confirmed:
        association === undefined ? null : association.confirmedBy !== null && !isInterruptedAt(association, at),
    };
  }

  #of(device: string): Known | undefined {
    const known = this.#known.get(device);
    if (known !== undefined || this.#known.size >= devicesKept) return known;
    const fresh: Known = {
      device,
      model: "",
      associations: [],
      state: null,
      firstHeard: 0,
      lastHeard: 0,
      silentAfterMs: heardWithinMs,
      watchedFrom: null,
    };
    this.#known.set(device, fresh);
    return fresh;
  }
}

/** Refused messages come first: they may hide anything. A device that is nobody's can't be missed by being silent. */
const standing = (
  known: Known,
  association: Association | undefined,
  at: number,
): { state: BedState; since: number } => {
  const { state } = known;
  if (state?.state === "quarantining") return { state: "quarantining", since: state.since };
  if (association === undefined) return { state: "unassociated", since: endedAt(known, at) ?? known.firstHeard };
  if (state?.state === "silent" || state?.state === "standby") return { state: state.state, since: state.since };
  if (state?.clock === "off") return { state: "clockOff", since: state.since };
  const quietSince = Math.max(known.lastHeard, association.from, known.watchedFrom ?? 0);
  if (state === null && at - quietSince > known.silentAfterMs) return { state: "silent", since: quietSince };
  return { state: "streaming", since: state?.since ?? known.firstHeard };
};

const endedAt = (known: Known, at: number): number | null => {
  const ends = known.associations.flatMap(({ to }) => (to !== null && to <= at ? [to] : []));
  return ends.length === 0 ? null : Math.max(...ends);
};
