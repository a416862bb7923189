/**
 * What a reviewed correction (`afferent correct`) told past the gates, as they hear of it: what they say from now on comes behind it. Where both
 * spoke at once, under revisions of which one hides the other, what takes back is said again above both: it is never lost.
 */
import type { Corrected, GateAnswer } from "../../schemas/records/clinical.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { answer, objection } from "./answer.ts";
import { type GateOut, type GateState, writtenOf } from "./cells.ts";
import { afterCorrection, retractionOf, type Written, writtenCell } from "./retraction.ts";

export const takeCorrection = (
  state: GateState,
  corrected: Corrected,
  { now: at, transform, out }: { readonly now: LogTime; readonly transform: string; readonly out: GateOut },
): void => {
  const { destination, identity, revision, action, reason, patientKey } = corrected;
  const written = writtenOf(state, destination, identity);
  if (written === undefined) return;
  const cell = writtenCell(destination, identity);
  if (revision > written.intent.revision) {
    state.set(cell, afterCorrection(written, corrected, at));
    return;
  }
  if (!written.retracted && action !== "retract") return;
  const above = { revision: written.intent.revision + 1, reason: `Entered in error: ${reason}`, transform, at };
  const taken = retractionOf(written, above);
  out.emit("outbox", patientKey, taken.intent);
  state.set(cell, action === "retract" ? { ...taken.written, correctedBy: corrected.by } : taken.written);
};

/** Where a person took it back, no later revision brings it again; null: nobody did. */
export const takenBackByPerson = (written: Written | undefined): GateAnswer | null => {
  if (written?.retracted !== true || written.correctedBy === undefined) return null;
  const detail = `${written.correctedBy} took it back: nothing is told over a reviewed correction`;
  return answer("approvedThreshold", [objection("retracted-by-correction", detail)], "");
};
