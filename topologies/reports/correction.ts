/** What a reviewed correction (`afferent correct`) told past this stage: what it says from now on comes behind it, as in gates/correction.ts. */
import type { Corrected } from "../../schemas/records/clinical.ts";
import type { LogTime } from "../../streams/core/time.ts";
import { reportCell, reportIn, type ReportOut, type ReportState, type WrittenReport } from "./cells.ts";
import { takeBack } from "./write.ts";

const afterCorrection = (report: WrittenReport, { revision, action, by }: Corrected, at: LogTime): WrittenReport => {
  const { correctedBy: _, ...known } = report;
  const intent = { ...known.intent, revision, at };
  return { ...known, intent, retracted: action === "retract", ...(action === "retract" && { correctedBy: by }) };
};

/** Where both spoke at once, under revisions of which one hides the other, what takes back is said again above both. */
export const takeCorrection = (
  state: ReportState,
  corrected: Corrected,
  { transform, now, out }: { readonly transform: string; readonly now: LogTime; readonly out: ReportOut },
): void => {
  const { destination, identity, revision, action, by, reason } = corrected;
  const report = reportIn(state, destination, identity);
  if (report === undefined) return;
  const isTakenBack = action === "retract";
  if (revision > report.intent.revision)
    state.set(reportCell(destination, identity), afterCorrection(report, corrected, now));
  else if (isTakenBack || report.retracted)
    takeBack(state, { ...report, ...(isTakenBack && { correctedBy: by }) }, { why: reason, transform, now }, out);
};
