/**
 * The gate `precedence`: of several sources of one quantity only the one that the chart shows is written (clinical.md 14). It hides
 * nothing from the alarms. Where nothing is known of other sources it passes, and what began on the chart is told to its end.
 */
import type { Out, State } from "../../streams/core/stage.ts";
import { type LogTime, logTime } from "../../streams/core/time.ts";
import { contentHash } from "../../streams/core/hash.ts";
import type { Candidate, GateAnswer, WindowValue } from "../../schemas/records/clinical.ts";
import type { Association } from "../../schemas/records/roster.ts";
import type { decisions, tasks } from "../../schemas/topics.ts";
import {
  beginning,
  charted,
  chartedAt,
  look,
  noSources,
  settled,
  type Settled,
  type Sources,
  withoutLink,
} from "../precedence.ts";
import type { Dispute } from "../precedence/disputes.ts";
import type { Said } from "../precedence/heard.ts";
import { classOf, type PrecedencePolicy, type Quantity, quantityOf, seriesName } from "../precedence/policy.ts";
import { answer, objection } from "./answer.ts";

type SourcesOut = Out<{ decisions: typeof decisions; tasks: typeof tasks }>;
/** What the gates' state has of it: one cell a quantity. */
type SourceState = Pick<State<Sources>, "set"> & { get(cell: string): { readonly kind: string } | undefined };

const cellOf = (q: Quantity): string => `sources/${q.name}`;

const known = (state: SourceState, q: Quantity): Sources => {
  const cell = state.get(cellOf(q));
  return cell?.kind === "sources" ? (cell as Sources) : noSources(q);
};

const tell = (
  { chosen, disputes }: Settled,
  q: Quantity,
  patientKey: string,
  at: number,
  policyVersion: number,
  out: SourcesOut,
): void => {
  if (chosen !== null) {
    const { source, since, reason, detail } = chosen.choice;
    out.emit("decisions", patientKey, {
      kind: "sourceChosen",
      patientKey,
      quantity: q.name,
      source,
      previous: chosen.previous,
      reason,
      detail,
      policyVersion,
      at: logTime(since),
    });
  }
  for (const dispute of disputes) out.emit("tasks", patientKey, taskOf(dispute, q, patientKey, at));
};

const taskOf = ({ between, detail, since }: Dispute, q: Quantity, patientKey: string, at: number) => ({
  kind: "task" as const,
  identity: contentHash("values-irreconcilable", patientKey, q.name, ...between, since).slice(0, 32),
  revision: 0,
  patientKey,
  audience: "records" as const,
  reason: "values-irreconcilable",
  detail,
  about: between,
  destination: null,
  visibleMs: null,
  at: logTime(at),
});

const hear = (
  state: SourceState,
  q: Quantity,
  said: Said,
  patientKey: string,
  now: LogTime,
  policy: PrecedencePolicy,
  out: SourcesOut,
): void => {
  const before = known(state, q);
  tell(settled(q, before, now), q, patientKey, now, policy.version, out);
  state.set(cellOf(q), look(q, before, said, now));
};

/** Takes a minute's value of one of the patient's devices. */
export const hearValue = (
  state: SourceState,
  value: WindowValue,
  now: LogTime,
  policy: PrecedencePolicy | null,
  out: SourcesOut,
): void => {
  const q = policy === null ? undefined : quantityOf(policy, value.metric);
  if (policy === null || q === undefined) return;
  const { association, metric, device, channel, lastAt, mean, validity } = value;
  hear(state, q, { association, metric, device, channel, lastAt, mean, validity }, value.patientKey, now, policy, out);
};

/** An episode is word of its source too, before the minute's value comes; but not one whose patient nobody confirmed. */
export const hearCandidate = (
  state: SourceState,
  { episode, association, patientKey, correction }: Candidate,
  now: LogTime,
  policy: PrecedencePolicy | null,
  out: SourcesOut,
): void => {
  const q = policy === null ? undefined : quantityOf(policy, episode.metric);
  if (policy === null || q === undefined || association === null || association.confirmedBy === null) return;
  if (association.voided || association.conflict !== null || correction !== null) return;
  const { metric, device, channel, qualifyingValidity } = episode;
  if (qualifyingValidity !== "valid" && qualifyingValidity !== "questionable") return;
  const lastAt = episode.end ?? episode.qualifyingAt;
  const said = { association: association.id, metric, device, channel, lastAt, mean: null };
  hear(state, q, { ...said, validity: qualifyingValidity }, patientKey, now, policy, out);
  state.set(cellOf(q), beginning(q, known(state, q), episode.identity, seriesName(episode), now));
};

/** What is charted of a patient comes from no link that never held, that is in doubt, or that is another's. */
export const forgetLink = (
  state: SourceState,
  patientKey: string,
  { id, patientKey: whose, voided, conflict }: Association,
  now: LogTime,
  policy: PrecedencePolicy | null,
  out: SourcesOut,
): void => {
  if (policy === null || (!voided && conflict === null && whose === patientKey)) return;
  for (const q of policy.quantities) {
    const before = known(state, q);
    if (!before.heard.some(({ association }) => association === id)) continue;
    tell(settled(q, before, now), q, patientKey, now, policy.version, out);
    state.set(cellOf(q), withoutLink(q, before, id, now));
  }
};

/**
 * The gate's answer; null where no policy is in force. `begun`: an earlier revision of this episode was written there.
 * Reason: `source-not-preferred`.
 */
export const preferredSource = (
  state: SourceState,
  { episode }: Candidate,
  begun: boolean,
  now: LogTime,
  policy: PrecedencePolicy | null,
): GateAnswer | null => {
  if (policy === null) return null;
  const q = quantityOf(policy, episode.metric);
  if (q === undefined) return answer("precedence", [], `no precedence is stated for ${episode.metric}`);
  const own = seriesName(episode);
  const sources = known(state, q);
  const { from, why } = charted(q, sources, now);
  const then = chartedAt(sources, episode.qualifyingAt);
  const named = `${q.name} (policy version ${policy.version})`;
  if (from.length === 0 || from.includes(own))
    return answer("precedence", [], `${named}: ${own} is what the chart shows`);
  if (begun || sources.begun.includes(episode.identity))
    return answer("precedence", [], `${named}: ${own} was what the chart showed when the episode began`);
  // What came late is judged by what the chart showed at its own time.
  if (q.choose !== "average" && (then === null || then === own)) {
    const detail = then === null ? "no other source was known" : `${own} was what the chart showed`;
    return answer("precedence", [], `${named}: at that time ${detail}`);
  }
  const detail = `${named}: the chart shows ${from.join(", ")}, not ${own} (${classOf(q, episode).name}): ${why}`;
  return answer("precedence", [objection("source-not-preferred", detail)], "");
};
