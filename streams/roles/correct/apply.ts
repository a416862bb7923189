/**
 * Carries out a reviewed plan: one intent for each row, in the next revision of what stands, past the gates that forgot it long ago; the gates
 * are told of it. Stopped in the middle it can be started again: what the outbox has already is not put there twice.
 */
import { retractionOf } from "../../../schemas/fhir/retraction.ts";
import type { Rule } from "../../../schemas/records/broadcast.ts";
import type { Candidate, Corrected, Intent } from "../../../schemas/records/clinical.ts";
import type { AccessOverride, Consent, FhirConsent } from "../../../schemas/records/consent.ts";
import type { Patient } from "../../../schemas/records/roster.ts";
import { events, outbox } from "../../../schemas/topics.ts";
import { supersedes } from "../../../topologies/gates/consented.ts";
import { type Chart, type GatePolicy, intentOf, judge } from "../../../topologies/gates/promotable.ts";
import { transform } from "../../../topologies/gates.ts";
import type { LogTime } from "../../core/time.ts";
import type { Ledger } from "../why/ledger.ts";
import type { Plan, PlanRow } from "./plan-shape.ts";

export interface ApplyParts {
  readonly ledger: Ledger;
  readonly policy: GatePolicy;
  /** The ward's time. */
  readonly now: () => LogTime;
  /** First what the gates are to know, then what is to be written: both durable when it resolves. */
  append(corrected: Corrected, intent: Intent): Promise<void>;
}

export interface Outcome {
  readonly row: PlanRow;
  /** `done` before: an earlier run did it. */
  readonly outcome: "sent" | "done" | "leftOut" | "refused";
  readonly detail: string;
}

/** Row by row; `by`: the named person who carries it out. */
export async function* applyPlan(plan: Plan, by: string, parts: ApplyParts): AsyncGenerator<Outcome> {
  for (const row of plan.rows) {
    if (row.leftOut !== null) {
      yield { row, outcome: "leftOut", detail: row.leftOut };
      continue;
    }
    const known = await knownOf(row, plan.destination, parts.ledger);
    if (known.newest === undefined) yield { row, outcome: "refused", detail: "the outbox does not hold it any more" };
    else if (known.newest.revision > row.revision)
      yield { row, outcome: "done", detail: `revision ${known.newest.revision} is in the outbox` };
    else yield await correct(plan, row, by, known.newest, known, parts);
  }
}

interface Known {
  readonly newest: Intent | undefined;
  readonly candidate: Candidate | undefined;
  readonly chart: Chart;
}

/** The patient's part of the clinical plane, as the log has it now. */
const knownOf = async (row: PlanRow, destination: string, ledger: Ledger): Promise<Known> => {
  const intents = (await ledger.ofKey(outbox, row.patientKey)).flatMap(({ body }) =>
    body.kind === "intent" && body.destination === destination && body.resourceId === row.resourceId ? [body] : [],
  );
  let candidate: Candidate | undefined;
  let patient: Patient | undefined;
  const evidence = new Map<string, Consent | FhirConsent | AccessOverride>();
  for (const { body } of await ledger.ofKey(events, row.patientKey)) {
    if (body.kind === "candidate" && body.episode.identity === row.identity) candidate = body;
    if (body.kind === "patient" && (patient === undefined || body.version >= patient.version)) patient = body;
    if (body.kind !== "consent" && body.kind !== "fhirConsent" && body.kind !== "accessOverride") continue;
    const known = evidence.get(`${body.kind}/${body.id}`);
    if (known === undefined || supersedes(known, body)) evidence.set(`${body.kind}/${body.id}`, body);
  }
  const all = [...evidence.values()];
  return {
    newest: intents.toSorted((a, b) => a.revision - b.revision).at(-1),
    candidate,
    chart: {
      patient,
      consents: all.filter((one) => one.kind !== "accessOverride"),
      overrides: all.filter((one) => one.kind === "accessOverride"),
    },
  };
};

const correct = async (
  plan: Plan,
  row: PlanRow,
  by: string,
  newest: Intent,
  known: Known,
  parts: ApplyParts,
): Promise<Outcome> => {
  const made =
    plan.how === "retract"
      ? retracted(plan, newest, known.candidate, parts.now())
      : amended(plan, newest, known, parts);
  if (typeof made === "string") return { row, outcome: "refused", detail: made };
  const intent = { ...made, resentBy: by };
  await parts.append(correctedOf(plan, intent, by), intent);
  return { row, outcome: "sent", detail: `revision ${intent.revision}` };
};

const correctedOf = ({ how, because }: Plan, intent: Intent, by: string): Corrected => ({
  kind: "corrected",
  identity: intent.identity,
  revision: intent.revision,
  patientKey: intent.patientKey,
  destination: intent.destination,
  action: how,
  by,
  reason: because,
});

/** Its making stays told by its tags and its earlier Provenance; who took it back and why, by the new one. */
const retracted = (plan: Plan, newest: Intent, candidate: Candidate | undefined, at: LogTime): Intent => {
  const revision = newest.revision + 1;
  const rule: Rule | null = candidate?.episode.rule ?? null;
  const taken = retractionOf(newest, {
    revision,
    reason: `Entered in error: ${plan.because}`,
    rule,
    inputs: candidate === undefined ? [] : [candidate.episode.qualifyingIdentity],
    association: candidate?.association ?? null,
    transform,
    purpose: null,
    at,
  });
  return {
    ...newest,
    revision,
    action: "retract",
    resource: JSON.stringify(taken.resource),
    beside: taken.beside.map((one) => JSON.stringify(one)),
    audit: JSON.stringify(taken.audit),
    at,
  };
};

/** As today's transform tells it, if today's gates let it through; else why not. */
const amended = (plan: Plan, newest: Intent, { candidate, chart }: Known, parts: ApplyParts): Intent | string => {
  const destination = parts.policy.destinations.find(({ name }) => name === plan.destination);
  if (candidate === undefined || destination === undefined)
    return "not made of one episode, or offered before what the log holds: retract it instead";
  const { answers, promotable } = judge(
    {
      candidate,
      destination,
      revision: newest.revision + 1,
      status: "amended",
      transform,
      note: `Amended: ${plan.because}`,
      stands: true,
      preferred: null,
      at: parts.now(),
    },
    chart,
    parts.policy,
  );
  if (promotable !== null) return intentOf(promotable);
  const refusals = answers.filter(({ passed }) => !passed).map(({ reason }) => reason);
  return `today's gates refuse it (${refusals.join(", ")}): retract it instead`;
};
