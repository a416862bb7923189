/**
 * Makes reports of what the clinical plane hears of a patient: NEWS2 of his devices' minutes and of what people said, and a summary of each
 * dialysis session; each passes the same gates as an episode, and what was made under a wrong link is taken back.
 */
import { stage } from "../streams/core/stage.ts";
import { logTime, type LogTime } from "../streams/core/time.ts";
import type { Observed, WindowValue } from "../schemas/records/clinical.ts";
import type { AccessOverride, Consent, FhirConsent } from "../schemas/records/consent.ts";
import type { Association } from "../schemas/records/roster.ts";
import { events } from "../schemas/topics.ts";
import { isNewer } from "./link.ts";
import type { GatePolicy } from "./gates/promotable.ts";
import { supersedes } from "./gates/consented.ts";
import { look, noSources, withoutLink } from "./precedence.ts";
import { type PrecedencePolicy, quantityOf } from "./precedence/policy.ts";
import { linkOf, type ReportOut, type ReportState, saidOf, writes } from "./reports/cells.ts";
import { takeCorrection } from "./reports/correction.ts";
import { score, withWord } from "./reports/deterioration.ts";
import { isLaboratory, lookForKtv, takeSession } from "./reports/session.ts";
import { observedProblemAt } from "./scores/observed.ts";
import { lookAtWaiting, takeBackStrayed, takeWithheld } from "./reports/waiting.ts";
import { forgetOldReports, takeBackWrong } from "./reports/write.ts";

const version = 1;
const transform = `reports@${version}`;
/** The minutes of all metrics close at one tick; they are scored together, when all have come. */
const togetherMs = 5_000;
/** So often what waits for consent is looked at, where no record comes. */
const lookAgainMs = 300_000;
/** Longer than any word of a person stands. */
const saidKeptMs = 32 * 86_400_000;

const keepNewest = (state: ReportState, record: Consent | FhirConsent | AccessOverride): void => {
  const cell = `${record.kind}/${record.id}`;
  const known = state.get(cell);
  if (known === undefined || !("version" in known) || supersedes(known, record)) state.set(cell, record);
};

const appoint = (state: ReportState, at: number): void => {
  if (state.dueAt === null || state.dueAt > at) state.dueAt = logTime(at);
};

/** He is scored no more by what was measured under a link that never held, is in doubt or is another's. */
const forgetMeasured = (state: ReportState, id: string, now: LogTime, precedence: PrecedencePolicy | null): void => {
  for (const q of precedence?.quantities ?? []) {
    const cell = state.get(`sources/${q.name}`);
    if (cell?.kind === "sources" && cell.heard.some(({ association }) => association === id))
      state.set(`sources/${q.name}`, withoutLink(q, cell, id, now));
  }
};

/** A link that is another patient's by now is told to the former one too, under his own `key`; that a merge made it so stays known. */
const keepLink = (
  state: ReportState,
  key: string,
  next: Association,
  { precedence = null }: GatePolicy,
  now: LogTime,
  out: ReportOut,
): void => {
  const known = linkOf(state, next.id);
  if (known !== null && !isNewer(next, known)) return;
  forgetOldReports(state, now);
  state.set(`link/${next.id}`, known?.mergedFrom === key ? { ...next, mergedFrom: key } : next);
  if (next.voided || next.conflict !== null || next.patientKey !== key) forgetMeasured(state, next.id, now, precedence);
  takeBackWrong(state, transform, now, out);
};

const scoreSoon = (state: ReportState, now: LogTime): void => appoint(state, now + togetherMs);

/** A consent's period may begin without any record that says so. */
const waitOn = (state: ReportState, now: LogTime, policy: GatePolicy, out: ReportOut, isNews = false): void => {
  if (lookAtWaiting(state, policy, { transform, now, isNews }, out)) appoint(state, now + lookAgainMs);
};

const hear = (state: ReportState, value: WindowValue, now: LogTime, { precedence }: GatePolicy): void => {
  const q = precedence ? quantityOf(precedence, value.metric) : undefined;
  if (q === undefined) return;
  const { association, metric, device, channel, lastAt, mean, validity } = value;
  const cell = state.get(`sources/${q.name}`);
  const known = cell?.kind === "sources" ? cell : noSources(q);
  state.set(`sources/${q.name}`, look(q, known, { association, metric, device, channel, lastAt, mean, validity }, now));
  scoreSoon(state, now);
};

const listen = (state: ReportState, said: Observed, now: LogTime, policy: GatePolicy, out: ReportOut): void => {
  const problem = observedProblemAt(said, now);
  if (problem !== null) {
    out.quarantine(problem);
    return;
  }
  const all = withWord(saidOf(state), { ...said, at: Math.min(said.at, now) }, saidKeptMs);
  state.set("said", { kind: "said", all });
  const { scores } = policy;
  if (scores && isLaboratory(said)) lookForKtv(state, { scores, policy, transform, now, out });
  else scoreSoon(state, now);
};

/** Refuses `key-mismatch`, `observed-ahead` and what scores/observed.ts refuses. Without a score policy it only learns. */
export const reports = (policy: GatePolicy) =>
  stage("reports", {
    version,
    reads: events,
    writes,
    quarantine: "quarantine",
    step(state: ReportState, { key, body, logTime: now }, out: ReportOut) {
      if (body.kind === "tick" || body.kind === "rules" || body.kind === "candidate") return;
      if (body.patientKey !== key && body.kind !== "association")
        return out.quarantine({ reason: "key-mismatch", detail: `a ${body.kind} of ${body.patientKey} under ${key}` });
      switch (body.kind) {
        case "patient": {
          const known = state.get("patient");
          if (known?.kind !== "patient" || body.version >= known.version) state.set("patient", body);
          takeBackStrayed(state, policy, { transform, now }, out);
          return waitOn(state, now, policy, out, true);
        }
        case "consent":
        case "fhirConsent":
        case "accessOverride":
          keepNewest(state, body);
          return waitOn(state, now, policy, out, true);
        case "association":
          return keepLink(state, key, body, policy, now, out);
        case "withheld":
          takeWithheld(state, body, { now, again: now + lookAgainMs, pendingMs: policy.pendingMs });
          return appoint(state, now + lookAgainMs);
        case "corrected":
          return takeCorrection(state, body, { transform, now, out });
        case "windowValue":
          return hear(state, body, now, policy);
        case "observed":
          return listen(state, body, now, policy, out);
        case "dialysisSession":
          if (policy.scores) takeSession(state, body, { scores: policy.scores, policy, transform, now, out });
          return waitOn(state, now, policy, out);
      }
    },
    due(state: ReportState, now, key, out: ReportOut) {
      state.dueAt = null;
      const { scores, precedence } = policy;
      if (scores && precedence) score(state, key, { scores, precedence, policy, transform, now, out });
      waitOn(state, now, policy, out);
    },
  });
