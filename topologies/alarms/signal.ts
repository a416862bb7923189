/**
 * The signal of an alarm as IHE PCD-04 sees it (facets 68482 and 68483): active, latched or inactive, and who has silenced it and how
 * (clinical.md 12). Each condition has its own: nothing said of one alarm touches another's.
 */
import type { Inactivation, SignalState } from "../../schemas/records/alert.ts";

export interface Signal {
  readonly signal: SignalState;
  readonly inactivation: Inactivation;
  /** Log time in ms at which a pause is over whether or not the device says so; null where nothing is paused. */
  readonly pausedUntil: number | null;
}

/** A pause that its device never ends is over after this long: two minutes, the usual setting of audio pause [K]. */
export const longestPauseMs = 120_000;

/** Of our own alarms: nobody at the bedside can silence them. */
export const sounding: Signal = { signal: "active", inactivation: "enabled", pausedUntil: null };

const isPause = (inactivation: Inactivation): boolean =>
  inactivation === "audioPaused" || inactivation === "alarmPaused";

/** After a device said how its signal stands, at a log time in ms. A pause that goes on is not begun anew; off stays until it is enabled. */
export const said = (
  before: Signal | null,
  { signal, inactivation }: { readonly signal: SignalState; readonly inactivation: Inactivation },
  at: number,
): Signal => {
  if (!isPause(inactivation)) return { signal, inactivation, pausedUntil: null };
  const goesOn = before?.inactivation === inactivation ? before.pausedUntil : null;
  return { signal, inactivation, pausedUntil: goesOn ?? at + longestPauseMs };
};

/** As time has left it: a pause whose time is over is enabled again. */
export const afterPause = (signal: Signal, now: number): Signal =>
  signal.pausedUntil === null || now < signal.pausedUntil
    ? signal
    : { ...signal, inactivation: "enabled", pausedUntil: null };

/**
 * When the condition has gone. A latched signal stays so until a named person resets it, which is the page's to take (topologies/paging.ts);
 * an acknowledgement and a pause end with the condition; what is off stays off, visibly.
 */
export const afterCondition = ({ signal, inactivation }: Signal): Signal => ({
  signal: signal === "latched" ? "latched" : "inactive",
  inactivation: inactivation === "acknowledged" || isPause(inactivation) ? "enabled" : inactivation,
  pausedUntil: null,
});
