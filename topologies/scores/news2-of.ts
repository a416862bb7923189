/**
 * A patient's NEWS2 at one moment, of what is known then: a total only with all seven parts inside their freshness, the SpO2 scale by
 * recorded order, at sixteen or more and not pregnant; else "partial, at least N, missing ..." (clinical.md 23). Pure.
 */
import { contentHash } from "../../streams/core/hash.ts";
import { eventTime } from "../../streams/core/time.ts";
import { utcDay } from "../../schemas/fhir/instant.ts";
import type { Observed } from "../../schemas/records/clinical.ts";
import type { Association } from "../../schemas/records/roster.ts";
import { type News2, type News2Part, news2PartNames } from "../../schemas/scores.ts";
import { mostSevere } from "../precedence.ts";
import type { CategoricalState } from "../precedence/policy.ts";
import {
  type Acvpu,
  consciousnessPoints,
  leastSpo2Points,
  type Oxygen,
  oxygenPoints,
  pulsePoints,
  respiratoryRatePoints,
  type Spo2Scale,
  spo2Points,
  systolicPressurePoints,
  temperaturePoints,
} from "./news2.ts";
import type { News2Policy } from "./policy.ts";

export type MeasuredPart = keyof News2Policy["quantities"];

/** What the chart shows of a part's quantity: the minute's mean, when its last sample was, and of which series. */
export interface PartValue {
  readonly value: number;
  readonly ucum: string;
  readonly at: number;
  readonly source: string;
}

export interface News2Of {
  readonly patientKey: string;
  /** The link under which the newest value was measured; null: none. */
  readonly link: Pick<Association, "id" | "revision" | "subject" | "ageBand"> | null;
  /** ISO date, to the day, the month or the year; null: not known. */
  readonly birthDate: string | null;
  readonly values: Partial<Readonly<Record<MeasuredPart, PartValue>>>;
  readonly observed: readonly Observed[];
  readonly policy: News2Policy;
  /** The precedence policy's order of A, C, V, P, U, and how long a word of it is fresh. */
  readonly consciousness: CategoricalState;
  /** Log time. */
  readonly at: number;
  readonly previous: number | null;
}

const points: Readonly<Record<Exclude<MeasuredPart, "spo2">, (value: number) => number>> = {
  respiratoryRate: respiratoryRatePoints,
  systolicPressure: systolicPressurePoints,
  pulse: pulsePoints,
  temperature: temperaturePoints,
};

const words: Readonly<Record<Acvpu, string>> = {
  A: "alert",
  C: "confusion",
  V: "voice",
  P: "pain",
  U: "unresponsive",
};

/** The newest word of those that stand; of two at one time the one that sorts first, so that no order of arrival decides. */
const newest = (of: News2Of, what: "oxygen" | "spo2Scale" | "pregnant", allowed: readonly string[]): Observed | null =>
  of.observed
    .filter((o) => o.what === what && allowed.includes(o.value) && o.at <= of.at)
    .filter((o) => of.at - o.at <= of.policy.freshForMs[what])
    .sort((a, b) => b.at - a.at || (a.value < b.value ? -1 : 1))[0] ?? null;

/** Of two people who looked at the same time, the more severe: each replaces only his own earlier word. */
const consciousnessOf = (of: News2Of): Observed | null => {
  const latest = new Map<string, Observed>();
  for (const o of of.observed) {
    const known = latest.get(o.by);
    if (o.what !== "consciousness" || o.at > of.at) continue;
    if (known === undefined || o.at > known.at || (o.at === known.at && rank(of, o) < rank(of, known)))
      latest.set(o.by, o);
  }
  return mostSevere(of.consciousness, [...latest.values()], of.at);
};
const rank = (of: News2Of, o: Observed): number => of.consciousness.severity.indexOf(o.value);

const saidPart = (part: "oxygen" | "consciousness", o: Observed, said: string, score: number): News2Part => ({
  part,
  value: null,
  ucum: null,
  said,
  score,
  at: eventTime(o.at),
  source: o.by,
});

const measuredPart = (part: MeasuredPart, value: PartValue, score: number): News2Part => ({
  part,
  value: value.value,
  ucum: value.ucum,
  said: null,
  score,
  at: eventTime(value.at),
  source: value.source,
});

