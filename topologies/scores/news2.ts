/**
 * NEWS2 as the Royal College of Physicians has it (National Early Warning Score 2, 2017, chart 1): points of each of the seven parts,
 * with both SpO2 scales. Pure tables; what is fresh and what is missing is decided in news2-of.ts.
 */

/** Points by the first row whose `upTo` the value does not exceed. */
type Bands = readonly (readonly [upTo: number, points: number])[];

const above = Number.POSITIVE_INFINITY;
const respiratoryRate: Bands = [
  [8, 3],
  [11, 1],
  [20, 0],
  [24, 2],
  [above, 3],
];
const spo2Scale1: Bands = [
  [91, 3],
  [93, 2],
  [95, 1],
  [above, 0],
];
/** For confirmed hypercapnic respiratory failure, by a clinician's order: 88 to 92 is the target. */
const spo2Scale2OnAir: Bands = [
  [83, 3],
  [85, 2],
  [87, 1],
  [above, 0],
];
const spo2Scale2OnOxygen: Bands = [
  [83, 3],
  [85, 2],
  [87, 1],
  [92, 0],
  [94, 1],
  [96, 2],
  [above, 3],
];
const systolicPressure: Bands = [
  [90, 3],
  [100, 2],
  [110, 1],
  [219, 0],
  [above, 3],
];
const pulse: Bands = [
  [40, 3],
  [50, 1],
  [90, 0],
  [110, 1],
  [130, 2],
  [above, 3],
];
const temperature: Bands = [
  [35, 3],
  [36, 1],
  [38, 0],
  [39, 1],
  [above, 2],
];

export type Oxygen = "air" | "oxygen";
export type Acvpu = "A" | "C" | "V" | "P" | "U";
export type Spo2Scale = "scale1" | "scale2";

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** A chart has whole numbers, and tenths of a degree: a value between two bands belongs to the one it is rounded to. */
const pointsIn = (bands: Bands, charted: number): number => bands.find(([upTo]) => charted <= upTo)?.[1] ?? 0;

/** Values in the units of the chart: /min, mm[Hg], Cel. */
export const respiratoryRatePoints = (perMinute: number): number => pointsIn(respiratoryRate, Math.round(perMinute));
export const systolicPressurePoints = (mmHg: number): number => pointsIn(systolicPressure, Math.round(mmHg));
export const pulsePoints = (perMinute: number): number => pointsIn(pulse, Math.round(perMinute));
export const temperaturePoints = (celsius: number): number => pointsIn(temperature, tenths(celsius));
export const oxygenPoints = (oxygen: Oxygen): number => (oxygen === "oxygen" ? 2 : 0);
/** New confusion counts as voice, pain and unresponsive do. */
export const consciousnessPoints = (state: Acvpu): number => (state === "A" ? 0 : 3);

/** Of SpO2 in percent. On scale 2 a high saturation counts only where oxygen is given. */
export const spo2Points = (percent: number, scale: Spo2Scale, oxygen: Oxygen): number => {
  const bands = scale === "scale1" ? spo2Scale1 : oxygen === "oxygen" ? spo2Scale2OnOxygen : spo2Scale2OnAir;
  return pointsIn(bands, Math.round(percent));
};

/** What is certain of SpO2 where the scale or the oxygen is not known: the least that any of them gives. */
export const leastSpo2Points = (percent: number, scale: Spo2Scale | null, oxygen: Oxygen | null): number => {
  const scales: readonly Spo2Scale[] = scale === null ? ["scale1", "scale2"] : [scale];
  const gases: readonly Oxygen[] = oxygen === null ? ["air", "oxygen"] : [oxygen];
  return Math.min(...scales.flatMap((s) => gases.map((o) => spo2Points(percent, s, o))));
};
