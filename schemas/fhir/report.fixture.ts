/** A dialysis session of four hours and a NEWS2 of 7, for tests of the reports. */
import { eventTime } from "../../streams/core/time.ts";
import type { DialysisSession, KtV, News2, News2Part, ReportedValue } from "../scores.ts";
import { aPatient, minutes, two } from "./clinical.fixture.ts";
import type { ReportOf } from "./report.ts";

const at = (minute: number) => eventTime(two + minutes(minute));

const stated = (name: string, value: number, ucum: string, minute: number, source: string): ReportedValue => ({
  name,
  value,
  ucum,
  at: at(minute),
  source,
});

export const onlineKtv: KtV = {
  value: 1.3219,
  method: "onlineClearance",
  sourceOfV: "Watson, entered at the machine",
  inputs: [],
};

export const daugirdasKtv: KtV = {
  value: 1.4376,
  method: "daugirdas2",
  sourceOfV: null,
  inputs: [
    stated("ureaBefore", 60, "mg/dL", -5, "laboratory"),
    stated("ureaAfter", 18, "mg/dL", 242, "laboratory"),
    stated("weightAfter", 70, "kg", 250, "nurse-4"),
  ],
};

export const aSession = (change: Partial<DialysisSession> = {}): DialysisSession => ({
  kind: "dialysisSession",
  identity: "77778888999900001111222233334444",
  revision: 0,
  subject: "subject-7",
  patientKey: "pk-7",
  association: "link-7",
  associationRevision: 1,
  device: "dia-02",
  start: at(0),
  end: at(240),
  ultrafiltrationVolume: stated("ultrafiltrationVolume", 2400, "mL", 240, "dia-02"),
  statistics: [{ metric: "dialysisBloodFlow", ucum: "mL/min", min: 280, mean: 301.25, max: 320, count: 1440 }],
  ktv: onlineKtv,
  ...change,
});

const measured = (part: News2Part["part"], value: number, ucum: string, score: number): News2Part => ({
  part,
  value,
  ucum,
  said: null,
  score,
  at: at(5),
  source: "mon-07",
});
const said = (part: News2Part["part"], words: string, score: number): News2Part => ({
  part,
  value: null,
  ucum: null,
  said: words,
  score,
  at: at(2),
  source: "nurse-4",
});

export const sevenParts: readonly News2Part[] = [
  measured("respiratoryRate", 22, "/min", 2),
  measured("spo2", 93, "%", 2),
  said("oxygen", "air", 0),
  measured("systolicPressure", 105, "mm[Hg]", 1),
  measured("pulse", 115, "/min", 2),
  said("consciousness", "alert", 0),
  measured("temperature", 37.2, "Cel", 0),
];

export const aNews2 = (change: Partial<News2> = {}): News2 => ({
  kind: "news2",
  identity: "aaaabbbbccccddddeeeeffff00001111",
  revision: 0,
  subject: "subject-7",
  patientKey: "pk-7",
  association: "link-7",
  associationRevision: 1,
  at: at(5),
  spo2Scale: "scale1",
  parts: sevenParts,
  total: 7,
  atLeast: 7,
  missing: [],
  objections: [],
  previous: 3,
  ...change,
});

export const reporting = <Facts>(facts: Facts): ReportOf<Facts> => ({
  facts,
  patient: aPatient(),
  status: "final",
  transform: "sessions@1",
  at: two + minutes(241),
});
