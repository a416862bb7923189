/**
 * What can be the matter, by our short name: the vocabulary of alarms. `mdc` is the ISO/IEEE 11073-10101 event code where one is verified
 * (PCD-04 examples: 196648 MDC_EVT_HI, 196674 MDC_EVT_LO); null where no shared source states it: then the name itself is sent as a local code.
 */
import type { AlarmDirection, AlertType } from "./records/alert.ts";

export interface AlarmEvent {
  readonly label: string;
  readonly alertType: AlertType;
  readonly direction: AlarmDirection;
  readonly mdc: { readonly code: number; readonly name: string } | null;
}

const physiological = (
  label: string,
  direction: AlarmDirection = "none",
  mdc: AlarmEvent["mdc"] = null,
): AlarmEvent => ({
  label,
  alertType: "physiological",
  direction,
  mdc,
});
const technical = (label: string): AlarmEvent => ({ label, alertType: "technical", direction: "none", mdc: null });

const events = {
  high: physiological("above its limit", "high", { code: 196648, name: "MDC_EVT_HI" }),
  low: physiological("below its limit", "low", { code: 196674, name: "MDC_EVT_LO" }),
  asystole: physiological("asystole"),
  ventricularFibrillation: physiological("ventricular flutter or fibrillation"),
  ventricularTachycardia: physiological("ventricular tachycardia"),
  extremeTachycardia: physiological("extreme tachycardia"),
  extremeBradycardia: physiological("extreme bradycardia"),
  apnoea: physiological("apnoea"),
  /** A zero that no evidence explains (clinical.md 1). */
  noSignalOrPulse: physiological("no signal or no pulse: check the patient"),
  unmapped: physiological("unmapped alarm"),
  /** Nothing usable of a device for its limit (clinical.md 4, 5). */
  monitoringLost: technical("monitoring lost"),
  sensorOff: technical("sensor off"),
  /** One series of a device that is otherwise heard. */
  seriesLost: technical("no usable value"),
  lowBattery: technical("low battery"),
  occlusion: technical("occlusion"),
  airInLine: technical("air in line"),
  deviceFault: technical("device fault"),
  hopDown: technical("part of the alarm path is down"),
  configurationRefused: technical("configuration refused; the last good one is in force"),
  missedByCircuit: technical("the alert circuit missed an alarm"),
  heartbeat: technical("heartbeat"),
} as const satisfies Readonly<Record<string, AlarmEvent>>;

export type AlarmEventName = keyof typeof events;

export const isAlarmEvent = (name: string): name is AlarmEventName => Object.hasOwn(events, name);

export const alarmEventOf = (name: string): AlarmEvent => (isAlarmEvent(name) ? events[name] : events.unmapped);
