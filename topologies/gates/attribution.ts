/**
 * Whether an episode is this patient's at all, by the links of its device: the part of gate 3 that, when it fails afterwards, means that
 * what was written must be retracted (clinical.md 10). Whether anybody confirmed the link, or a clock is near an edge, is the rest of it.
 */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Candidate } from "../../schemas/records/clinical.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { Episode } from "../../schemas/records/telemetry.ts";
import { covers } from "../link.ts";
import { type Objection, objection, objections } from "./answer.ts";

/** Of a candidate, or of what was computed over a stretch of measurements: all that says whose it is. */
export interface Attributed extends Pick<Candidate, "patientKey" | "association" | "alongside" | "correction"> {
  readonly episode: Pick<
    Episode,
    "device" | "subject" | "association" | "start" | "qualifyingAt" | "end" | "clockUncertaintyMs"
  >;
}

/** As a merge's old record has it: the association names the survivor now, and what is told of this patient is not wrong for that. */
export const isMergedAway = ({ correction, association, patientKey }: Attributed): boolean =>
  correction?.why === "merge" && association !== null && association.patientKey !== patientKey;

/** The links that say that it is this patient's. */
export const ownLinks = (candidate: Attributed): readonly Association[] => {
  const { association, alongside, patientKey } = candidate;
  if (association === null) return [];
  return [association, ...alongside.filter((a) => a.patientKey === patientKey && !a.voided)];
};

/** The instants at which it must have been his: onset, the sample that is told, end. */
export const toldTimes = ({ episode: { start, qualifyingAt, end } }: Attributed): readonly number[] => [
  start,
  qualifyingAt,
  ...(end === null ? [] : [end]),
];

export const inForce = (a: Association): string =>
  `from ${utcInstant(a.from)} to ${a.to === null ? "now" : utcInstant(a.to)}`;

const straddle = (candidate: Attributed): Objection | false => {
  const { alongside, patientKey, association } = candidate;
  const other = isMergedAway(candidate) ? undefined : alongside.find((a) => a.patientKey !== patientKey && !a.voided);
  if (other === undefined || association === null) return false;
  const detail = `within the episode the device was also linked to another patient, by association ${other.id} ${inForce(other)}`;
  return objection("time-ambiguous", detail);
};

const mismatch = (candidate: Attributed, a: Association): Objection | false => {
  const { episode, patientKey, correction } = candidate;
  const isHis = isMergedAway(candidate) || a.patientKey === patientKey;
  if (a.device !== episode.device || !isHis || (correction === null && a.subject !== episode.subject))
    return objection("association-mismatch", `association ${a.id} is not of this subject, device and patient`);
  // What a correction offers was measured under another link than the one that it turned out to be of.
  if (correction !== null || episode.association === null || episode.association === a.id) return false;
  return objection("association-mismatch", `measured under association ${episode.association}, not ${a.id}`);
};

const outside = (candidate: Attributed, a: Association): Objection | false => {
  const own = ownLinks(candidate);
  const time = toldTimes(candidate).find((at) => !own.some((link) => covers(link, at)));
  if (time === undefined) return false;
  return objection("association-not-in-force", `association ${a.id} is ${inForce(a)}, not at ${utcInstant(time)}`);
};

/** Reasons: `no-association`, `association-voided`, `time-ambiguous`, `association-mismatch`, `association-not-in-force`. */
export const attributionObjections = (candidate: Attributed): readonly Objection[] => {
  const { association, episode } = candidate;
  if (association === null) {
    const detail = `no association of device ${episode.device} was known at ${utcInstant(episode.start)}`;
    return [objection("no-association", detail)];
  }
  const { id, revision, cause } = association;
  const why = cause === "" ? "" : ` (${cause})`;
  if (association.voided)
    return [objection("association-voided", `association ${id} revision ${revision} never held${why}`)];
  return objections(straddle(candidate), mismatch(candidate, association), outside(candidate, association));
};
