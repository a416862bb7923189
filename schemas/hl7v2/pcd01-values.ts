/**
 * What of an intent's FHIR resources an ORU^R01 tells: the clinical values with their times, each with its place in the device's containment.
 * Statistics stay in FHIR: an OBX of a greatest value would be charted as one that was measured at its time (clinical.md 21).
 */
import type {
  CodeableConcept,
  DiagnosticReport,
  Observation,
  ObservationComponent,
  Resource,
} from "@medplum/fhirtypes";
import { systems } from "../fhir/systems.ts";
import type { Intent } from "../records/clinical.ts";
import { parseInstant } from "../decoding/instant.ts";

export interface OruValue {
  readonly code: CodeableConcept;
  /** Null: a heading of what follows, a value in words, or one that is absent. */
  readonly number: number | null;
  /** A value in words (alert, on oxygen). */
  readonly text: string | null;
  readonly ucum: string | null;
  /** OBX-4: MDS.VMD.channel.metric (IHE PCD TF-2 appendix B.8.4). */
  readonly containment: string;
  /** OBX-8: abnormality, and what the measurement is worth. */
  readonly flags: readonly string[];
  /** FHIR's. */
  readonly status: string;
  /** The time of the sample (ms). */
  readonly atMs: number;
  /** Our own name for the device; null: none is named. */
  readonly device: string | null;
}

export interface OruOrder {
  /** Null: monitoring, of no order in particular. */
  readonly code: CodeableConcept | null;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly notes: readonly string[];
}

const instantMs = (text: string | undefined): number | null => {
  const read = text === undefined ? undefined : parseInstant(text, "time");
  return read?.ok === true ? read.value : null;
};

const parsed = (json: string): Resource => JSON.parse(json) as Resource;
const isObservation = (resource: Resource): resource is Observation => resource.resourceType === "Observation";

/** Observation itself, or those that a report is made of. */
const observationsOf = (intent: Intent): Observation[] => {
  const main = parsed(intent.resource);
  return isObservation(main) ? [main] : intent.beside.map(parsed).filter(isObservation);
};

export const valuesOf = (intent: Intent): readonly OruValue[] =>
  observationsOf(intent).flatMap((one, n) => channelOf(one, n + 1));

/** A value and its parts, or a heading with them, as the recorded samples have a blood pressure. */
const channelOf = (observation: Observation, channel: number): OruValue[] => {
  const atMs = timeOf(observation);
  if (atMs === null || !isCoded(observation.code)) return [];
  const common = { status: observation.status, atMs, device: observation.device?.identifier?.value ?? null };
  const place = `1.1.${channel}`;
  const parts = (observation.component ?? []).filter(isMeasured);
  const values = hasValue(observation) ? [observation, ...parts] : parts;
  const told = values.map((one, n) => ({
    ...common,
    ...whatOf(one, observation),
    containment: `${place}.${n + 1}`,
  }));
  if (told.length === 0 || hasValue(observation)) return told;
  const { code } = observation;
  return [{ ...common, code, number: null, text: null, ucum: null, flags: [], containment: place }, ...told];
};

const hasValue = (one: Observation | ObservationComponent): boolean =>
  numberOf(one) !== null || wordsOf(one) !== null || one.dataAbsentReason !== undefined;

/** Of those that a device measured, not of those that were reckoned over the episode. */
const isMeasured = (part: ObservationComponent): boolean => isCoded(part.code) && hasValue(part);

const clinicalSystems: ReadonlySet<string> = new Set([systems.mdc, systems.loinc, systems.snomed, systems.metric]);
const isCoded = ({ coding = [] }: CodeableConcept): boolean =>
  coding.some(({ system = "" }) => clinicalSystems.has(system));

const numberOf = ({ valueQuantity, valueInteger }: Observation | ObservationComponent): number | null =>
  valueQuantity?.value ?? valueInteger ?? null;

const wordsOf = ({ valueString, valueCodeableConcept }: Observation | ObservationComponent): string | null =>
  valueString ?? valueCodeableConcept?.text ?? null;

const whatOf = (one: Observation | ObservationComponent, whole: Observation) => ({
  code: one.code,
  number: numberOf(one),
  text: wordsOf(one),
  ucum: one.valueQuantity?.code ?? null,
  flags: [...abnormalityOf(one), ...worthOf(whole)],
});

/** HL7 table 0078, whose codes FHIR's interpretations are. */
const abnormalityOf = ({ interpretation = [] }: Observation | ObservationComponent): string[] =>
  interpretation
    .flatMap(({ coding = [] }) => coding)
    .flatMap(({ system, code }) => (system === systems.interpretation && code !== undefined ? [code] : []));

/** IHE PCD's values of OBX-8 for a measurement's status: what FHIR says by security labels (uv-pocd mapping from V2). */
const worthOf = ({ meta, dataAbsentReason }: Observation): string[] => {
  const labels = new Set((meta?.security ?? []).map(({ code }) => code));
  return [
    ...(labels.has("UNRELIABLE") || dataAbsentReason !== undefined ? ["INV"] : []),
    ...(labels.has("UNCERTREL") ? ["QUES"] : []),
    ...(labels.has("HTEST") ? ["TEST"] : []),
  ];
};

const timeOf = ({ effectiveDateTime, effectivePeriod, effectiveInstant }: Observation): number | null =>
  instantMs(effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start);

/** Null: it has no time, and what has none is not told. */
export const ordersOf = (intent: Intent): OruOrder | null => {
  const main = parsed(intent.resource);
  if (main.resourceType === "DiagnosticReport") return reportOrder(main);
  if (!isObservation(main)) return null;
  const atMs = timeOf(main);
  const episode = main.component?.find(({ code }) =>
    code.coding?.some((one) => one.code === "episode-period"),
  )?.valuePeriod;
  const fromMs = instantMs(episode?.start) ?? atMs;
  return fromMs === null ? null : { code: null, fromMs, toMs: instantMs(episode?.end), notes: notesOf(main) };
};

const reportOrder = (report: DiagnosticReport): OruOrder | null => {
  const fromMs = instantMs(report.effectivePeriod?.start ?? report.effectiveDateTime);
  const toMs = instantMs(report.effectivePeriod?.end);
  const notes = report.conclusion === undefined ? [] : [report.conclusion];
  return fromMs === null ? null : { code: report.code, fromMs, toMs, notes };
};

const notesOf = ({ note = [] }: Observation): string[] =>
  note.flatMap(({ text }) => (text === undefined ? [] : [text]));
