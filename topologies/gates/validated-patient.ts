/**
 * Gate 3: a named person had confirmed whose device it is, the link was in force and is not in doubt, and the patient is known, active and
 * known to the destination (clinical.md 8, 9).
 */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { GateAnswer } from "../../schemas/records/clinical.ts";
import type { Association, Patient } from "../../schemas/records/roster.ts";
import { covers, isInterruptedAt, isVouchedAt, vouchedSince } from "../link.ts";
import { answer, type Objection, objection, objections } from "./answer.ts";
import { type Attributed, attributionObjections, inForce, isMergedAway, ownLinks, toldTimes } from "./attribution.ts";
import { identityAt, type Knower } from "./identity.ts";

const confirmationObjections = (association: Association, candidate: Attributed): readonly Objection[] => {
  const { id, from, interrupted } = association;
  const vouched = vouchedSince(association);
  if (vouched === null) return [objection("association-unconfirmed", `nobody confirmed association ${id}`)];
  // A link that began inside the episode cannot have been confirmed before it.
  const since = Math.max(candidate.episode.start, from);
  const vouches = (at: number): boolean => ownLinks(candidate).some((own) => covers(own, at) && isVouchedAt(own, at));
  const behind = toldTimes(candidate).some((at) => isInterruptedAt(association, at) && !vouches(at));
  return objections(
    vouched > since &&
      objection(
        "association-confirmed-later",
        `association ${id} was confirmed at ${utcInstant(vouched)}, after the episode began`,
      ),
    interrupted !== null &&
      behind &&
      objection(
        "association-interrupted",
        `association ${id} was not confirmed again after ${interruptionWords[interrupted.what]} at ${utcInstant(interrupted.at)}`,
      ),
  );
};

export const interruptionWords = { powerCycle: "a power cycle", deviceGap: "a long gap" } as const;

/**
 * The onset and the sample that is reported must keep the clock's uncertainty away from either edge of the patient's links: nearer, they
 * may be another patient's (clinical.md 8).
 */
const edgeObjections = (candidate: Attributed, clockUncertaintyMs: number): readonly Objection[] => {
  const own = ownLinks(candidate);
  const [first] = own;
  // an interruption is an edge like the end of a link
  const within = (time: number): boolean => own.some((link) => covers(link, time) && !isInterruptedAt(link, time));
  const { start, qualifyingAt } = candidate.episode;
  const near = [start, qualifyingAt].find((t) => !within(t - clockUncertaintyMs) || !within(t + clockUncertaintyMs));
  return objections(
    near !== undefined &&
      first !== undefined &&
      objection(
        "time-ambiguous",
        `${utcInstant(near)} is within ${clockUncertaintyMs} ms of an edge of association ${first.id} (${inForce(first)})`,
      ),
  );
};

const conflictObjections = (candidate: Attributed): readonly Objection[] =>
  ownLinks(candidate).flatMap(({ id, conflict }) =>
    objections(conflict !== null && objection("association-in-conflict", `association ${id} is unclear: ${conflict}`)),
  );

const patientObjections = (
  candidate: Attributed,
  patient: Patient | undefined,
  destination: Knower,
  stands: boolean,
): readonly Objection[] => {
  if (patient === undefined) return [objection("patient-unknown", "no patient is known under this key")];
  // What was written before a merge goes on where it stands, in the record that it stands in.
  const goesOn = isMergedAway(candidate) && stands;
  return objections(
    patient.mergedInto !== null &&
      !goesOn &&
      objection("patient-merged", "the patient's record was merged into another"),
    !patient.active && !goesOn && objection("patient-inactive", "the patient's record is not active"),
    identityAt(patient, destination) === undefined &&
      objection(
        "identity-unknown",
        `${destination.name} knows the patient by none of the identifiers that are known of him`,
      ),
  );
};

/** What a destination does with the events of a patient whose record is merged into another: they stay, or move to the survivor. */
export type MergedPatients = "leave" | "move";

const mergeObjections = (candidate: Attributed, merged: MergedPatients, stands: boolean): readonly Objection[] => {
  if (candidate.correction?.why !== "merge") return [];
  const away = isMergedAway(candidate);
  return objections(
    away &&
      merged === "move" &&
      objection("patient-merged", "the patient's record was merged: it moves to the survivor's"),
    away &&
      merged === "leave" &&
      !stands &&
      objection("patient-merged", "the patient's record was merged into another"),
    !away && merged === "leave" && objection("patient-merged", "from before the merge: it is left in the old record"),
  );
};

export interface PatientQuestion {
  readonly patient: Patient | undefined;
  readonly destination: Knower;
  /** The least; a device's own, where it is greater, comes with the episode. */
  readonly clockUncertaintyMs: number;
  readonly mergedPatients: MergedPatients;
  /** True: the destination has it of this patient already. */
  readonly stands: boolean;
}

/**
 * Reasons: those of attribution.ts, `association-in-conflict`, `association-unconfirmed`, `association-confirmed-later`, `association-interrupted`,
 * `time-ambiguous`, `patient-unknown`, `patient-inactive`, `patient-merged`, `identity-unknown`.
 */
export const validatedPatient = (candidate: Attributed, asked: PatientQuestion): GateAnswer => {
  const { association, episode } = candidate;
  const attribution = attributionObjections(candidate);
  if (association === null) return answer("validatedPatient", attribution, "");
  const uncertaintyMs = Math.max(asked.clockUncertaintyMs, episode.clockUncertaintyMs);
  const outside = attribution.some(({ reason }) => reason === "association-not-in-force");
  const found = [
    ...mergeObjections(candidate, asked.mergedPatients, asked.stands),
    ...attribution,
    ...conflictObjections(candidate),
    ...ownLinks(candidate).flatMap((a) => confirmationObjections(a, candidate)),
    ...(outside || association.voided ? [] : edgeObjections(candidate, uncertaintyMs)),
    ...patientObjections(candidate, asked.patient, asked.destination, asked.stands),
  ];
  return answer(
    "validatedPatient",
    found,
    `association ${association.id} revision ${association.revision}, confirmed by ${association.confirmedBy}`,
  );
};
