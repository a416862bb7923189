/**
 * What a device model's adapter is. One file per vendor and model in this folder, beside its sample payloads
 * (`<model>.samples.json`), found by its file name: nothing else has to be touched to add one.
 */
import type { Result, Problem } from "../../streams/core/failure.ts";
import type { DeviceTime } from "../../streams/core/time.ts";
import type { AlarmEventName } from "../alarm-events.ts";
import type { AlarmDirection, AlertType, Inactivation, SignalState } from "../records/alert.ts";
import type { Priority } from "../priority.ts";
import type { MetricName } from "../terminology.ts";

export interface DecodedMeasurement {
  /** Containment in the device, e.g. "ecg". With metric and unit it names a series. */
  readonly channel: string;
  readonly metric: MetricName;
  /** Null where nothing usable was sent; then `validity` says why. */
  readonly value: number | null;
  /** UCUM code of the value as the device sent it. */
  readonly ucum: string;
  /** As the device itself reports it. Zeros are judged afterwards, in normalise. */
  readonly validity: "valid" | "questionable" | "invalid" | "empty" | "sensorOff" | "test" | "demo";
  /** The device's own evidence for that, e.g. "leadOff flag set", or the sentinel's meaning in the vendor's manual. */
  readonly evidence: string | null;
  readonly periodMs: number | null;
  /** Time of this value if it differs from the reading's (an NBP taken earlier). */
  readonly deviceTime?: DeviceTime;
}

export interface DecodedWaveform {
  readonly channel: string;
  readonly metric: MetricName;
  readonly ucum: string;
  readonly rateHz: number;
  /** value = (sample - baseline) / gain. */
  readonly gain: number;
  readonly baseline: number;
  readonly samples: readonly number[];
}

/** An alarm as the device reports it. */
export interface DecodedAlarm {
  readonly channel: string;
  /** As the device names it; with the channel and its limit's direction it names a condition. */
  readonly code: string;
  readonly text: string;
  /** A key of alarm-events.ts; null where nobody has mapped the code: it is paged raw (clinical.md 4). */
  readonly event: AlarmEventName | null;
  readonly metric: MetricName | null;
  readonly direction: AlarmDirection;
  readonly alertType: AlertType;
  /** Null where the device says none: then it counts as high. */
  readonly priority: Priority | null;
  readonly signal: SignalState;
  readonly inactivation: Inactivation;
  readonly value: number | null;
  readonly ucum: string | null;
  readonly lowLimit: number | null;
  readonly highLimit: number | null;
  /** When it began, if the device says so. */
  readonly since?: DeviceTime;
}

/**
 * What the device says of its alarms: all that it shows (one whose signal is latched is over as a condition), or single beginnings and
 * ends. A list of which a part could not be read is given as beginnings, for nothing has ended because of it.
 */
export type DecodedAlarms =
  | { readonly all: readonly DecodedAlarm[] }
  | { readonly changes: readonly (DecodedAlarm & { readonly present: boolean })[] };

export interface DecodedReading {
  /** The id in the payload; must agree with the topic's. Null where the payload has none. */
  readonly device: string | null;
  readonly boot: string | null;
  readonly sequence: number | null;
  readonly deviceTime: DeviceTime | null;
  readonly measurements: readonly DecodedMeasurement[];
  readonly waveforms: readonly DecodedWaveform[];
  /** Absent: this reading says nothing of alarms. */
  readonly alarms?: DecodedAlarms;
  /** The device itself says that it measures nobody for now: its silence is expected, until it says anything else (clinical.md 5). */
  readonly standby?: true;
  /** Parts that were refused (an unknown metric, a wrong unit) while the rest is good. */
  readonly problems: readonly Problem[];
}

export interface DeviceAdapter {
  /** As the roster names it; equals the file's name. */
  readonly model: string;
  readonly vendor: string;
  /** It measures nothing: being heard of its alarms, or of there being none, is what is expected of it (clinical.md 4). */
  readonly alarmsOnly?: true;
  /** It is no device but the platform itself, and the only model that may speak on the platform's own topics (clinical.md 17). */
  readonly synthetic?: true;
  /** Pure. Bad input is refused with a reason and a detail that says where. */
  decode(payload: Uint8Array, stream: string): Result<DecodedReading>;
}
