/**
 * The alarm that a recorded monitor raised: one line of `key=value` separated by semicolons, with device, time with a zone and the alarm as the
 * PhysioNet/CinC Challenge 2015 names it. Whether it was true is what the challenge asked, and is said nowhere here: a false one pages too.
 */
import { ok, type Problem, refuse, type Result } from "../../streams/core/failure.ts";
import type { DecodedReading } from "../devices/adapter.ts";
import { type AlarmCodes, alarmOf } from "./alarm.ts";
import { parseInstant } from "./instant.ts";
import { parseText } from "./json.ts";

/** The challenge's definitions: no beat for 4 s; 5 beats below 40 /min; 17 above 140 /min; 5 ventricular ones above 100 /min; a flutter or fibrillation for 4 s. */
const codes: AlarmCodes = {
  Asystole: { event: "asystole", channel: "ecg", metric: "heartRate" },
  Bradycardia: { event: "extremeBradycardia", channel: "ecg", metric: "heartRate", direction: "low" },
  Tachycardia: { event: "extremeTachycardia", channel: "ecg", metric: "heartRate", direction: "high" },
  Ventricular_Tachycardia: { event: "ventricularTachycardia", channel: "ecg", metric: "heartRate" },
  Ventricular_Flutter_Fib: { event: "ventricularFibrillation", channel: "ecg", metric: "heartRate" },
};
const about: ReadonlySet<string> = new Set(["device", "time", "alarm"]);

/** Refuses with `malformed-line`, `missing-field` or `bad-time`. An alarm that the challenge does not name is given without an event. */
export const decodeRecordedAlarm = (payload: Uint8Array): Result<DecodedReading> => {
  const text = parseText(payload);
  if (!text.ok) return refuse("malformed-line", text.problem.detail);
  const fields = new Map<string, string>();
  for (const [i, field] of text.value.split(";").entries()) {
    const equals = field.indexOf("=");
    if (equals < 1) return refuse("malformed-line", `field ${i + 1}: ${JSON.stringify(field)} is no key=value`);
    fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const device = fields.get("device");
  if (!device) return refuse("missing-field", "device: missing");
  const at = parseInstant(fields.get("time") ?? "", "time");
  if (!at.ok) return at;
  const name = fields.get("alarm");
  if (!name) return refuse("missing-field", "alarm: missing");
  const problems: Problem[] = [...fields.keys()]
    .filter((key) => !about.has(key))
    .map((key) => ({ reason: "unknown-field", detail: `${key}: not a field of a recorded alarm` }));
  const alarm = alarmOf(codes, name, name.replaceAll("_", " "));
  return ok({
    device,
    boot: null,
    sequence: null,
    deviceTime: at.value,
    measurements: [],
    waveforms: [],
    alarms: { changes: [{ ...alarm, since: at.value, present: true }] },
    problems,
  });
};
