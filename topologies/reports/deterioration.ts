/**
 * A patient's NEWS2 as it goes: each change of what is known is recorded, partial ones too; a rise to what the policy calls a deterioration
 * is reported, once a rise, and a further rise to high risk once more (clinical.md 22, 23).
 */
import { eventTime, type LogTime } from "../../streams/core/time.ts";
import { utcDay } from "../../schemas/fhir/instant.ts";
import type { Observed } from "../../schemas/records/clinical.ts";
import { usualClockUncertaintyMs } from "../../schemas/records/roster.ts";
import type { News2 } from "../../schemas/scores.ts";
import type { Attributed } from "../gates/attribution.ts";
import type { GatePolicy } from "../gates/promotable.ts";
import { charted } from "../precedence.ts";
import type { Heard } from "../precedence/heard.ts";
import { type PrecedencePolicy, type Quantity, seriesName } from "../precedence/policy.ts";
import { type MeasuredPart, news2InWords, news2Of, type PartValue } from "../scores/news2-of.ts";
import type { News2Policy, ScorePolicy } from "../scores/policy.ts";
import { type Course, linkOf, patientOf, type ReportOut, type ReportState, saidOf } from "./cells.ts";
import type { ReportRule } from "./judge.ts";
import { tellReport } from "./waiting.ts";

/** High risk begins here, by the College. */
const highRiskFrom = 7;

interface Found extends PartValue {
  readonly heard: Heard;
}

const foundIn = (state: ReportState, q: Quantity, now: LogTime): Found | null => {
  const cell = state.get(`sources/${q.name}`);
  if (cell?.kind !== "sources") return null;
  const { value, lastAt, from } = charted(q, cell, now);
  const heard = cell.heard.find((one) => from.includes(seriesName(one)));
  if (value === null || lastAt === null || heard === undefined) return null;
  return { value: Math.round(value * 10) / 10, ucum: q.ucum, at: lastAt, source: from.join(" "), heard };
};

/** Of each part the first of its quantities that is fresh. */
const valuesOf = (
  state: ReportState,
  { quantities, freshForMs }: News2Policy,
  precedence: PrecedencePolicy,
  now: LogTime,
) => {
  const found: Partial<Record<MeasuredPart, Found>> = {};
  for (const part of Object.keys(quantities) as MeasuredPart[]) {
    const all = quantities[part].flatMap((name) => {
      const q = precedence.quantities.find((one) => one.name === name);
      return (q && foundIn(state, q, now)) ?? [];
    });
    const value = all.find(({ at }) => now - at <= freshForMs[part]);
    if (value !== undefined) found[part] = value;
  }
  return found;
};

const partOf = (state: ReportState, patientKey: string, { heard, at }: Found): Attributed => {
  const link = linkOf(state, heard.association);
  return {
    patientKey,
    association: link,
    alongside: [],
    correction: null,
    episode: {
      device: heard.device,
      subject: link?.subject ?? "",
      association: heard.association,
      start: eventTime(at),
      qualifyingAt: eventTime(at),
      end: eventTime(at),
      clockUncertaintyMs: usualClockUncertaintyMs,
    },
  };
};

const untouched: Course = {
  kind: "course",
  words: "",
  total: null,
  reported: null,
  belowSince: null,
  day: "",
  ofDay: 0,
};

const courseOf = (state: ReportState): Course => {
  const cell = state.get("course");
  return cell?.kind === "course" ? cell : untouched;
};

/** Since when he has been below what is reported; a partial score shows neither. */
const belowSince = (course: Course, { total }: News2, { reportFrom }: News2Policy, now: LogTime): number | null =>
  total === null ? course.belowSince : total >= reportFrom ? null : (course.belowSince ?? now);

const rises = (reported: number | null, total: number, reportFrom: number): boolean =>
  total >= reportFrom && (reported === null || (reported < highRiskFrom && total >= highRiskFrom));

export interface Scoring {
  readonly scores: ScorePolicy;
  readonly precedence: PrecedencePolicy;
  readonly policy: GatePolicy;
  readonly transform: string;
  readonly now: LogTime;
  readonly out: ReportOut;
}

const scoreOf = (
  state: ReportState,
  patientKey: string,
  found: Partial<Record<MeasuredPart, Found>>,
  s: Scoring,
): News2 | null => {
  const newest = Object.values(found).sort((a, b) => b.at - a.at || (a.source < b.source ? -1 : 1))[0];
  const consciousness = s.precedence.states.find(({ what }) => what === "consciousness");
  if (consciousness === undefined) return null;
  return news2Of({
    patientKey,
    link: newest === undefined ? null : linkOf(state, newest.heard.association),
    birthDate: patientOf(state)?.birthDate ?? null,
    values: found,
    observed: saidOf(state),
    policy: s.scores.news2,
    consciousness,
    at: s.now,
    previous: courseOf(state).total,
  });
};

/** Scores what is known now. */
export const score = (state: ReportState, patientKey: string, s: Scoring): void => {
  const { news2: policy, version } = s.scores;
  const found = valuesOf(state, policy, s.precedence, s.now);
  if (Object.keys(found).length === 0) return;
  const facts = scoreOf(state, patientKey, found, s);
  if (facts === null) return;
  const words = news2InWords(facts);
  const known = courseOf(state);
  if (words !== known.words) s.out.emit("decisions", patientKey, facts);
  const below = belowSince(known, facts, policy, s.now);
  const isCalm = below !== null && s.now - below >= policy.calmMs;
  const day = utcDay(facts.at);
  const ofDay = known.day === day ? known.ofDay : 0;
  const reported = isCalm ? null : known.reported;
  const course: Course = {
    ...known,
    words,
    total: facts.total ?? known.total,
    belowSince: below,
    reported,
    day,
    ofDay,
  };
  if (facts.total === null || !rises(reported, facts.total, policy.reportFrom)) {
    state.set("course", course);
    return;
  }
  const tooMany = `the ceiling of ${policy.ceilingPerDay} a day is reached on ${day} (UTC)`;
  const rule: ReportRule = { id: "report-news2", version, approval: policy.approval };
  const parts = Object.values(found).map((one) => partOf(state, patientKey, one));
  const inputs = facts.parts.map(({ source, at }) => `${source}@${at}`);
  const ceiling = ofDay >= policy.ceilingPerDay ? tooMany : null;
  const written = tellReport(state, { ...s, facts, rule, parts, inputs, ceiling }, s.policy, s.out);
  state.set("course", { ...course, reported: facts.total, ofDay: ofDay + (written ? 1 : 0) });
};

/** The newest word of each who says it, of each thing; what is said of the future is not kept. */
export const withWord = (all: readonly Observed[], next: Observed, keptMs: number): readonly Observed[] => {
  const others = all.filter((o) => o.at + keptMs > next.at);
  const same = others.find((o) => o.what === next.what && o.by === next.by && o.at === next.at);
  const rest = others.filter((o) => o !== same);
  return [...rest, next]
    .sort((a, b) => a.at - b.at || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    .slice(-saidMost);
};
const saidMost = 200;
