/** What may be observed of a patient by a person or the EHR, and in which words: asked where a record is made, and again where it is used. */
import type { Problem } from "../../streams/core/failure.ts";
import type { Observed } from "../../schemas/records/clinical.ts";

const words: Partial<Readonly<Record<Observed["what"], readonly string[]>>> = {
  oxygen: ["air", "oxygen"],
  consciousness: ["A", "C", "V", "P", "U"],
  spo2Scale: ["1", "2"],
  pregnant: ["yes", "no"],
};
/** Of all that may be observed, in UCUM; null: it has none. */
const units: Readonly<Record<Observed["what"], string | null>> = {
  oxygen: null,
  consciousness: null,
  spo2Scale: null,
  pregnant: null,
  ureaBefore: "mmol/L",
  ureaAfter: "mmol/L",
  weightAfter: "kg",
};
/** A workstation's clock, or log time that lags: so little ahead counts as now. */
const aheadMs = 60_000;
const decimal = /^\d{1,6}(\.\d{1,6})?$/;

export const observables: readonly string[] = Object.keys(units);
export const isObservable = (what: string): what is Observed["what"] => observables.includes(what);

/** What is wrong with it: `observed-nobody`, `observed-unit`, `observed-value`; null: nothing. */
const observedProblem = ({ what, value, ucum, by }: Observed): Problem | null => {
  const unit = units[what];
  const known = words[what]?.includes(value) ?? decimal.test(value);
  if (by.trim() === "") return { reason: "observed-nobody", detail: `${what}: nobody is named who says it` };
  if (ucum !== unit)
    return { reason: "observed-unit", detail: `${what}: must be in ${unit ?? "no unit"}, not ${ucum ?? "unsaid"}` };
  if (!known) return { reason: "observed-value", detail: `${what}: must be ${words[what]?.join(", ") ?? "a number"}` };
  return null;
};

/** What is wrong with it at `now`, by log time: `observed-ahead`, or as above; null: nothing. */
export const observedProblemAt = (said: Observed, now: number): Problem | null =>
  said.at > now + aheadMs
    ? { reason: "observed-ahead", detail: `${said.what} of ${said.by} is ${said.at - now} ms ahead` }
    : observedProblem(said);
