/**
 * Metrics whose zero means either "no signal" or "no life". Which one it is needs evidence (clinical.md 1). The zero of a pressure is an
 * open or zeroed line, of a flow a stopped pump; a temperature or glucose of zero is outside its plausible range.
 */
const metrics: ReadonlySet<string> = new Set(["heartRate", "pulseRate", "spo2", "respiratoryRate"]);

export const zeroNeedsEvidence = (metric: string): boolean => metrics.has(metric);
