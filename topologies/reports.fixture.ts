/** A patient of the reports' stage for tests: his minutes, what people said of him, and what was written of it. */
import { aConsent, anAssociation, aPatient, minutes, two } from "../schemas/fhir/clinical.fixture.ts";
import type { Decision, Intent, Observed } from "../schemas/records/clinical.ts";
import type { Consent, FhirConsent } from "../schemas/records/consent.ts";
import type { DialysisSession, News2 } from "../schemas/scores.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import type { GatePolicy } from "./gates/promotable.ts";
import { minuteValue, policyOf } from "./gates.fixture.ts";
import { reports } from "./reports.ts";
import { shippedPrecedence, shippedScores } from "./shipped.fixture.ts";

export const approval = { by: "Dr. Ada Brandt", at: two - minutes(60 * 48), demo: false };
export const scores = {
  ...shippedScores,
  news2: { ...shippedScores.news2, approval },
  dialysis: { ...shippedScores.dialysis, approval },
};

export const policy: GatePolicy = {
  ...policyOf(),
  precedence: shippedPrecedence,
  scores,
};

export interface Ward {
  readonly policy?: GatePolicy;
  readonly consents?: readonly (Consent | FhirConsent)[];
  readonly link?: Parameters<typeof anAssociation>[0];
  readonly words?: readonly Observed[];
}

export const said = (what: Observed["what"], value: string, at = two, ucum: string | null = null): Observed => ({
  kind: "observed",
  patientKey: "pk-7",
  what,
  value,
  ucum,
  by: "nurse-4",
  at,
});
export const words = [
  said("oxygen", "air"),
  said("consciousness", "A"),
  said("spo2Scale", "1"),
  said("pregnant", "no"),
];

export const well = { respiratoryRate: 16, spo2: 97, nibpSystolic: 125, pulseRate: 72, temperature: 36.8 };
/** 3 + 2 + 0 + 2 + 2 + 0 + 1 */
export const ill = { respiratoryRate: 26, spo2: 92, nibpSystolic: 98, pulseRate: 118, temperature: 38.6 };
const ucum = { respiratoryRate: "/min", spo2: "%", nibpSystolic: "mm[Hg]", pulseRate: "/min", temperature: "Cel" };

export const ward = (of: Ward = {}) => {
  const driver = drive(reports(of.policy ?? policy));
  driver.send("pk-7", two, aPatient());
  for (const consent of of.consents ?? [aConsent()]) driver.send("pk-7", two, consent);
  driver.send("pk-7", two, anAssociation(of.link));
  for (const word of of.words ?? words) driver.send("pk-7", two, word);
  driver.tick(two);
  /** A minute of all five, from minute `m` after two on. */
  const lives = (m: number, values: typeof well): void => {
    const at = two + minutes(m);
    for (const metric of Object.keys(values) as (keyof typeof well)[])
      driver.send(
        "pk-7",
        at + 62_000,
        minuteValue({ metric, ucum: ucum[metric], channel: "main", source: "monitor" }, at, values[metric]),
      );
    driver.tick(at + 62_000);
    driver.tick(at + 68_000);
  };
  const all = () => driver.outputs("decisions").map(({ body }) => body);
  return {
    driver,
    lives,
    scored: (): News2[] => all().flatMap((body) => (body.kind === "news2" ? [body] : [])),
    decided: (): Decision[] => all().flatMap((body) => (body.kind === "decision" ? [body] : [])),
    intents: (): Intent[] => driver.outputs("outbox").flatMap(({ body }) => (body.kind === "intent" ? [body] : [])),
    tasks: () => driver.outputs("tasks").map(({ body }) => body),
  };
};
/** Of a machine on the same link, from 14:01 to 18:01. */
export const session: DialysisSession = {
  kind: "dialysisSession",
  identity: "5e55".repeat(8),
  revision: 0,
  subject: "subject-7",
  patientKey: "pk-7",
  association: "link-7",
  associationRevision: 1,
  device: "mon-07",
  start: eventTime(two + minutes(1)),
  end: eventTime(two + minutes(241)),
  ultrafiltrationVolume: {
    name: "ultrafiltrationVolume",
    value: 3000,
    ucum: "mL",
    at: eventTime(two + minutes(241)),
    source: "w",
  },
  statistics: [{ metric: "dialysisBloodFlow", ucum: "mL/min", min: 280, mean: 300, max: 310, count: 1440 }],
  ktv: null,
};
