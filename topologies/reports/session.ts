/** A dialysis session as it is told: with its Kt/V once the blood's urea and the weight are known, else without one. */
import { eventTime, type LogTime } from "../../streams/core/time.ts";
import type { Observed } from "../../schemas/records/clinical.ts";
import { usualClockUncertaintyMs } from "../../schemas/records/roster.ts";
import type { DialysisSession, ReportedValue } from "../../schemas/scores.ts";
import type { Attributed } from "../gates/attribution.ts";
import type { GatePolicy } from "../gates/promotable.ts";
import type { ScorePolicy } from "../scores/policy.ts";
import { singlePoolKtv } from "../sessions/ktv.ts";
import { linkOf, type ReportOut, type ReportState, saidOf, type Told } from "./cells.ts";
import type { ReportRule } from "./judge.ts";
import { tellReport } from "./waiting.ts";

type LaboratoryName = "ureaBefore" | "ureaAfter" | "weightAfter";
const laboratory: readonly string[] = ["ureaBefore", "ureaAfter", "weightAfter"] satisfies readonly LaboratoryName[];
/** Laboratory values of longer ago than this change nothing any more. */
const toldKeptMs = 3 * 86_400_000;
const dayMs = 86_400_000;

export const isLaboratory = ({ what }: Observed): boolean => laboratory.includes(what);

const reportedOf = ({ what, value, ucum, at, by }: Observed): ReportedValue | null =>
  ucum === null ? null : { name: what, value: Number(value), ucum, at: eventTime(at), source: by };

/** Before: taken not long before the start, or at it; after: not long after the end. The nearest to the treatment wins. */
const within = (name: LaboratoryName, { start, end }: DialysisSession, at: number, withinMs: number): boolean =>
  name === "ureaBefore" ? at >= start - withinMs && at <= start : at >= end && at <= end + withinMs;

const nearest = (
  name: LaboratoryName,
  session: DialysisSession,
  said: readonly Observed[],
  withinMs: number,
): ReportedValue | null => {
  const from = name === "ureaBefore" ? session.start : session.end;
  const all = said.filter((o) => o.what === name && within(name, session, o.at, withinMs));
  const sorted = all.sort((a, b) => Math.abs(a.at - from) - Math.abs(b.at - from) || (a.by < b.by ? -1 : 1));
  return sorted.map(reportedOf).find((value) => value !== null) ?? null;
};

const withKtv = (session: DialysisSession, said: readonly Observed[], withinMs: number): DialysisSession => ({
  ...session,
  ktv: singlePoolKtv(session, {
    ureaBefore: nearest("ureaBefore", session, said, withinMs),
    ureaAfter: nearest("ureaAfter", session, said, withinMs),
    weightAfter: nearest("weightAfter", session, said, withinMs),
  }),
});

const partOf = (state: ReportState, session: DialysisSession): Attributed => ({
  patientKey: session.patientKey,
  association: linkOf(state, session.association),
  alongside: [],
  correction: null,
  episode: {
    device: session.device,
    subject: session.subject,
    association: session.association,
    start: session.start,
    qualifyingAt: session.end,
    end: session.end,
    clockUncertaintyMs: usualClockUncertaintyMs,
  },
});

interface Reporting {
  readonly scores: ScorePolicy;
  readonly policy: GatePolicy;
  readonly transform: string;
  readonly now: LogTime;
  readonly out: ReportOut;
}

const tell = (state: ReportState, session: DialysisSession, r: Reporting): void => {
  const { version, dialysis } = r.scores;
  const rule: ReportRule = { id: "report-dialysis-session", version, approval: dialysis.approval };
  const inputs = [session.identity, ...(session.ktv?.inputs ?? []).map(({ name, at }) => `${name}@${at}`)];
  const parts = [partOf(state, session)];
  tellReport(state, { ...r, facts: session, rule, parts, inputs, ceiling: null }, r.policy, r.out);
};

/** A session is over. */
export const takeSession = (state: ReportState, session: DialysisSession, r: Reporting): void => {
  for (const [name, cell] of [...state.cells()])
    if (cell.kind === "told" && cell.at + toldKeptMs <= r.now) state.delete(name);
  const known = withKtv(session, saidOf(state), r.scores.dialysis.laboratoryWithinMs);
  const told: Told = { kind: "told", session: known, at: r.now };
  state.set(`told/${session.identity}`, told);
  tell(state, known, r);
};

/** A laboratory value came: the sessions whose Kt/V it makes or changes are told anew. */
export const lookForKtv = (state: ReportState, r: Reporting): void => {
  for (const [name, cell] of [...state.cells()]) {
    if (cell.kind !== "told" || cell.at + dayMs < r.now) continue;
    const session = withKtv(cell.session, saidOf(state), r.scores.dialysis.laboratoryWithinMs);
    if (JSON.stringify(session.ktv) === JSON.stringify(cell.session.ktv)) continue;
    state.set(name, { ...cell, session });
    tell(state, session, r);
  }
};
