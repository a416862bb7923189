/**
 * The alarms that a simulated monitor raises by itself: by limits and delays of its own, which are not those of our rules, and as
 * schemas/devices/sim-monitor.ts reads them. `since` is the first second of what it alarms, before its delay.
 */
import { isoWithOffset } from "./time.ts";

/** An element of the payload's `alarms`. */
export interface ShownAlarm {
  readonly code: string;
  readonly text: string;
  readonly priority: "high" | "medium" | "low";
  readonly state: "active";
  readonly silence: "none";
  readonly since: string;
  readonly value?: number;
  readonly limit?: number;
  readonly unit?: string;
}

/** What the monitor goes by in one second: the values that it shows as valid, by their names, and what its own supervision finds. */
export interface Watched {
  readonly values: Readonly<Record<string, number>>;
  readonly leadsOff: boolean;
  readonly probeOff: boolean;
  readonly batteryLow: boolean;
}

interface Alarming {
  readonly code: string;
  readonly text: string;
  readonly priority: ShownAlarm["priority"];
  /** Has to last so long to be alarmed. */
  readonly forS: number;
  /** `active`: alarmed already, so that it goes on until it is well inside the limit. */
  holds(watched: Watched, active: boolean): boolean;
  readonly value?: string;
  readonly limit?: number;
  readonly unit?: string;
}

const limit = (
  value: string,
  unit: string,
  side: "HI" | "LO",
  at: number,
  priority: ShownAlarm["priority"],
): Alarming => ({
  code: `${value.toUpperCase()}_${side}`,
  text: `${value} ${side === "HI" ? ">" : "<"} ${at}`,
  priority,
  forS: 5,
  value,
  limit: at,
  unit,
  holds({ values }, active) {
    const shown = values[value];
    if (shown === undefined) return false;
    const margin = active ? 2 : 0;
    return side === "HI" ? shown > at - margin : shown < at + margin;
  },
});

const alarmings: readonly Alarming[] = [
  { code: "ASYSTOLE", text: "*** ASYSTOLE", priority: "high", forS: 4, holds: ({ values }) => values["HR"] === 0 },
  { code: "APNEA", text: "*** APNEA", priority: "high", forS: 20, holds: ({ values }) => values["RR"] === 0 },
  limit("HR", "bpm", "HI", 130, "medium"),
  limit("SpO2", "%", "LO", 88, "medium"),
  limit("RR", "rpm", "HI", 32, "medium"),
  limit("ART_M", "mmHg", "LO", 60, "medium"),
  { code: "LEADS_OFF", text: "ECG LEADS OFF", priority: "medium", forS: 3, holds: ({ leadsOff }) => leadsOff },
  { code: "PROBE_OFF", text: "SpO2 PROBE OFF", priority: "low", forS: 3, holds: ({ probeOff }) => probeOff },
  { code: "BATT_LOW", text: "BATTERY LOW", priority: "low", forS: 0, holds: ({ batteryLow }) => batteryLow },
];

export class MonitorAlarms {
  /** By code: since when what it alarms has lasted, on the monitor's own clock. */
  readonly #since = new Map<string, { readonly ms: number; readonly beganS: number }>();

  /** What it shows at second `atS`, `deviceMs` by its own clock; called for each second in turn. */
  second(atS: number, deviceMs: number, watched: Watched): ShownAlarm[] {
    return alarmings.flatMap((alarming) => {
      const { code, text, priority, forS, value, limit: at, unit } = alarming;
      const before = this.#since.get(code);
      const active = before !== undefined && atS - before.beganS >= forS;
      if (!alarming.holds(watched, active)) {
        this.#since.delete(code);
        return [];
      }
      const { ms, beganS } = before ?? { ms: deviceMs, beganS: atS };
      this.#since.set(code, { ms, beganS });
      if (atS - beganS < forS) return [];
      const shown = value === undefined ? undefined : watched.values[value];
      return [
        {
          code,
          text,
          priority,
          state: "active",
          silence: "none",
          since: isoWithOffset(ms),
          ...(shown !== undefined && { value: shown }),
          ...(at !== undefined && { limit: at }),
          ...(unit !== undefined && { unit }),
        },
      ];
    });
  }
}
