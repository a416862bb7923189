/**
 * What a device's clock is worth. The offset (received minus device time) is estimated by its least value in each of the last five
 * minutes of device time, for a delay on the way only ever adds to it. Event time is device time plus the applied correction, which
 * stays 0 while the offset is inside the clock's uncertainty and moves only when the estimate leaves it by more than that: jitter changes
 * nothing (clinical.md 6).
 *
 * A reading that its boot's own count says is older than what came before says nothing of the clock as it is now. Any other
 * whose offset leaps is one of three: earlier than it can be, or with device time set back: the clock was stepped, and the
 * estimate starts anew. Device time went on and the reading is merely old: a backlog; it keeps the old correction until such readings have
 * had one steady offset for ten seconds, which no draining backlog has.
 */
import { type DeviceTime, type EventTime, eventTime, type ReceivedTime } from "../../streams/core/time.ts";

export interface Clock {
  /** Minute of device time and the least offset in it, ascending; the last five. */
  readonly panes: readonly (readonly [number, number])[];
  readonly appliedMs: number;
  readonly lastDevice: number;
  readonly boot: string | null;
  /** The highest count had in this boot; null where there is no boot or no count to go by. */
  readonly lastSequence: number | null;
  /** Readings that look late, all with about this offset, since this received time. */
  readonly suspicion: { readonly offsetMs: number; readonly since: number } | null;
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

const minuteOf = ({ deviceTime }: Stamp): number => Math.floor(deviceTime / paneMs);
const offsetOf = ({ deviceTime, receivedTime }: Stamp): number => receivedTime - deviceTime;
const estimateOf = (panes: Clock["panes"]): number => Math.min(...panes.map(([, offsetMs]) => offsetMs));

/** The clock after a reading. `uncertaintyMs`: how far it may be off before that is corrected. */
export const observe = (clock: Clock | undefined, stamp: Stamp, uncertaintyMs: number): Clock => {
  if (clock !== undefined && isOutOfOrder(clock, stamp)) return clock;
  if (clock === undefined || wasStepped(clock, stamp, uncertaintyMs)) return restart(clock, stamp, uncertaintyMs);
  const offsetMs = offsetOf(stamp);
  const seen = {
    ...clock,
    lastDevice: Math.max(clock.lastDevice, stamp.deviceTime),
    lastSequence: countOf(stamp) ?? clock.lastSequence,
  };
  if (offsetMs - estimateOf(clock.panes) <= uncertaintyMs) {
    const panes = withOffset(clock.panes, minuteOf(stamp), offsetMs);
    return applied({ ...seen, panes, suspicion: null }, uncertaintyMs);
  }
  const { suspicion } = clock;
  if (suspicion === null || Math.abs(offsetMs - suspicion.offsetMs) > uncertaintyMs)
    return { ...seen, suspicion: { offsetMs, since: stamp.receivedTime } };
  if (stamp.receivedTime - suspicion.since < steadyMs) return seen;
  return restart(clock, stamp, uncertaintyMs);
};

/** Event time of a device time under this clock. */
export const corrected = (clock: Clock, deviceTime: DeviceTime): EventTime => eventTime(deviceTime + clock.appliedMs);

/** A count without a boot may have begun anew with the device. */
const countOf = ({ boot, sequence }: Stamp): number | null => (boot === null ? null : sequence);

const isOutOfOrder = (clock: Clock, stamp: Stamp): boolean => {
  const count = countOf(stamp);
  return count !== null && clock.lastSequence !== null && stamp.boot === clock.boot && count < clock.lastSequence;
};

const wasStepped = (clock: Clock, stamp: Stamp, uncertaintyMs: number): boolean => {
  if (stamp.boot !== clock.boot) return true;
  const leap = offsetOf(stamp) - estimateOf(clock.panes);
  return leap < -uncertaintyMs || (leap > uncertaintyMs && stamp.deviceTime < clock.lastDevice - uncertaintyMs);
};

const restart = (clock: Clock | undefined, stamp: Stamp, uncertaintyMs: number): Clock =>
  applied(
    {
      panes: [[minuteOf(stamp), offsetOf(stamp)]],
      appliedMs: clock?.appliedMs ?? 0,
      lastDevice: stamp.deviceTime,
      boot: stamp.boot,
      lastSequence: countOf(stamp),
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
