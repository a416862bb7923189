/**
 * What is off about the roster, since when, and what a person does about it: one list for the command line, for `/health` and for Prometheus. It names
 * nobody.
 */
import type { Heard, RosterSource } from "./heard.ts";
import type { RosterService } from "./service.ts";
import type { RosterStore } from "./store.ts";

export const offCodes = [
  "adt-silent",
  "fhir-silent",
  "records-waiting",
  "link-in-conflict",
  "location-ambiguous",
] as const;
export type OffCode = (typeof offCodes)[number];

export interface Off {
  readonly what: OffCode;
  /** Of several, the oldest one's. */
  readonly sinceMs: number;
  readonly count: number;
  readonly todo: string;
}

export interface Watched {
  readonly service: Pick<RosterService, "view" | "nowhere">;
  readonly store: Pick<RosterStore, "waitingCount" | "waitingSinceMs">;
  readonly heard: Pick<Heard, "at">;
  /** How long each source may be silent; null: as long as it likes. */
  readonly silentAfterMs: Readonly<Partial<Record<RosterSource, number | null>>>;
  readonly now: () => number;
}

/** An append takes no second; one that waits for longer has no log. */
const waitingMs_max = 10_000;

const todos: Readonly<Record<OffCode, string>> = {
  "adt-silent": "unbind and bind by hand at each discharge and transfer; see whether the sender is connected",
  "fhir-silent": "unbind and bind by hand at each discharge and transfer; see whether the FHIR server answers",
  "records-waiting": "start the log; they are appended in order then",
  "link-in-conflict": "look at the bed, then confirm the link or say that it is wrong",
  "location-ambiguous": "name the place in rosterService.locations, or bind the device by hand",
};

/** The longest standing first. */
export const whatIsOff = (watched: Watched): readonly Off[] =>
  [silent("adt", watched), silent("fhir", watched), waiting(watched), conflicts(watched), nowhere(watched)]
    .flatMap((one) => one ?? [])
    .toSorted((a, b) => a.sinceMs - b.sinceMs);

const off = (what: OffCode, since: readonly number[]): Off | undefined =>
  since.length === 0 ? undefined : { what, sinceMs: Math.min(...since), count: since.length, todo: todos[what] };

const silent = (source: RosterSource, { heard, silentAfterMs, now }: Watched): Off | undefined => {
  const [limitMs, heardMs] = [silentAfterMs[source] ?? null, heard.at(source)];
  if (limitMs === null || heardMs === undefined || now() - heardMs <= limitMs) return undefined;
  return off(`${source}-silent`, [heardMs]);
};

const waiting = ({ store, now }: Watched): Off | undefined => {
  const sinceMs = store.waitingSinceMs();
  if (sinceMs === undefined || now() - sinceMs <= waitingMs_max) return undefined;
  return { what: "records-waiting", sinceMs, count: store.waitingCount(), todo: todos["records-waiting"] };
};

/** Since what contradicts the link occurred; two people's words for one moment contradict each other from that moment on. */
const conflicts = ({ service }: Watched): Off | undefined =>
  off(
    "link-in-conflict",
    service.view.links
      .filter(({ toMs, conflicts: found }) => toMs === null && found.length > 0)
      .map(({ conflicts: found, fromMs }) =>
        Math.min(...found.map(({ sinceMs }) => (Number.isFinite(sinceMs) ? sinceMs : fromMs))),
      ),
  );

const nowhere = ({ service }: Watched): Off | undefined =>
  off(
    "location-ambiguous",
    service.nowhere.map(({ fromMs }) => fromMs),
  );
