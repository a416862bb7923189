/** The fields of an alarm that a measurement and a rule would fill, where neither made it. */
import type { Alarm } from "../../schemas/records/alert.ts";

export const unmeasured = {
  value: null,
  ucum: null,
  lowLimit: null,
  highLimit: null,
  rule: null,
  ruleVersion: null,
} as const satisfies Partial<Alarm>;
