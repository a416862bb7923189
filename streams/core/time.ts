/**
 * The three names of time (law 4) as three types, so that they cannot be mixed by accident.
 * All are integers: milliseconds since 1970-01-01T00:00:00Z.
 */

/** What the device claims; wrong until its clock's offset is known. */
export type DeviceTime = number & { readonly time: "device" };
/** When the platform took the message, in the scale of log time (see {@link scaleTime}). */
export type ReceivedTime = number & { readonly time: "received" };
/** The raw log's own stamp; it travels in each entry and is the only clock that stages have. */
export type LogTime = number & { readonly time: "log" };
/** Device time corrected by the device's estimated clock offset: what windows are cut by. */
export type EventTime = number & { readonly time: "event" };

export const deviceTime = (ms: number): DeviceTime => ms as DeviceTime;
export const receivedTime = (ms: number): ReceivedTime => ms as ReceivedTime;
export const logTime = (ms: number): LogTime => ms as LogTime;
export const eventTime = (ms: number): EventTime => ms as EventTime;

/** A test, demo or recording runs at `speed` times real time from `originMs` on. Production is 1. */
export interface TimeScale {
  readonly originMs: number;
  readonly speed: number;
}

export const realTime: TimeScale = { originMs: 0, speed: 1 };

/** Maps a wall-clock stamp to the scaled time: origin + k x (stamp - origin). */
export const scaleTime = (scale: TimeScale, stampMs: number): number =>
  scale.speed === 1 ? stampMs : Math.round(scale.originMs + scale.speed * (stampMs - scale.originMs));