const fresh = (of: News2Of, part: MeasuredPart): PartValue | null => {
  const value = of.values[part];
  return value !== undefined && of.at - value.at <= of.policy.freshForMs[part] ? value : null;
};

/** Sixteen or more on the day, taking the latest day that a date without day or month can mean. */
const isSixteen = (birthDate: string, at: number): boolean => {
  const latest = birthDate.length === 4 ? `${birthDate}-12-31` : birthDate.length === 7 ? `${birthDate}-31` : birthDate;
  const year = String(Number(latest.slice(0, 4)) + 16).padStart(4, "0");
  return `${year}${latest.slice(4)}` <= utcDay(at);
};

const objectionsTo = (of: News2Of): readonly string[] => {
  const { birthDate, link } = of;
  const dated = birthDate !== null && /^\d{4}(-\d\d(-\d\d)?)?$/.test(birthDate);
  const age = dated
    ? isSixteen(birthDate, of.at)
      ? []
      : ["younger than 16"]
    : link?.ageBand === "adult"
      ? []
      : [link?.ageBand === null || link === null ? "age unknown" : "younger than 16, or age unknown"];
  const pregnant = newest(of, "pregnant", ["yes", "no"]);
  const pregnancy = pregnant === null ? ["pregnancy not recorded"] : pregnant.value === "yes" ? ["pregnant"] : [];
  return [...age, ...pregnancy];
};

export const news2Of = (of: News2Of): News2 => {
  const oxygen = newest(of, "oxygen", ["air", "oxygen"]);
  const consciousness = consciousnessOf(of);
  const order = newest(of, "spo2Scale", ["1", "2"]);
  const scale: Spo2Scale | null = order === null ? null : order.value === "1" ? "scale1" : "scale2";
  const gas = (oxygen?.value ?? null) as Oxygen | null;
  const spo2 = fresh(of, "spo2");
  // On scale 2 what a high saturation counts depends on the oxygen.
  const spo2Known = scale === "scale1" || (scale === "scale2" && gas !== null);
  const found: News2Part[] = [];
  for (const part of ["respiratoryRate", "systolicPressure", "pulse", "temperature"] as const) {
    const value = fresh(of, part);
    if (value !== null) found.push(measuredPart(part, value, points[part](value.value)));
  }
  if (spo2 !== null && scale !== null && spo2Known)
    found.push(measuredPart("spo2", spo2, spo2Points(spo2.value, scale, gas ?? "air")));
  if (oxygen !== null && gas !== null) found.push(saidPart("oxygen", oxygen, gas, oxygenPoints(gas)));
  if (consciousness !== null) {
    const state = consciousness.value as Acvpu;
    found.push(saidPart("consciousness", consciousness, words[state], consciousnessPoints(state)));
  }
  const parts = news2PartNames.flatMap((name) => found.find(({ part }) => part === name) ?? []);
  const missing = [
    ...news2PartNames.filter((name) => !parts.some(({ part }) => part === name)),
    ...(scale === null ? ["spo2Scale"] : []),
  ];
  const unsure = spo2 !== null && !spo2Known ? leastSpo2Points(spo2.value, scale, gas) : 0;
  const sum = parts.reduce((total, { score }) => total + score, unsure);
  const objections = objectionsTo(of);
  const at = parts.length === 0 ? of.at : Math.max(...parts.map((part) => part.at));
  return {
    kind: "news2",
    identity: contentHash("news2", of.patientKey, at).slice(0, 32),
    revision: 0,
    subject: of.link?.subject ?? "",
    patientKey: of.patientKey,
    association: of.link?.id ?? null,
    associationRevision: of.link?.revision ?? null,
    at: eventTime(at),
    spo2Scale: scale,
    parts,
    total: missing.length === 0 && objections.length === 0 ? sum : null,
    atLeast: sum,
    missing,
    objections,
    previous: of.previous,
  };
};

/** As people read it. */
export const news2InWords = ({ total, atLeast, missing, objections }: News2): string => {
  if (total !== null) return `NEWS2 ${total}`;
  const why = [...(missing.length > 0 ? [`missing ${missing.join(", ")}`] : []), ...objections].join("; ");
  return `partial, at least ${atLeast}, ${why}`;
};
