/**
 * Kt/V from what is there, and named by how it was found (clinical.md 23). spKt/V needs the blood's urea before and after; what a
 * machine says of its own clearance is `onlineClearance` and never spKt/V.
 */
import { eventTime } from "../../streams/core/time.ts";
import type { DialysisSession, KtV, ReportedValue } from "../../schemas/scores.ts";

const hourMs = 3_600_000;

/**
 * Daugirdas' second formula (J Am Soc Nephrol 1993; 4: 1205-1213): spKt/V = -ln(R - 0.008 t) + (4 - 3.5 R) UF / W, with R the ratio of
 * urea after to before, t in hours, UF in litres, W the weight after in kg. Null where it has no value: no fall of urea, or values of no treatment.
 */
export const daugirdas2 = (of: {
  readonly ureaBefore: number;
  readonly ureaAfter: number;
  readonly hours: number;
  readonly ultrafiltrationLitres: number;
  readonly weightAfterKg: number;
}): number | null => {
  const { ureaBefore, ureaAfter, hours, ultrafiltrationLitres, weightAfterKg } = of;
  const sound = ureaBefore > 0 && ureaAfter > 0 && hours > 0 && weightAfterKg > 0 && ultrafiltrationLitres >= 0;
  const ratio = ureaAfter / ureaBefore;
  if (!sound || ratio >= 1 || ratio - 0.008 * hours <= 0) return null;
  const value = -Math.log(ratio - 0.008 * hours) + ((4 - 3.5 * ratio) * ultrafiltrationLitres) / weightAfterKg;
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1000) / 1000 : null;
};

/** What the EHR or a person stated of a session's blood and weight; urea in mmol/L, weight in kg. */
export interface Laboratory {
  readonly ureaBefore: ReportedValue | null;
  readonly ureaAfter: ReportedValue | null;
  readonly weightAfter: ReportedValue | null;
}

/** spKt/V of a session by its laboratory values; null where any of them, or the ultrafiltration volume, is not known. */
export const singlePoolKtv = (session: DialysisSession, laboratory: Laboratory): KtV | null => {
  const { ureaBefore, ureaAfter, weightAfter } = laboratory;
  const removed = session.ultrafiltrationVolume;
  if (ureaBefore === null || ureaAfter === null || weightAfter === null || removed === null) return null;
  if (ureaBefore.ucum !== ureaAfter.ucum || weightAfter.ucum !== "kg" || removed.ucum !== "mL") return null;
  const hours = (session.end - session.start) / hourMs;
  const value = daugirdas2({
    ureaBefore: ureaBefore.value,
    ureaAfter: ureaAfter.value,
    hours,
    ultrafiltrationLitres: removed.value / 1000,
    weightAfterKg: weightAfter.value,
  });
  if (value === null) return null;
  const treatmentHours: ReportedValue = {
    name: "treatmentHours",
    value: Math.round(hours * 1000) / 1000,
    ucum: "h",
    at: eventTime(session.end),
    source: session.identity,
  };
  return {
    value,
    method: "daugirdas2",
    sourceOfV: null,
    inputs: [ureaBefore, ureaAfter, weightAfter, removed, treatmentHours],
  };
};
