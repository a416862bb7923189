/**
 * What a device's clock is worth. The offset (received minus device time) is estimated by its least value in each of the last five
 * minutes of device time, for a delay on the way only ever adds to it. Event time is device time plus the applied correction, which
 * stays 0 while the offset is inside the clock's uncertainty and moves only when the estimate leaves it by more than that: jitter changes
 * nothing (clinical.md 6).
 *
 * Nothing is received before it was measured: a reading that comes earlier than the estimate allows shows that the clock was stepped, and the
 * estimate starts anew. One that looks older than that may be a backlog, a stored reading of an earlier boot, or a clock that was set back, and
 * one reading cannot tell which, unless its boot's count does: one that went on while its time went back shows that the clock was stepped, one
 * that is lower is old. Else it keeps the old
 * correction until such readings have had one steady offset for ten seconds (a draining backlog's shrinks), or roughly one for a minute. A return
 * to the estimate before the last step is believed at once.
 *
 * A clock that gives the time of one reading to others, received over more than its uncertainty, stands still: what is measured from then on is
 * taken at its received time, until the clock goes on and is compared anew.
 */
import { type DeviceTime, type EventTime, eventTime, type ReceivedTime } from "../../streams/core/time.ts";

export interface Clock {
  /** Minute of device time and the least offset in it, ascending; the last five. */
  readonly panes: readonly (readonly [number, number])[];
  readonly appliedMs: number;
  readonly lastDevice: number;
  readonly boot: string | null;
  /** How far the boot has counted; null where there is no boot or no count to go by. */
  readonly lastSequence: number | null;
  /** The estimate before the clock was stepped last; null where it never was. */
  readonly formerMs: number | null;
  /**
   * Readings that look late, all with about this offset, since this received time; the least of it in the first five seconds and since,
   * for a delay on the way only ever adds.
   */
  readonly suspicion: {
    readonly offsetMs: number;
    readonly since: number;
    readonly earlyMs: number;
    readonly lateMs: number | null;
    readonly readings: number;
  } | null;
  /** Further readings that gave no later time than one before, all the same, since this received time; without while the clock counts. */
  readonly still?: Still;
}

interface Still {
  readonly deviceTime: number;
  readonly boot: string | null;
  readonly since: number;
  readonly stands: boolean;
}

export interface Stamp {
  readonly deviceTime: DeviceTime;
  readonly receivedTime: ReceivedTime;
  readonly boot: string | null;
  readonly sequence: number | null;
}

const paneMs = 60_000;
const panesKept = 5;
const steadyMs = 10_000;
const earlyForMs = 5_000;
/** So little may a steady offset fall; that of a backlog that drains a tenth faster than it grew falls half a second in five. */
const steadyWithinMs = 300;
const steadyEnoughMs = 60_000;
const steadyReadings = 5;
/** A count that is lower by more than this began anew. */
const countedBackMost = 1_000;

const minuteOf = ({ deviceTime }: Stamp): number => Math.floor(deviceTime / paneMs);
const offsetOf = ({ deviceTime, receivedTime }: Stamp): number => receivedTime - deviceTime;
const estimateOf = (panes: Clock["panes"]): number => Math.min(...panes.map(([, offsetMs]) => offsetMs));

/** The clock after a reading. `uncertaintyMs`: how far it may be off before that is corrected. */
export const observe = (clock: Clock | undefined, stamp: Stamp, uncertaintyMs: number): Clock => {
  if (clock === undefined) return restart(undefined, stamp, uncertaintyMs);
  const { still: before, ...counting } = clock;
  const still = stillAfter(clock, stamp, uncertaintyMs);
  if (still?.stands && still.deviceTime === stamp.deviceTime)
    return { ...counting, boot: stamp.boot, lastSequence: countAfter(clock, stamp), suspicion: null, still };
  // What it lost while it stood is known from the first time at which it goes on.
  if (before?.stands && still === undefined) return restart(clock, stamp, uncertaintyMs);
  const next = compared(counting, stamp, uncertaintyMs);
  return still === undefined || next.lastDevice < still.deviceTime ? next : { ...next, still };
};

/** Whether the device's clock is known to have stood still at this time of it. */
export const standsAt = ({ still }: Clock, deviceTime: number): boolean =>
  still?.stands === true && deviceTime >= still.deviceTime;

/** An old reading says nothing of a clock that stands. */
const stillAfter = (clock: Clock, stamp: Stamp, uncertaintyMs: number): Still | undefined => {
  const { deviceTime, receivedTime, boot } = stamp;
  const { still, lastDevice } = clock;
  if (still?.stands && (deviceTime < still.deviceTime || isCountedBefore(clock, stamp))) return still;
  if (still?.stands && deviceTime > still.deviceTime) return undefined;
  if (still !== undefined && boot === still.boot && deviceTime === still.deviceTime)
    return { ...still, stands: still.stands || receivedTime - still.since > uncertaintyMs };
  return deviceTime <= lastDevice ? { deviceTime, boot, since: receivedTime, stands: false } : undefined;
};

