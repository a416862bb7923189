/**
 * Keeps the future out of a series' order. `normalise` refuses what is dated ahead of its reception; should one come through all the same, or
 * a server's clock have been set back, neither may silence a rule until that time has come (clinical.md 6).
 */
import { eventTime, receivedTime } from "../../streams/core/time.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import { latestTrueTime } from "../ahead.ts";
import type { Machine } from "./machine.ts";
import type { MaybeHeard } from "./sensor.ts";

/** One cell per series, written with each sample. */
export interface Series extends MaybeHeard {
  /** Event time of the last sample that was judged; 0 where none was. */
  readonly judgedAt: number;
  /** Event time since which it was judged without leaving room for stored samples; without where none was, or version 2 wrote it. */
  readonly from?: number;
  /** Of the rules that are not idle. */
  readonly machines: readonly Machine[];
}

/** The measurement as it is judged: one whose own time cannot be true, at the time when it was received. */
export const inPast = (m: Measurement): Measurement =>
  m.eventTime <= latestTrueTime(m) ? m : { ...m, eventTime: eventTime(m.receivedTime) };

/** The series as `m` finds it. What it judged at a time that has not come yet is taken back; what is open stays open. `now`: log time. */
export const rewound = (series: Series, m: Measurement, now: number): Series => {
  const latest = latestTrueTime({ ...m, receivedTime: receivedTime(Math.max(m.receivedTime, now)) });
  if (series.judgedAt <= latest) return series;
  const before = m.eventTime - 1;
  return {
    ...series,
    judgedAt: before,
    ...(series.from !== undefined && { from: Math.min(series.from, before) }),
    machines: series.machines
      .filter(({ phase, since }) => phase !== "pending" || since <= before)
      .map((machine) => backTo(before, machine)),
  };
};

const backTo = (before: number, machine: Machine): Machine => {
  const { since, judgedAt, clearingSince, fold, phase } = machine;
  const clears = clearingSince !== null && clearingSince <= before;
  return {
    ...machine,
    judgedAt: Math.min(judgedAt, before),
    phase: phase === "clearing" && !clears ? "open" : phase,
    clearingSince: clears ? clearingSince : null,
    fold: { ...fold, lastAt: Math.max(since, Math.min(fold.lastAt, before)) },
  };
};
