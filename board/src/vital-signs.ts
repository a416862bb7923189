/** How vitals are shown: their short names, decimals and the colours that monitors use by convention (ECG green, SpO2 cyan, pressure red, respiration yellow). */
import type { VitalView } from "../../schemas/board.ts";

export type Hue = "ecg" | "spo2" | "resp" | "art" | "nibp" | "temp" | "other";

export interface Sign {
  readonly label: string;
  readonly hue: Hue;
  readonly decimals: number;
}

const signs: Record<string, Sign> = {
  heartRate: { label: "HR", hue: "ecg", decimals: 0 },
  pulseRate: { label: "Pulse", hue: "spo2", decimals: 0 },
  spo2: { label: "SpO₂", hue: "spo2", decimals: 0 },
  respiratoryRate: { label: "RR", hue: "resp", decimals: 0 },
  temperature: { label: "Temp", hue: "temp", decimals: 1 },
  nibpSystolic: { label: "NIBP sys", hue: "nibp", decimals: 0 },
  nibpDiastolic: { label: "NIBP dia", hue: "nibp", decimals: 0 },
  nibpMean: { label: "NIBP mean", hue: "nibp", decimals: 0 },
  artSystolic: { label: "ABP sys", hue: "art", decimals: 0 },
  artDiastolic: { label: "ABP dia", hue: "art", decimals: 0 },
  artMean: { label: "ABP mean", hue: "art", decimals: 0 },
  glucoseInterstitial: { label: "Glucose", hue: "other", decimals: 0 },
  ecgII: { label: "ECG II", hue: "ecg", decimals: 2 },
  pleth: { label: "Pleth", hue: "spo2", decimals: 2 },
  artWave: { label: "ABP", hue: "art", decimals: 0 },
};

export const signOf = (metric: string, display = metric): Sign =>
  signs[metric] ?? { label: display, hue: "other", decimals: 1 };

/** A line of the chart panel: metrics that share an axis. `soft` is the scale shown at least, in the metrics' unit. */
export interface Panel {
  readonly id: string;
  readonly label: string;
  readonly metrics: readonly string[];
  readonly soft: readonly [number, number];
  readonly unit: string;
}

export const panels: readonly Panel[] = [
  { id: "rate", label: "HR", metrics: ["heartRate", "pulseRate"], soft: [40, 140], unit: "/min" },
  { id: "spo2", label: "SpO₂", metrics: ["spo2"], soft: [80, 100], unit: "%" },
  { id: "resp", label: "RR", metrics: ["respiratoryRate"], soft: [0, 40], unit: "/min" },
  {
    id: "pressure",
    label: "BP",
    metrics: ["artSystolic", "artDiastolic", "artMean", "nibpSystolic", "nibpDiastolic", "nibpMean"],
    soft: [40, 180],
    unit: "mmHg",
  },
  { id: "temp", label: "Temp", metrics: ["temperature"], soft: [35, 40], unit: "°C" },
];

/** Arterial pressure where there is a line, else the cuff's. */
export const pressureOf = (vitals: ReadonlyMap<string, VitalView>): "art" | "nibp" =>
  vitals.has("artSystolic") ? "art" : "nibp";

const withoutValue: Record<string, string> = {
  sensorOff: "off",
  invalid: "inv",
  empty: "––",
  test: "test",
  demo: "demo",
};

/** A lead that is off may still send a zero, and a test a number: neither is a value. */
export const isVoid = (vital: VitalView): boolean => vital.value === null || vital.validity in withoutValue;

/** The number, or the word for why there is none; a questionable or unexplained one carries a question mark. */
export const shown = (vital: VitalView | undefined): string => {
  if (vital === undefined) return "––";
  if (vital.value === null || isVoid(vital)) return withoutValue[vital.validity] ?? "––";
  const number = vital.value.toFixed(signOf(vital.metric).decimals);
  return vital.validity === "questionable" || vital.validity === "indeterminate" ? `${number}?` : number;
};

export const isStale = (vital: VitalView, wardNow: number): boolean => wardNow - vital.at > vital.staleAfterMs;
