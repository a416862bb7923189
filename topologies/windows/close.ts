/** What a tick does to windows: emits those that closed or changed, revises what is composed of them, forgets what can change no more. */
import { contentHash } from "../../streams/core/hash.ts";
import type { Out } from "../../streams/core/stage.ts";
import { eventTime, logTime, type LogTime } from "../../streams/core/time.ts";
import type { telemetryQuarantine, windows } from "../../schemas/topics.ts";
import {
  floorTo,
  minuteCell,
  minuteKeptMs,
  minuteMs,
  minuteOf,
  type Pane,
  paneCell,
  paneKeptMs,
  paneMs,
  paneOf,
  type Plan,
  planCell,
  planOf,
  rollingMs,
  type Series,
  settleMs,
  type WindowState,
} from "./cells.ts";
import { coverageOf, type Fold, meanOf, merge } from "../fold.ts";

type WindowsOut = Out<{ windows: typeof windows; quarantine: typeof telemetryQuarantine }>;
type Emit = (
  series: Series,
  shape: "tumbling" | "rolling",
  start: number,
  lengthMs: number,
  fold: Fold,
  revision: number,
) => void;

/** The due step of `windows`: `now` is stream time, `key` the subject. */
export const closeDue = (state: WindowState, now: LogTime, key: string, out: WindowsOut): void => {
  const plan = planOf(state);
  if (plan === undefined) return;
  const emit = emitter(key, out);
  const changed = closePanes(state, plan, now, emit);
  revise(state, plan, changed, emit);
  const closedTo = closeMinutes(state, plan, now, emit);
  const touched = plan.touched.filter((start) => start + paneMs + settleMs > now);
  const left = forget(state, { ...plan, touched, closedTo }, now);
  if (left === null) state.delete(planCell);
  else state.set(planCell, left);
  state.dueAt = left === null ? null : nextDue(left);
};

const emitter =
  (subject: string, out: WindowsOut): Emit =>
  (series, shape, start, lengthMs, fold, revision) => {
    const { device, channel, metric, ucum } = series;
    const identity = contentHash("window", subject, device, channel, metric, shape, lengthMs, start).slice(0, 32);
    out.emit("windows", subject, {
      kind: "windowAggregate",
      identity,
      revision,
      subject,
      device,
      channel,
      metric,
      ucum,
      shape,
      lengthMs,
      start: eventTime(start),
      count: fold.count,
      min: fold.min,
      mean: meanOf(fold),
      max: fold.max,
      last: fold.last,
      lastAt: eventTime(fold.lastAt),
      coverage: coverageOf(fold, lengthMs),
      questionable: fold.questionable ?? 0,
    });
  };

/** Emits the panes that are over and pending; gives the minutes that changed after they were closed. */
const closePanes = (state: WindowState, plan: Plan, now: LogTime, emit: Emit): Map<Series, number[]> => {
  const changed = new Map<Series, number[]>();
  for (const start of plan.touched) {
    if (start + paneMs + settleMs > now) break;
    const minute = floorTo(start, minuteMs);
    for (const series of plan.series) {
      const cell = paneCell(start, series.name);
      const pane = state.get(cell) as Pane | undefined;
      if (pane?.pending !== true) continue;
      emit(series, "tumbling", start, paneMs, pane.fold, pane.revision);
      state.set(cell, { fold: pane.fold, revision: pane.revision + 1, pending: false });
      const minutes = changed.get(series) ?? [];
      if (minute < plan.closedTo && minutes.at(-1) !== minute) changed.set(series, [...minutes, minute]);
    }
  }
  return changed;
};

/** New revisions of closed minutes and of every closed rolling window that holds them. */
const revise = (state: WindowState, plan: Plan, changed: ReadonlyMap<Series, readonly number[]>, emit: Emit): void => {
  for (const [series, minutes] of changed) {
    const rolling = new Set<number>();
    for (const minute of minutes) {
      closeMinute(state, series, minute, emit);
      for (let m = minute; m < Math.min(minute + rollingMs, plan.closedTo); m += minuteMs) rolling.add(m);
    }
    for (const minute of [...rolling].sort((a, b) => a - b)) roll(state, series, minute, emit);
  }
};

/** Closes the minutes that are over, as far as a rolling window can still hold a sample; gives the new `closedTo`. */
const closeMinutes = (state: WindowState, plan: Plan, now: LogTime, emit: Emit): number => {
  const over = floorTo(now - settleMs, minuteMs);
  const emptyFrom = Math.max(...plan.series.map((s) => s.latestMinute)) + rollingMs;
  for (let minute = plan.closedTo; minute < Math.min(over, emptyFrom); minute += minuteMs)
    for (const series of plan.series) {
      closeMinute(state, series, minute, emit);
      roll(state, series, minute, emit);
    }
  return Math.max(plan.closedTo, over);
};

const closeMinute = (state: WindowState, series: Series, minute: number, emit: Emit): void => {
  let fold: Fold | undefined;
  for (let start = minute; start < minute + minuteMs; start += paneMs)
    fold = merge(fold, paneOf(state, start, series.name)?.fold);
  if (fold === undefined) return;
  const known = minuteOf(state, minute, series.name);
  const revision = known?.revision ?? 0;
  emit(series, "tumbling", minute, minuteMs, fold, revision);
  state.set(minuteCell(minute, series.name), {
    fold,
    revision: revision + 1,
    rollingRevision: known?.rollingRevision ?? 0,
  });
};

/** The rolling window that ends with this minute. */
const roll = (state: WindowState, series: Series, minute: number, emit: Emit): void => {
  if (series.endedAt !== null && minute > series.endedAt) return;
  const start = minute + minuteMs - rollingMs;
  let fold: Fold | undefined;
  for (let m = start; m <= minute; m += minuteMs)
    fold = merge(fold, minuteOf(state, m, series.name)?.fold ?? undefined);
  if (fold === undefined) return;
  const known = minuteOf(state, minute, series.name) ?? { fold: null, revision: 0, rollingRevision: 0 };
  emit(series, "rolling", start, rollingMs, fold, known.rollingRevision);
  state.set(minuteCell(minute, series.name), { ...known, rollingRevision: known.rollingRevision + 1 });
};

/** Deletes the cells that nothing can change any more; null when no series is left. */
const forget = (state: WindowState, plan: Plan, now: LogTime): Plan | null => {
  const latest = Math.max(...plan.series.map((s) => s.latestMinute)) + rollingMs;
  const panesTo = Math.min(floorTo(now - paneKeptMs, paneMs) + paneMs, latest);
  const minutesTo = Math.min(floorTo(now - minuteKeptMs, minuteMs) + minuteMs, latest);
  for (const { name } of plan.series) {
    for (let start = plan.panesFrom; start < panesTo; start += paneMs) state.delete(paneCell(start, name));
    for (let start = plan.minutesFrom; start < minutesTo; start += minuteMs) state.delete(minuteCell(start, name));
  }
  // The last rolling window of a series lies a quarter-hour after its last sample.
  const series = plan.series.filter((s) => s.latestMinute + rollingMs + minuteKeptMs > now);
  if (series.length === 0) return null;
  return {
    ...plan,
    series,
    panesFrom: Math.max(plan.panesFrom, panesTo),
    minutesFrom: Math.max(plan.minutesFrom, minutesTo),
  };
};

const nextDue = (plan: Plan): LogTime => {
  const [pane] = plan.touched;
  const nextMinute = plan.closedTo + minuteMs + settleMs;
  return logTime(pane === undefined ? nextMinute : Math.min(pane + paneMs + settleMs, nextMinute));
};
