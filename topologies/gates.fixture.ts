/** A patient before the gates, for tests: what is told of him at 14:00, what comes after, and what was decided, written and asked of people. */
import {
  aCandidate,
  aConsent,
  anEpisode,
  aPatient,
  aRule,
  ended,
  minutes,
  two,
} from "../schemas/fhir/clinical.fixture.ts";
import type { Candidate, Decision, Intent, Task, WindowValue } from "../schemas/records/clinical.ts";
import type { Consent, FhirConsent, Withheld } from "../schemas/records/consent.ts";
import type { Patient } from "../schemas/records/roster.ts";
import type { Episode } from "../schemas/records/telemetry.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { gates, type GatePolicy } from "./gates.ts";

/** One destination, for which an episode's end is final, and no demo's approvals. */
export const policyOf = (destination: Partial<GatePolicy["destinations"][number]> = {}): GatePolicy => ({
  destinations: [{ name: "ehr", finalAtEnd: true, ...destination }],
  acceptDemoApprovals: false,
  clockUncertaintyMs: 2_000,
});

export interface Ward {
  /** `null`: nobody knows him. */
  readonly patient?: Patient | null;
  readonly consents?: readonly (Consent | FhirConsent)[];
  readonly policy?: GatePolicy;
}

/** The gates, told of the patient and his consents at 14:00. What they hear then comes from 14:05:11 on, in steps. */
export const ward = ({ patient = aPatient(), consents = [aConsent()], policy = policyOf() }: Ward = {}) => {
  const driver = drive(gates(policy));
  const key = patient?.patientKey ?? aPatient().patientKey;
  let at = two + minutes(5) + 10_000;
  if (patient !== null) driver.send(key, two, patient);
  for (const consent of consents) driver.send(key, two, consent);
  return {
    driver,
    /** So long after what was heard before. */
    hears(body: Candidate | Consent | Patient | Withheld, afterMs = 1_000): void {
      at += afterMs;
      driver.send(body.kind === "candidate" ? body.patientKey : key, at, body);
    },
    intents: (): Intent[] => driver.outputs("outbox").flatMap(({ body }) => (body.kind === "intent" ? [body] : [])),
    decisions: (): Decision[] =>
      driver.outputs("decisions").flatMap(({ body }) => (body.kind === "decision" ? [body] : [])),
    tasks: (): Task[] => driver.outputs("tasks").flatMap(({ body }) => (body.kind === "task" ? [body] : [])),
  };
};
export type Gates = ReturnType<typeof ward>["driver"];

/** What a gate answered, and why. */
export const answerOf = (decision: Decision | undefined, gate: string) =>
  decision?.answers.find((answer) => answer.gate === gate);
/** Each gate's reason. */
export const reasonsOf = ({ answers }: Decision): Record<string, string> =>
  Object.fromEntries(answers.map(({ gate, reason }) => [gate, reason]));

/** The Observation of an intent, as far as tests look at it. */
export const resourceOf = (intent: { readonly resource: string } | undefined) =>
  JSON.parse(intent?.resource ?? "null") as {
    id: string;
    status: string;
    subject: { reference: string };
    valueQuantity: { value: number };
    component: object[];
    note?: { text: string }[];
  } | null;

/** Another episode, `n` minutes after the usual one, of a rule whose third on a day is folded. */
export const foldable = (n: number, change: Partial<Episode> = {}): Episode => {
  const start = two + minutes(5 + n);
  return anEpisode({
    identity: `${n}`.padStart(32, "0"),
    start: eventTime(start),
    qualifyingAt: eventTime(start + 10_000),
    rule: aRule({ ceilingPerDay: 2 }),
    ...change,
  });
};
/** The usual candidate with this episode for its own. */
export const candidateOf = (episode: Episode): Candidate => ({ ...aCandidate(), episode });
/** The usual candidate at its episode's end. */
export const over = (): Candidate => candidateOf(ended(anEpisode()));

/** What a window of a minute from `at` on says of the usual patient, steady at `mean`. */
export const minuteValue = (
  of: Pick<WindowValue, "metric" | "ucum" | "channel" | "source">,
  at: number,
  mean: number,
): WindowValue => ({
  kind: "windowValue",
  patientKey: "pk-7",
  association: "link-7",
  associationRevision: 1,
  device: "mon-07",
  start: eventTime(at),
  revision: 0,
  mean,
  last: mean,
  lastAt: eventTime(at + 59_000),
  validity: "valid",
  ...of,
});

/** A writer did not write that revision of the usual episode. */
export const withheld = (revision: number): Withheld => ({
  kind: "withheld",
  identity: anEpisode().identity,
  revision,
  patientKey: "pk-7",
  destination: "ehr",
  reason: "consent-stale",
});
