/**
 * The metrics we know: MDC (ISO/IEEE 11073-10101), LOINC and UCUM codes, and the range outside which a value is no value;
 * and the units in which devices may state them. Sources: docs/terminology.md.
 */
import { ok, refuse, type Result } from "../streams/core/failure.ts";

export interface Metric {
  readonly display: string;
  readonly mdc: number | null;
  readonly mdcRefId: string | null;
  readonly loinc: string | null;
  readonly ucum: string;
  /** FHIR observation-category. */
  readonly category: "vital-signs" | "laboratory" | "procedure" | null;
  /** A value outside is quarantined as implausible: [lowest, highest] in `ucum`. */
  readonly plausible: readonly [number, number];
  readonly waveform: boolean;
}

const vital = (
  display: string,
  mdc: number,
  mdcRefId: string,
  loinc: string,
  ucum: string,
  plausible: readonly [number, number],
): Metric => ({ display, mdc, mdcRefId, loinc, ucum, category: "vital-signs", plausible, waveform: false });

/** What a machine does, as opposed to what a body shows: no LOINC code that we could verify. */
const machine = (
  display: string,
  mdc: number | null,
  mdcRefId: string | null,
  ucum: string,
  plausible: readonly [number, number],
): Metric => ({ display, mdc, mdcRefId, loinc: null, ucum, category: null, plausible, waveform: false });

const wave = (display: string, mdc: number | null, mdcRefId: string | null, ucum: string): Metric => ({
  display,
  mdc,
  mdcRefId,
  loinc: null,
  ucum,
  category: null,
  plausible: [-32768, 32767],
  waveform: true,
});

