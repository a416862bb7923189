/**
 * Metrics whose zero means either "no signal" or "no life". Which one it is needs evidence (clinical.md 1): so do pressures, for an open
 * or zeroed line reads 0 as an arrest does. The zero of a flow is a stopped pump; a temperature or glucose of zero is outside its
 * plausible range.
 */
const metrics: ReadonlySet<string> = new Set([
  "heartRate",
  "pulseRate",
  "spo2",
  "respiratoryRate",
  "artSystolic",
  "artDiastolic",
  "artMean",
  "nibpSystolic",
  "nibpDiastolic",
  "nibpMean",
]);

export const zeroNeedsEvidence = (metric: string): boolean => metrics.has(metric);

/** A live pulse from the oximeter shows that blood flows: then it is the lead, line or cuff that failed, and not the heart. */
const shownByPulse: ReadonlySet<string> = new Set(
  [...metrics].filter((m) => m === "heartRate" || /^(art|nibp)/.test(m)),
);

export const pulseShowsSensorOff = (metric: string): boolean => shownByPulse.has(metric);
