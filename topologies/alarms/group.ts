/** Which alarms are one page: those of one subject, source metric and direction, ours and the device's (clinical.md 13, 15). */
import type { AlarmDirection, AlertType } from "../../schemas/records/alert.ts";

/** What a device's rhythm and breath alarms are about, where they name no metric or direction of their own. */
const aboutOf: Readonly<Record<string, readonly [string, AlarmDirection]>> = {
  asystole: ["heartRate", "low"],
  extremeBradycardia: ["heartRate", "low"],
  extremeTachycardia: ["heartRate", "high"],
  ventricularTachycardia: ["heartRate", "high"],
  ventricularFibrillation: ["heartRate", "none"],
  apnoea: ["respiratoryRate", "low"],
};

interface Grouped {
  /** The subject, or the device while nobody is linked to it. */
  readonly who: string;
  readonly device: string;
  readonly channel: string;
  readonly metric: string | null;
  readonly event: string;
  readonly direction: AlarmDirection;
  readonly alertType: AlertType;
  /** As the device names it; null for ours. */
  readonly code: string | null;
}

/**
 * The group's name. A zero that nothing explains is grouped with what is low; a probe that is off is one page, whatever it measures and whoever
 * says so; what nobody has mapped is a page of its own.
 */
export const groupOf = ({ who, device, channel, metric, event, direction, alertType, code }: Grouped): string => {
  if (event === "unmapped") return named(who, "unmapped", device, channel, code, direction);
  if (sensorEvents.has(event)) return named(who, "sensor", device, channel);
  if (alertType !== "physiological") return named(who, alertType, device, channel, event);
  const [aboutMetric, aboutDirection] = aboutOf[event] ?? [null, event === "noSignalOrPulse" ? "low" : "none"];
  return named(who, metric ?? aboutMetric ?? channel, direction === "none" ? aboutDirection : direction);
};

const sensorEvents: ReadonlySet<string> = new Set(["sensorOff", "seriesLost"]);

const named = (...parts: readonly (string | null)[]): string => parts.filter((part) => part !== null).join("/");
