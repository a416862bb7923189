/**
 * The metrics we know: MDC (ISO/IEEE 11073-10101), LOINC and UCUM codes, and the range outside which a value is no value.
 * Sources: docs/terminology.md.
 */

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

const wave = (display: string, mdc: number, mdcRefId: string, ucum: string): Metric => ({
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
  ecgII: wave("ECG lead II", 131330, "MDC_ECG_ELEC_POTL_II", "mV"),
  pleth: wave("Pleth", 150452, "MDC_PULS_OXIM_PLETH", "{NU}"),
  artWave: wave("Arterial pressure", 150036, "MDC_PRESS_BLD_ART_ABP", "mm[Hg]"),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

export const isMetric = (name: string): name is MetricName => Object.hasOwn(metrics, name);
export const metricOf = (name: MetricName): Metric => metrics[name];
