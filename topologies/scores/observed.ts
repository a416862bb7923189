/** What may be observed of a patient by a person or the EHR, and in which words: asked where a record is made, and again where it is used. */
import type { Problem } from "../../streams/core/failure.ts";
import type { Observed } from "../../schemas/records.ts";

const words: Partial<Readonly<Record<Observed["what"], readonly string[]>>> = {
  oxygen: ["air", "oxygen"],
  consciousness: ["A", "C", "V", "P", "U"],
  spo2Scale: ["1", "2"],
  pregnant: ["yes", "no"],
};
const units: Partial<Readonly<Record<Observed["what"], string>>> = {
  ureaBefore: "mmol/L",
  ureaAfter: "mmol/L",
  weightAfter: "kg",
};
const decimal = /^\d{1,6}(\.\d{1,6})?$/;

/** What is wrong with it: `observed-nobody`, `observed-unit`, `observed-value`; null: nothing. */
export const observedProblem = ({ what, value, ucum, by }: Observed): Problem | null => {
  const unit = units[what] ?? null;
  const known = words[what]?.includes(value) ?? decimal.test(value);
  if (by.trim() === "") return { reason: "observed-nobody", detail: `${what}: nobody is named who says it` };
  if (ucum !== unit)
    return { reason: "observed-unit", detail: `${what}: must be in ${unit ?? "no unit"}, not ${ucum}` };
  if (!known) return { reason: "observed-value", detail: `${what}: must be ${words[what]?.join(", ") ?? "a number"}` };
  return null;
};