const compared = (clock: Clock, stamp: Stamp, uncertaintyMs: number): Clock => {
  const offsetMs = offsetOf(stamp);
  const leapMs = offsetMs - estimateOf(clock.panes);
  const isFormer = clock.formerMs !== null && Math.abs(offsetMs - clock.formerMs) <= uncertaintyMs;
  if (leapMs < -uncertaintyMs || (leapMs > uncertaintyMs && (isFormer || wasSetBack(clock, stamp, uncertaintyMs))))
    return restart(clock, stamp, uncertaintyMs);
  const seen = { ...clock, lastDevice: Math.max(clock.lastDevice, stamp.deviceTime) };
  if (leapMs <= uncertaintyMs) {
    const panes = withOffset(clock.panes, minuteOf(stamp), offsetMs);
    return applied(
      { ...seen, panes, boot: stamp.boot, lastSequence: countAfter(clock, stamp), suspicion: null },
      uncertaintyMs,
    );
  }
  if (isCountedBefore(clock, stamp)) return clock;
  const suspicion = suspected(clock.suspicion, offsetMs, stamp.receivedTime, uncertaintyMs);
  return isSteady(suspicion, stamp.receivedTime)
    ? restart(clock, stamp, uncertaintyMs, Math.min(suspicion.earlyMs, suspicion.lateMs ?? suspicion.earlyMs))
    : { ...seen, suspicion };
};

/** A count without a boot may have begun anew with the device. */
const countOf = ({ boot, sequence }: Stamp): number | null => (boot === null ? null : sequence);

const countAfter = (clock: Clock, stamp: Stamp): number | null => {
  const count = countOf(stamp);
  const { lastSequence: last } = clock;
  if (count === null || last === null || stamp.boot !== clock.boot) return count;
  return count > last || last - count > countedBackMost ? count : last;
};

/** Older than what came before, by its boot's own count. */
const isCountedBefore = (clock: Clock, stamp: Stamp): boolean => {
  const count = countOf(stamp);
  const { lastSequence: last, boot } = clock;
  return count !== null && last !== null && stamp.boot === boot && count <= last && last - count <= countedBackMost;
};

/** It went on counting while its time went back. */
const wasSetBack = (clock: Clock, stamp: Stamp, uncertaintyMs: number): boolean => {
  const count = countOf(stamp);
  const wentOn = count !== null && clock.lastSequence !== null && count > clock.lastSequence;
  return wentOn && stamp.boot === clock.boot && stamp.deviceTime < clock.lastDevice - uncertaintyMs;
};

type Suspicion = NonNullable<Clock["suspicion"]>;

const suspected = (before: Clock["suspicion"], offsetMs: number, at: number, uncertaintyMs: number): Suspicion =>
  before === null || Math.abs(offsetMs - before.offsetMs) > uncertaintyMs
    ? { offsetMs, since: at, earlyMs: offsetMs, lateMs: null, readings: 1 }
    : { ...before, ...leastOf(before, offsetMs, at), readings: before.readings + 1 };

const leastOf = ({ since, earlyMs, lateMs }: Suspicion, offsetMs: number, at: number): Partial<Suspicion> =>
  at - since < earlyForMs
    ? { earlyMs: Math.min(earlyMs, offsetMs) }
    : { lateMs: lateMs === null ? offsetMs : Math.min(lateMs, offsetMs) };

const isSteady = ({ since, earlyMs, lateMs, readings }: Suspicion, at: number): boolean => {
  const level = lateMs !== null && Math.abs(lateMs - earlyMs) <= steadyWithinMs;
  return readings >= steadyReadings && at - since >= (level ? steadyMs : steadyEnoughMs);
};

/** Event time of a device time under this clock, while it counts. */
export const corrected = (clock: Clock, deviceTime: DeviceTime): EventTime => eventTime(deviceTime + clock.appliedMs);

const restart = (
  clock: Clock | undefined,
  stamp: Stamp,
  uncertaintyMs: number,
  offsetMs: number = offsetOf(stamp),
): Clock =>
  applied(
    {
      panes: [[minuteOf(stamp), offsetMs]],
      appliedMs: clock?.appliedMs ?? 0,
      lastDevice: stamp.deviceTime,
      boot: stamp.boot,
      lastSequence: countOf(stamp),
      formerMs: clock === undefined ? null : estimateOf(clock.panes),
      suspicion: null,
    },
    uncertaintyMs,
  );

const withOffset = (panes: Clock["panes"], minute: number, offsetMs: number): Clock["panes"] => {
  const known = panes.find(([m]) => m === minute);
  if (known !== undefined && known[1] <= offsetMs) return panes;
  const others = panes.filter(([m]) => m !== minute);
  return [...others, [minute, offsetMs] as const].sort(([a], [b]) => a - b).slice(-panesKept);
};

const applied = (clock: Clock, uncertaintyMs: number): Clock => {
  const estimate = estimateOf(clock.panes);
  const wanted = Math.abs(estimate) <= uncertaintyMs ? 0 : estimate;
  return Math.abs(wanted - clock.appliedMs) > uncertaintyMs ? { ...clock, appliedMs: wanted } : clock;
};
