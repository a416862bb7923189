/** Gate 3: a named person had confirmed whose device it is, the link was in force, and the patient is known and active (clinical.md 8, 9). */
import { utcInstant } from "../../schemas/fhir/instant.ts";
import type { Association, Candidate, Episode, GateAnswer, Patient } from "../../schemas/records.ts";
import { answer, type Objection, objection, objections } from "./answer.ts";

const confirmationObjections = (association: Association, start: number): readonly Objection[] => {
  const { id, confirmedBy, confirmedAt } = association;
  if (confirmedBy === null || confirmedBy.trim() === "" || confirmedAt === null)
    return [objection("association-unconfirmed", `nobody confirmed association ${id}`)];
  return objections(
    confirmedAt > start &&
      objection(
        "association-confirmed-later",
        `association ${id} was confirmed at ${utcInstant(confirmedAt)}, after the episode began`,
      ),
  );
};

/** Half-open: the instant at which a link ends belongs to the next one. */
const covers = (a: Association, time: number): boolean => a.from <= time && (a.to === null || time < a.to);

/**
 * The whole episode must lie within the link. Its onset and the sample that is reported must also keep the clock's
 * uncertainty away from either edge: nearer, they may be another patient's (clinical.md 8).
 */
const timeObjections = (a: Association, episode: Episode, clockUncertaintyMs: number): readonly Objection[] => {
  const told = [episode.start, episode.qualifyingAt];
  const all = episode.end === null ? told : [...told, episode.end];
  const inForce = `from ${utcInstant(a.from)} to ${a.to === null ? "now" : utcInstant(a.to)}`;
  const outside = all.find((time) => !covers(a, time));
  if (outside !== undefined)
    return [objection("association-not-in-force", `association ${a.id} is ${inForce}, not at ${utcInstant(outside)}`)];
  const near = told.find((t) => !covers(a, t - clockUncertaintyMs) || !covers(a, t + clockUncertaintyMs));
  return objections(
    near !== undefined &&
      objection(
        "time-ambiguous",
        `${utcInstant(near)} is within ${clockUncertaintyMs} ms of an edge of association ${a.id} (${inForce})`,
      ),
  );
};

const identityObjections = (a: Association, episode: Episode, patientKey: string): readonly Objection[] =>
  objections(
    (a.subject !== episode.subject || a.device !== episode.device || a.patientKey !== patientKey) &&
      objection("association-mismatch", `association ${a.id} is not of this subject, device and patient`),
    episode.association !== null &&
      episode.association !== a.id &&
      objection("association-mismatch", `measured under association ${episode.association}, not ${a.id}`),
  );

const patientObjections = (patient: Patient | undefined): readonly Objection[] => {
  if (patient === undefined) return [objection("patient-unknown", "no patient is known under this key")];
  return objections(!patient.active && objection("patient-inactive", "the patient's record is not active"));
};

/**
 * `clockUncertaintyMs` is the least; a device's own, where it is greater, comes with the episode. Reasons: `no-association`, `association-mismatch`, `association-unconfirmed`, `association-confirmed-later`,
 * `association-not-in-force`, `time-ambiguous`, `patient-unknown`, `patient-inactive`.
 */
export const validatedPatient = (
  { episode, association, patientKey }: Candidate,
  patient: Patient | undefined,
  clockUncertaintyMs: number,
): GateAnswer => {
  if (association === null) {
    const detail = `no association of device ${episode.device} was known at ${utcInstant(episode.start)}`;
    return answer("validatedPatient", [objection("no-association", detail)], "");
  }
  const found = [
    ...identityObjections(association, episode, patientKey),
    ...confirmationObjections(association, episode.start),
    ...timeObjections(association, episode, Math.max(clockUncertaintyMs, episode.clockUncertaintyMs)),
    ...patientObjections(patient),
  ];
  return answer(
    "validatedPatient",
    found,
    `association ${association.id} revision ${association.revision}, confirmed by ${association.confirmedBy}`,
  );
};
