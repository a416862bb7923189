/**
 * What changed in the roster since it was last announced. What is in force is changed by a higher version and never by silence: an entry that
 * is missing, changed under its old version, or given to another device or patient under its old id, would leave the old one in force for
 * whoever read it, so the whole file is refused. Beds are no records: an association names its bed itself.
 */
import type { RosterRecord } from "./roster-file.ts";
import type { PlacedProblem } from "./roster-rules.ts";

/** What was announced last, by the record's id: the device or patient that it concerned, its version and hash. */
export type Announced = ReadonlyMap<string, { readonly key: string; readonly version: number; readonly hash: string }>;

export interface RosterChanges {
  readonly changed: readonly RosterRecord[];
  /** Reasons: `removed`, `moved`, `version-not-raised`. */
  readonly problems: readonly PlacedProblem[];
}

/** How each kind of entry is taken out of force. */
const endings: Readonly<Record<string, readonly [list: string, ending: string]>> = {
  device: ["devices", "keep it; end its associations"],
  association: ["associations", "keep it; give it a `to` and the next `revision`"],
  patient: ["patients", "keep it; make `active` false with the next `version`"],
  consent: ["consents", "keep it; decide `deny`, or give it a `to`, with the next `version`"],
};

export const rosterChanges = (records: readonly RosterRecord[], before: Announced): RosterChanges => {
  const present = new Set(records.map(({ id }) => id));
  const removed = [...before.keys()].flatMap((id): PlacedProblem[] => {
    const [kind = "", name = ""] = [id.slice(0, id.indexOf("/")), id.slice(id.indexOf("/") + 1)];
    const [list, ending] = endings[kind] ?? [];
    if (present.has(id) || list === undefined) return [];
    return [{ place: list, reason: "removed", detail: `${name} is in force and no longer here: ${ending}` }];
  });
  const moved = records.flatMap(({ id, key, place, body }): PlacedProblem[] => {
    const known = before.get(id);
    if (known === undefined || known.key === key) return [];
    const [, ending] = endings[body.kind] ?? [];
    const detail = `it concerned ${known.key} and there stays in force: ${ending}; add another with an id of its own`;
    return [{ place, reason: "moved", detail }];
  });
  const changed = records.filter(({ id, hash }) => before.get(id)?.hash !== hash);
  const stale = changed.flatMap(({ id, place, version, body }): PlacedProblem[] => {
    const known = before.get(id);
    if (known === undefined || version > known.version) return [];
    const raise =
      body.kind === "device"
        ? "the file's `version`"
        : body.kind === "association"
          ? "its `revision`"
          : "its `version`";
    const detail = `it was changed, and version ${known.version} is in force: raise ${raise} above that`;
    return [{ place, reason: "version-not-raised", detail }];
  });
  return { changed, problems: [...removed, ...moved, ...stale] };
};
