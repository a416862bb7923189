/**
 * A dialysis session as a DiagnosticReport (clinical.md 23). Kt/V always names its method and where V comes from; spKt/V's code is only for
 * a formula over blood urea, never for a machine's online clearance, which has no code that we could verify and carries our own.
 */
import type { CodeableConcept, Observation, ObservationComponent } from "@medplum/fhirtypes";
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { DialysisSession, KtV, ReportedValue, SessionStatistics } from "../scores.ts";
import { isMetric, metricOf } from "../terminology.ts";
import { codeOf, concept, deviceOf, quantity, rounded, statisticsOf } from "./elements.ts";
import { utcInstant } from "./instant.ts";
import { findingOf, reportOf, type ReportOf, type When, type WrittenReport } from "./report.ts";
import { systems } from "./systems.ts";

type SessionReport = ReportOf<DialysisSession>;

/** LOINC: 70965-9 Kt/V.Hemodialysis [Daugirdas II], 70961-8 Kt/V.Hemodialysis. */
const ktvCodes: Readonly<Record<KtV["method"], CodeableConcept>> = {
  daugirdas2: concept(systems.loinc, "70965-9", "spKt/V, Daugirdas' second formula"),
  ureaKinetics: concept(systems.loinc, "70961-8", "Kt/V of haemodialysis, urea kinetic model"),
  onlineClearance: concept(
    systems.metric,
    "ktv-online-clearance",
    "Kt/V by the machine's online clearance, which is no spKt/V",
  ),
};

const ktvWords: Readonly<Record<KtV["method"], string>> = {
  daugirdas2: "Daugirdas' second formula over blood urea and weight before and after",
  ureaKinetics: "formal urea kinetic model",
  onlineClearance: "the machine's online clearance, measured by ionic dialysance",
};

/** Without them a formula over blood urea has nothing to compute from. */
const ureaInputs = ["ureaBefore", "ureaAfter"] as const;

const inputComponent = ({ name, value, ucum, at, source }: ReportedValue): ObservationComponent => ({
  code: concept(systems.component, name, `${name}, of ${source} at ${utcInstant(at)}`),
  valueQuantity: quantity(rounded(value), ucum),
});

const volumeWords = ({ sourceOfV }: KtV): string => sourceOfV ?? "none needed";

const ktvFinding = (of: SessionReport, ktv: KtV, when: When): Observation => ({
  ...findingOf(of, "ktv", ktvCodes[ktv.method], "procedure", when),
  valueQuantity: quantity(rounded(ktv.value), "1"),
  method: concept(systems.ktvMethod, ktv.method, ktvWords[ktv.method]),
  device: deviceOf(of.facts.device),
  component: [
    { code: concept(systems.component, "source-of-v", "Where V comes from"), valueString: volumeWords(ktv) },
    ...ktv.inputs.map(inputComponent),
  ],
});

const removedFinding = (of: SessionReport, { value, ucum }: ReportedValue, when: When): Observation => ({
  ...findingOf(of, "ultrafiltrationVolume", codeOf("ultrafiltrationVolume"), "procedure", when),
  valueQuantity: quantity(rounded(value), ucum),
  device: deviceOf(of.facts.device),
});

const statisticsFinding = (of: SessionReport, stats: SessionStatistics, when: When): Observation[] =>
  isMetric(stats.metric)
    ? [
        {
          ...findingOf(of, stats.metric, codeOf(stats.metric), "procedure", when),
          device: deviceOf(of.facts.device),
          component: statisticsOf(stats, stats.ucum),
        },
      ]
    : [];

/** What speaks against telling this Kt/V; undefined: nothing. */
const ktvProblem = (ktv: KtV): Result<never> | undefined => {
  if (ktv.method !== "daugirdas2" && (ktv.sourceOfV ?? "").trim() === "")
    return refuse("ktv-volume-unnamed", `Kt/V by ${ktv.method} does not say where V comes from`);
  const missing = ureaInputs.filter((name) => !ktv.inputs.some((input) => input.name === name));
  return ktv.method === "daugirdas2" && missing.length > 0
    ? refuse("ktv-urea-missing", `spKt/V without ${missing.join(" and ")}`)
    : undefined;
};

const conclusionOf = ({ start, end, ktv, ultrafiltrationVolume, statistics }: DialysisSession): string => {
  const flow = statistics.find(({ metric }) => metric === "dialysisBloodFlow");
  return [
    `Haemodialysis of ${Math.round((end - start) / 60_000)} min`,
    ...(ultrafiltrationVolume === null
      ? []
      : [`${rounded(ultrafiltrationVolume.value)} ${ultrafiltrationVolume.ucum} removed`]),
    ...(flow === undefined
      ? []
      : [`${metricOf("dialysisBloodFlow").display.toLowerCase()} ${rounded(flow.mean)} ${flow.ucum} on average`]),
    ktv === null
      ? "Kt/V not known"
      : `Kt/V ${rounded(ktv.value)} by ${ktvWords[ktv.method]}; source of V: ${volumeWords(ktv)}`,
  ].join(", ");
};

/** Refuses `contradiction`, `session-empty`, `ktv-volume-unnamed`, `ktv-urea-missing`. */
export const dialysisReportOf = (of: SessionReport): Result<WrittenReport> => {
  const { start, end, ktv, ultrafiltrationVolume, statistics } = of.facts;
  if (end <= start) return refuse("contradiction", "the session ends before it begins");
  const problem = ktv === null ? undefined : ktvProblem(ktv);
  if (problem !== undefined) return problem;
  const when: When = { effectivePeriod: { start: utcInstant(start), end: utcInstant(end) } };
  const findings = [
    ...(ktv === null ? [] : [ktvFinding(of, ktv, when)]),
    ...(ultrafiltrationVolume === null ? [] : [removedFinding(of, ultrafiltrationVolume, when)]),
    ...statistics.flatMap((stats) => statisticsFinding(of, stats, when)),
  ];
  if (findings.length === 0) return refuse("session-empty", "nothing was measured in it");
  const code = concept(systems.report, "dialysis-session", "Haemodialysis session");
  return ok(reportOf(of, code, when, findings, conclusionOf(of.facts)));
};
