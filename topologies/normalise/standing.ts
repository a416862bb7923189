/** How a device stands: streaming, silent, quarantining or by its own word on standby, and what its clock is worth. Nobody becomes a counter (clinical.md 4, 5). */
import type { Problem } from "../../streams/core/failure.ts";
import type { DeviceState } from "../../schemas/records/telemetry.ts";
import type { Clock } from "./clock.ts";

export interface Standing {
  /** Null until it has been heard or been silent for its limit. */
  readonly state: DeviceState["state"] | null;
  /** Log times. */
  readonly since: number;
  readonly usableAt: number;
  readonly heardAt: number | null;
  readonly refusedAt: number | null;
  /** Readings refused one after the other. */
  readonly refusedInRow: number;
  readonly lastRefusal: string | null;
  /** Redeliveries dropped, and readings that contradict an earlier one of the same stamp. */
  readonly repeats: number;
  readonly conflicts: number;
  /** Values refused for a time ahead of their reception. */
  readonly ahead?: number;
  /** Log time since which it has said of itself that it stands by; without while it says something else. */
  readonly standbySince?: number;
}

/** A device's own standby counts for no longer: whoever forgot it is not to be found by nobody's silence. As a named person's word. */
const longestStandbyMs = 12 * 3_600_000;

/** So many refused in a row, and the device is quarantining. */
const refusalsTolerated = 3;

/** Of a device that the roster has just named: it is expected to be heard from now on. */
export const expectedSince = (at: number): Standing => ({
  state: null,
  since: at,
  usableAt: at,
  heardAt: null,
  refusedAt: null,
  refusedInRow: 0,
  lastRefusal: null,
  repeats: 0,
  conflicts: 0,
});

export const refused = (standing: Standing, at: number, { reason, detail }: Problem): Standing => ({
  ...standing,
  heardAt: at,
  refusedAt: at,
  refusedInRow: standing.refusedInRow + 1,
  lastRefusal: `${reason}: ${detail}`.slice(0, 200),
});

/** `standsBy`: it says of itself that it measures nobody for now. */
export const heard = (standing: Standing, at: number, usable: boolean, standsBy: boolean): Standing => {
  const now: Standing = { ...standing, heardAt: at, usableAt: usable ? at : standing.usableAt, refusedInRow: 0 };
  if (standsBy) return { ...now, standbySince: standing.standbySince ?? at };
  if (standing.standbySince === undefined) return now;
  const { standbySince: _over, ...measuring } = now;
  return measuring;
};

/** A redelivery that was dropped, a reading that contradicts an earlier one, or a value that is dated ahead of its reception. */
export const counted = (standing: Standing, what: "repeat" | "conflict" | "ahead"): Standing => {
  if (what === "repeat") return { ...standing, repeats: standing.repeats + 1 };
  if (what === "conflict") return { ...standing, conflicts: standing.conflicts + 1 };
  return { ...standing, ahead: (standing.ahead ?? 0) + 1 };
};

/** As it stands at a log time. */
export const judged = (standing: Standing, at: number, silentAfterMs: number): Standing => {
  const state = stateAt(standing, at, silentAfterMs);
  return state === standing.state ? standing : { ...standing, state, since: at };
};

const stateAt = (s: Standing, at: number, silentAfterMs: number): Standing["state"] => {
  const quarantining = s.refusedInRow >= refusalsTolerated;
  if (s.standbySince !== undefined && !quarantining && at - s.standbySince < longestStandbyMs) return "standby";
  if (at - s.usableAt < silentAfterMs) {
    if (s.heardAt === null) return null;
    if (quarantining) return "quarantining";
    // Heard, but nothing usable ever: neither streaming nor silent until its limit.
    return s.state === null && s.usableAt < s.heardAt ? null : "streaming";
  }
  return s.refusedAt !== null && at - s.refusedAt < silentAfterMs ? "quarantining" : "silent";
};

/** When it will stand otherwise if nothing more is heard; null: never. */
export const nextChange = (s: Standing, silentAfterMs: number): number | null => {
  if (s.state === "silent") return null;
  if (s.state === "standby") return (s.standbySince ?? s.since) + longestStandbyMs;
  return (s.state === "quarantining" ? Math.max(s.usableAt, s.refusedAt ?? 0) : s.usableAt) + silentAfterMs;
};

export const clockStanding = (clock: Clock | undefined): Pick<DeviceState, "clock" | "clockOffsetMs"> => {
  if (clock === undefined) return { clock: "unknown", clockOffsetMs: null };
  if (clock.still?.stands) return { clock: "off", clockOffsetMs: null };
  return { clock: clock.appliedMs === 0 ? "sound" : "off", clockOffsetMs: clock.appliedMs };
};

/** What to know of it, in words; null when all is well. */
export const detailOf = (s: Standing, clock: Clock | undefined, at: number): string | null => {
  const sentences = [stateDetail(s, at), clockDetail(clock), countDetail(s)].filter((sentence) => sentence !== null);
  return sentences.length === 0 ? null : sentences.join("; ");
};

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

const stateDetail = (s: Standing, at: number): string | null => {
  if (s.state === "standby") return "it stands by, as it says itself";
  if (s.state === "quarantining") return `its last ${s.refusedInRow} readings were refused: ${s.lastRefusal}`;
  if (s.state !== "silent") return null;
  const stillHeard = s.heardAt !== null && s.heardAt > s.usableAt;
  return `no usable measurement for ${seconds(at - s.usableAt)}${stillHeard ? ", though readings come" : ""}`;
};

const clockDetail = (clock: Clock | undefined): string | null => {
  if (clock?.still?.stands) return "its clock stands still; received times are used";
  const offsetMs = clock?.appliedMs ?? 0;
  if (offsetMs === 0) return null;
  return `its clock is ${seconds(Math.abs(offsetMs))} ${offsetMs > 0 ? "behind" : "ahead"}; times are corrected`;
};

const countDetail = ({ repeats, conflicts, ahead = 0 }: Standing): string | null => {
  const said = [
    ...(repeats > 0 ? [`${repeats} repeated readings dropped`] : []),
    ...(conflicts > 0 ? [`${conflicts} readings contradict an earlier one of the same time`] : []),
    ...(ahead > 0 ? [`${ahead} values refused, for their own time is ahead of ours`] : []),
  ];
  return said.length === 0 ? null : said.join(", ");
};
