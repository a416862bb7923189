/**
 * Cuts each subject's measurements into tumbling windows of 10 s and 60 s and a rolling quarter-hour each minute. Windows are cut
 * by event time and closed by stream time; late data makes the next revision of the same window, at the next tick.
 */
import { stage, type Entry, type Out } from "../streams/core/stage.ts";
import { logTime } from "../streams/core/time.ts";
import type { Measurement, SubjectEnded } from "../schemas/records/telemetry.ts";
import { telemetryQuarantine, type VitalsBody, vitals, windows as windowsTopic } from "../schemas/topics.ts";
import {
  type Cell,
  floorTo,
  latenessMs,
  minuteMs,
  paneCell,
  paneMs,
  type Pane,
  type Plan,
  planCell,
  planOf,
  type Series,
  settleMs,
  type WindowState,
} from "./windows/cells.ts";
import { closeDue } from "./windows/close.ts";
import { foldOf, largestValue, merge } from "./fold.ts";

const writes = { windows: windowsTopic, quarantine: telemetryQuarantine };
export type WindowsOut = Out<typeof writes>;

/** Only `valid` and `questionable` values count. Refuses `too-late`, `ahead-of-log` and `not-aggregable`. */
export const windows = stage<VitalsBody, typeof writes, Cell, null>("windows", {
  // 2: says how many samples were questionable, and forwards links and their ends to what reads windows
  version: 2,
  migrate: { cells: (_from, _key, cells) => cells as Record<string, Cell> },
  reads: vitals,
  writes,
  quarantine: "quarantine",
  shared: { empty: null, kinds: ["rules"], apply: (none) => none },
  step(state, { key, logTime: at, body }, out) {
    if (body.kind === "measurement") addTo(state, at, body, out);
    else if (body.kind === "association") out.emit("windows", key, body);
    else if (body.kind === "subjectEnded") {
      endSeries(state, body);
      out.emit("windows", key, body);
    }
  },
  due: closeDue,
});

const addTo = (state: WindowState, at: Entry<VitalsBody>["logTime"], m: Measurement, out: WindowsOut): void => {
  if (m.value === null || (m.validity !== "valid" && m.validity !== "questionable")) return;
  const start = floorTo(m.eventTime, paneMs);
  const refusal = refusalOf(m, start, at);
  if (refusal !== null) {
    out.quarantine(refusal, { eventTime: m.eventTime });
    return;
  }
  const name = `${m.metric}/${m.device}/${m.channel}`;
  const cell = paneCell(start, name);
  const pane = state.get(cell) as Pane | undefined;
  // An irregular series has no expected samples to miss: each stands for the whole pane.
  const fold = foldOf({
    value: m.value === 0 ? 0 : m.value,
    at: m.eventTime,
    coversMs: m.periodMs ?? paneMs,
    questionable: m.validity === "questionable",
  });
  state.set(cell, {
    fold: merge(pane?.fold, fold) ?? fold,
    revision: pane?.revision ?? 0,
    pending: true,
  });
  if (pane?.pending !== true) plan(state, m, name, start, at);
};

const refusalOf = (m: Measurement, start: number, at: number): { reason: string; detail: string } | null => {
  const of = `${m.metric} of ${m.device}`;
  if (at > start + paneMs + latenessMs)
    return {
      reason: "too-late",
      detail: `${of}: its 10 s window ended ${at - start - paneMs} ms before it was logged`,
    };
  if (start > at + minuteMs)
    return { reason: "ahead-of-log", detail: `${of}: its event time is ${m.eventTime - at} ms after its log time` };
  if (Math.abs(m.value ?? 0) > largestValue)
    return { reason: "not-aggregable", detail: `${of}: ${m.value} ${m.ucum} is beyond ${largestValue}` };
  return null;
};

/** The pane waits for its emission from now on. */
const plan = (state: WindowState, m: Measurement, name: string, start: number, at: number): void => {
  const minute = floorTo(start, minuteMs);
  const known: Plan = planOf(state) ?? {
    series: [],
    touched: [],
    closedTo: floorTo(at - settleMs, minuteMs),
    panesFrom: start,
    minutesFrom: minute,
  };
  state.set(planCell, {
    ...known,
    series: withSeries(known.series, m, name, minute),
    touched: known.touched.includes(start) ? known.touched : [...known.touched, start].sort((a, b) => a - b),
    panesFrom: Math.min(known.panesFrom, start),
    minutesFrom: Math.min(known.minutesFrom, minute),
  });
  const closesAt = logTime(start + paneMs + settleMs);
  if (state.dueAt === null || closesAt < state.dueAt) state.dueAt = closesAt;
};

const withSeries = (all: readonly Series[], m: Measurement, name: string, minute: number): readonly Series[] => {
  const known = all.find((s) => s.name === name);
  if (known === undefined) {
    const { device, channel, metric, ucum } = m;
    return [...all, { name, device, channel, metric, ucum, latestMinute: minute, endedAt: null }];
  }
  const endedAt = known.endedAt !== null && m.eventTime > known.endedAt ? null : known.endedAt;
  if (minute <= known.latestMinute && endedAt === known.endedAt) return all;
  const latestMinute = Math.max(minute, known.latestMinute);
  return all.map((s) => (s === known ? { ...s, latestMinute, endedAt } : s));
};

const endSeries = (state: WindowState, ended: SubjectEnded): void => {
  const known = planOf(state);
  if (known === undefined) return;
  const series = known.series.map((s) => (s.device === ended.device ? { ...s, endedAt: ended.at } : s));
  state.set(planCell, { ...known, series });
};
