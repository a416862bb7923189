/**
 * What stands at a destination under an identity that is not the patient's there any more: whose chart that is, nobody here can say, so it
 * is taken back in any case (clinical.md 10), and what is written anew is another resource, under the new identity.
 */
import { observationId } from "../../schemas/fhir/observation.ts";
import type { Patient, PatientIdentity } from "../../schemas/records/roster.ts";
import { answer, objection } from "./answer.ts";
import { type Cell, type GateOut, type GateState, writtenOf } from "./cells.ts";
import { identityAt, type Knower, patientAt } from "./identity.ts";
import { decisionOf, overrule, type Verdict } from "./promotable.ts";
import { stands, type Written } from "./retraction.ts";
import { enterInError } from "./take-back.ts";
import { identityTasks } from "./tasks.ts";

/** How HL7v2 spells the authority, and what type of identifier it is, make nobody another. */
export const isOther = (before: PatientIdentity, now: PatientIdentity): boolean =>
  before.system !== now.system || before.value !== now.value || (before.fhirId ?? "") !== (now.fhirId ?? "");

/** That a destination knows the patient no more is no word on whose it was: it is refused there, until he is known by another. */
const isStrayed = (written: Written | undefined, patient: Patient | undefined, destination: Knower): boolean => {
  const known = patient && identityAt(patient, destination);
  const before = written?.intent.patient ?? null;
  return stands(written) && known !== undefined && before !== null && isOther(before, known);
};

/** Of all cells, what stands at this destination under another identity; the earliest event first. */
export const strayedAt = (
  cells: Iterable<readonly [string, Cell]>,
  patient: Patient | undefined,
  destination: Knower,
): readonly Written[] =>
  [...cells]
    .flatMap(([, cell]) => (cell.kind === "written" && cell.intent.destination === destination.name ? [cell] : []))
    .filter((written) => isStrayed(written, patient, destination))
    .sort((a, b) => a.candidate.episode.start - b.candidate.episode.start);

/** True: of what was written none is the resource that would be written now, so that nothing there is amended. */
export const isElsewhere = (
  written: Written | undefined,
  patient: Patient | undefined,
  destination: Knower,
): written is Written =>
  written !== undefined &&
  patient !== undefined &&
  !written.resourceIds.includes(observationId(written.candidate.episode, patientAt(patient, destination)));

const wrong = objection(
  "identity-corrected",
  "it was written under an identity that is not the patient's at this destination any more",
);

/** Takes it back, with a decision that says why, if it strayed; what stood, else undefined. The verdict is out of date then. */
export const takeBackStrayed = (
  state: GateState,
  verdict: Verdict,
  patient: Patient | undefined,
  out: GateOut,
): Written | undefined => {
  const { candidate, destination, revision, transform, at } = verdict.question;
  const written = writtenOf(state, destination.name, candidate.episode.identity);
  if (written === undefined || !isStrayed(written, patient, destination)) return undefined;
  out.emit("decisions", candidate.patientKey, decisionOf(overrule(verdict, answer("validatedPatient", [wrong], ""))));
  enterInError(state, written, wrong, { revision, transform, at }, out);
  for (const task of identityTasks(written, { revision, at })) out.emit("tasks", task.patientKey, task);
  return written;
};