export const metrics = {
  heartRate: vital("Heart rate (ECG)", 147842, "MDC_ECG_HEART_RATE", "8867-4", "/min", [0, 350]),
  pulseRate: vital("Pulse rate", 149530, "MDC_PULS_OXIM_PULS_RATE", "8889-8", "/min", [0, 350]),
  spo2: vital("SpO2", 150456, "MDC_PULS_OXIM_SAT_O2", "59408-5", "%", [0, 100]),
  respiratoryRate: vital("Respiratory rate", 151562, "MDC_RESP_RATE", "9279-1", "/min", [0, 150]),
  temperature: vital("Temperature", 150344, "MDC_TEMP", "8310-5", "Cel", [20, 46]),
  nibpSystolic: vital("NIBP systolic", 150021, "MDC_PRESS_BLD_NONINV_SYS", "8480-6", "mm[Hg]", [0, 300]),
  nibpDiastolic: vital("NIBP diastolic", 150022, "MDC_PRESS_BLD_NONINV_DIA", "8462-4", "mm[Hg]", [0, 300]),
  nibpMean: vital("NIBP mean", 150023, "MDC_PRESS_BLD_NONINV_MEAN", "8478-0", "mm[Hg]", [0, 300]),
  artSystolic: vital("Arterial systolic", 150037, "MDC_PRESS_BLD_ART_ABP_SYS", "76215-3", "mm[Hg]", [-50, 350]),
  artDiastolic: vital("Arterial diastolic", 150038, "MDC_PRESS_BLD_ART_ABP_DIA", "76213-8", "mm[Hg]", [-50, 350]),
  artMean: vital("Arterial mean", 150039, "MDC_PRESS_BLD_ART_ABP_MEAN", "76214-6", "mm[Hg]", [-50, 350]),
  infusionRate: machine("Infusion rate", 157784, "MDC_FLOW_FLUID_PUMP", "mL/h", [0, 2000]),
  infusedVolume: machine("Infused volume", 157948, "MDC_VOL_INFUS_ACTUAL_TOTAL", "mL", [0, 20000]),
  dialysisArterialPressure: machine("Dialysis arterial pressure", null, null, "mm[Hg]", [-400, 400]),
  dialysisVenousPressure: machine("Dialysis venous pressure", null, null, "mm[Hg]", [-100, 500]),
  dialysisBloodFlow: machine("Dialysis blood flow", null, null, "mL/min", [0, 800]),
  ultrafiltrationRate: machine("Ultrafiltration rate", null, null, "mL/h", [0, 4000]),
  ultrafiltrationVolume: machine("Ultrafiltration volume", null, null, "mL", [0, 10000]),
  glucoseInterstitial: {
    display: "Glucose (interstitial)",
    mdc: 160212,
    mdcRefId: "MDC_CONC_GLU_ISF",
    loinc: "99504-3",
    ucum: "mg/dL",
    category: "laboratory",
    plausible: [20, 600],
    waveform: false,
  },
  ecgI: wave("ECG lead I", 131329, "MDC_ECG_ELEC_POTL_I", "mV"),
  ecgII: wave("ECG lead II", 131330, "MDC_ECG_ELEC_POTL_II", "mV"),
  ecgV: wave("ECG lead V", 131395, "MDC_ECG_ELEC_POTL_V", "mV"),
  ecgV5: wave("ECG lead V5", 131335, "MDC_ECG_ELEC_POTL_V5", "mV"),
  ecgMcl: wave("ECG lead MCL", 131403, "MDC_ECG_ELEC_POTL_MCL", "mV"),
  ecgMcl1: wave("ECG lead MCL1", 131404, "MDC_ECG_ELEC_POTL_MCL1", "mV"),
  respiration: wave("Respiration", null, null, "{NU}"),
  pleth: wave("Pleth", 150452, "MDC_PULS_OXIM_PLETH", "{NU}"),
  artWave: wave("Arterial pressure", 150036, "MDC_PRESS_BLD_ART_ABP", "mm[Hg]"),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

export const isMetric = (name: string): name is MetricName => Object.hasOwn(metrics, name);
export const metricOf = (name: MetricName): Metric => metrics[name];

/** The pressures that one measurement gives together, by where it is taken. MDC names the whole; LOINC's panel is the same for both. */
const pressures = {
  nibp: { mdc: 150020, systolic: "nibpSystolic", diastolic: "nibpDiastolic", mean: "nibpMean" },
  art: { mdc: 150036, systolic: "artSystolic", diastolic: "artDiastolic", mean: "artMean" },
} as const satisfies Record<string, { mdc: number; systolic: MetricName; diastolic: MetricName; mean: MetricName }>;

export type Pressure = (typeof pressures)[keyof typeof pressures];

const pressureOfMetric: ReadonlyMap<string, Pressure> = new Map(
  Object.values(pressures).flatMap((p) => [p.systolic, p.diastolic, p.mean].map((metric) => [metric, p] as const)),
);

/** Where a metric is a blood pressure: those that are measured with it; else undefined. Asked of every measurement. */
export const pressureOf = (metric: string): Pressure | undefined => pressureOfMetric.get(metric);

/** What devices call units, as UCUM codes. A UCUM code stands for itself. */
const ucumOf: Readonly<Record<string, string>> = {
  bpm: "/min",
  rpm: "/min",
  pm: "/min",
  mmHg: "mm[Hg]",
  degC: "Cel",
  "°C": "Cel",
  degF: "[degF]",
  "°F": "[degF]",
  "mL/hr": "mL/h",
  NU: "{NU}",
};

/** value in `to` = value in `from` x factor + offset. */
interface Conversion {
  readonly from: string;
  readonly to: string;
  readonly factor: number;
  readonly offset: number;
  /** Where the factor is a substance's molar mass: the metrics it is for. */
  readonly only?: readonly string[];
}

const times = (from: string, to: string, factor: number): Conversion => ({ from, to, factor, offset: 0 });

const conversions: readonly Conversion[] = [
  { from: "[degF]", to: "Cel", factor: 5 / 9, offset: -160 / 9 },
  { ...times("mmol/L", "mg/dL", 18.0182), only: ["glucoseInterstitial"] },
  times("kPa", "mm[Hg]", 7.50061683),
  times("L/h", "mL/h", 1000),
  times("mL/min", "mL/h", 60),
  times("L/min", "mL/min", 1000),
  times("mL/h", "mL/min", 1 / 60),
  times("L", "mL", 1000),
  times("uV", "mV", 0.001),
];

const conversionTo = (metric: MetricName, from: string): Conversion | undefined => {
  const to = metricOf(metric).ucum;
  if (from === to) return times(from, to, 1);
  return conversions.find((c) => c.from === from && c.to === to && (c.only?.includes(metric) ?? true));
};

const millionths = (value: number): number => Math.round(value * 1e6) / 1e6;

/** The UCUM code of a unit that this metric may be stated in, as a device writes it or in UCUM. Refuses with `unknown-unit`. */
export const ucumFor = (metric: MetricName, unit: string): Result<string> => {
  const ucum = Object.hasOwn(ucumOf, unit) ? (ucumOf[unit] ?? unit) : unit;
  return conversionTo(metric, ucum) === undefined
    ? refuse("unknown-unit", `${metric}: the unit ${JSON.stringify(unit)} is not one that it is measured in`)
    : ok(ucum);
};

/**
 * A value in the metric's own UCUM unit, rounded to millionths where it had to be converted; `unit` is a device's name or a UCUM code.
 * Refuses with `unknown-unit` or `not-a-number`.
 */
export const toMetricUnit = (metric: MetricName, value: number, unit: string): Result<number> => {
  const ucum = ucumFor(metric, unit);
  if (!ucum.ok) return ucum;
  if (!Number.isFinite(value)) return refuse("not-a-number", `${metric}: the value is ${value}`);
  const conversion = conversionTo(metric, ucum.value);
  if (conversion === undefined || conversion.from === conversion.to) return ok(value);
  return ok(millionths(value * conversion.factor + conversion.offset));
};
