/**
 * A deterioration as a DiagnosticReport with its NEWS2 (clinical.md 23): only with all seven parts and the scale that was ordered. A partial
 * one is refused, for under this code everybody would take it for the whole. Codes: SNOMED CT, UK edition, as the NHS publishes them.
 */
import type { CodeableConcept, Observation, ObservationComponent } from "@medplum/fhirtypes";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { News2, News2Part } from "../scores.ts";
import { concept, quantity, rounded } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { findingOf, reportOf, type ReportOf, type When, type WrittenReport } from "./report.ts";
import { systems } from "./systems.ts";

type Part = News2Part["part"];

interface Coded {
  readonly words: string;
  /** Of the part's score. */
  readonly score: string;
  /** Of what was measured or said. */
  readonly finding: CodeableConcept;
}

const loinc = (code: string, words: string): CodeableConcept => concept(systems.loinc, code, words);

const parts: Readonly<Record<Part, Coded>> = {
  respiratoryRate: {
    words: "respiratory rate",
    score: "1104301000000104",
    finding: loinc("9279-1", "Respiratory rate"),
  },
  spo2: { words: "SpO2", score: "1104311000000102", finding: loinc("59408-5", "SpO2") },
  oxygen: {
    words: "air or oxygen",
    score: "1104331000000105",
    finding: concept(systems.component, "air-or-oxygen", "Air or oxygen"),
  },
  systolicPressure: {
    words: "systolic pressure",
    score: "1104341000000101",
    finding: loinc("8480-6", "Systolic pressure"),
  },
  pulse: { words: "pulse", score: "1104351000000103", finding: loinc("8867-4", "Pulse") },
  consciousness: {
    words: "consciousness",
    score: "1104361000000100",
    finding: concept(systems.snomed, "1104441000000107", "ACVPU"),
  },
  temperature: { words: "temperature", score: "1104371000000107", finding: loinc("8310-5", "Temperature") },
};
const partNames = Object.keys(parts) as readonly Part[];
/** The SpO2 part's score by scale 2, for hypercapnic respiratory failure. */
const spo2ByScale2 = "1104321000000108";
const totalScore = concept(systems.snomed, "1104051000000101", "NEWS2 (National Early Warning Score 2) total score");

const saidOf = ({ value, ucum, said }: News2Part): string =>
  value === null ? (said ?? "not said") : `${rounded(value)} ${ucum ?? ""}`.trim();

const components = ({ spo2Scale }: News2, part: News2Part): ObservationComponent[] => {
  const { words, score, finding } = parts[part.part];
  const code = part.part === "spo2" && spo2Scale === "scale2" ? spo2ByScale2 : score;
  const source = `${finding.text}, of ${part.source} at ${utcInstant(part.at)}`;
  return [
    { code: concept(systems.snomed, code, `NEWS2 ${words} score`), valueInteger: part.score },
    {
      code: { ...finding, text: source },
      ...(part.value !== null && part.ucum !== null
        ? { valueQuantity: quantity(rounded(part.value), part.ucum) }
        : { valueString: saidOf(part) }),
    },
  ];
};

/** In the order of the chart. */
const inOrder = (found: readonly News2Part[]): News2Part[] =>
  partNames.flatMap((name) => found.filter(({ part }) => part === name));

/** Why it may not be called NEWS2; undefined: it may. */
const partiality = ({ parts: found, missing, objections, atLeast, total, spo2Scale }: News2): string | undefined => {
  const absent = partNames.filter((name) => !found.some(({ part }) => part === name));
  const whole = total !== null && absent.length === 0 && found.length === partNames.length && spo2Scale !== null;
  if (whole && missing.length === 0 && objections.length === 0) return undefined;
  const without = [...new Set([...absent, ...missing, ...(spo2Scale === null ? ["spo2Scale"] : [])])];
  const lacking = without.length > 0 ? `, missing ${without.join(", ")}` : "";
  return [`partial, at least ${atLeast}${lacking}`, ...objections].join("; ");
};

const conclusionOf = (facts: News2, total: number): string => {
  const before = facts.previous === null ? "" : ` (before it ${facts.previous})`;
  const each = inOrder(facts.parts).map((part) => `${parts[part.part].words} ${saidOf(part)}: ${part.score}`);
  return `NEWS2 ${total}${before}, SpO2 by ${facts.spo2Scale === "scale2" ? "scale 2" : "scale 1"}; ${each.join(", ")}`;
};

/** Refuses `news2-partial`, with what is missing; `contradiction` where the parts do not add up to the total. */
export const news2ReportOf = (of: ReportOf<News2>): Result<WrittenReport> => {
  const { facts } = of;
  const partial = partiality(facts);
  if (partial !== undefined || facts.total === null) return refuse("news2-partial", partial ?? "no total");
  const sum = facts.parts.reduce((all, { score }) => all + score, 0);
  if (sum !== facts.total) return refuse("contradiction", `the parts add up to ${sum}, not ${facts.total}`);
  const when: When = { effectiveDateTime: utcInstant(facts.at) };
  const score: Observation = {
    ...findingOf(of, "news2", totalScore, "survey", when),
    valueInteger: facts.total,
    component: inOrder(facts.parts).flatMap((part) => components(facts, part)),
  };
  const code = concept(systems.report, "deterioration", "Deterioration by NEWS2");
  return ok(reportOf(of, code, when, [score], conclusionOf(facts, facts.total)));
};
