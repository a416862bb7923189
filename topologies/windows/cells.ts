/**
 * How a subject's windows lie in state. A sample touches one cell, its series' 10 s pane; minutes are composed of six panes and
 * the rolling quarter-hours of fifteen minutes, so that a checkpoint writes one small cell per series and pane.
 */
import type { State } from "../../streams/core/stage.ts";
import type { Fold } from "../fold.ts";

export const paneMs = 10_000;
export const minuteMs = 60_000;
export const rollingMs = 900_000;
/** A window closes this long after its end, in stream time: the usual delay of a message. */
export const settleMs = 2_000;
/** A sample whose pane ended longer ago than this, by its own log time, is too late. */
export const latenessMs = 300_000;
/** Panes of one minute are kept until the last of them can no longer change. */
export const paneKeptMs = paneMs + latenessMs + minuteMs;
/** A minute is kept while a rolling window that holds it can still change. */
export const minuteKeptMs = minuteMs + rollingMs + latenessMs + minuteMs;

export interface Series {
  /** Metric, device and channel; unique, for a metric's name has no slash and neither has an MQTT topic's segment. */
  readonly name: string;
  readonly device: string;
  readonly channel: string;
  readonly metric: string;
  readonly ucum: string;
  /** The latest minute that has samples. */
  readonly latestMinute: number;
  /** When the device left the subject; no rolling window begins a minute after it. */
  readonly endedAt: number | null;
}

export interface Pane {
  readonly fold: Fold;
  /** Revision that the next emission gets. */
  readonly revision: number;
  /** Changed since it was last emitted. */
  readonly pending: boolean;
}

export interface Minute {
  /** Null where the series had no sample in it; the rolling window that ends with it may still have some. */
  readonly fold: Fold | null;
  readonly revision: number;
  readonly rollingRevision: number;
}

export interface Plan {
  /** In order of first appearance. */
  readonly series: readonly Series[];
  /** Starts of panes that wait to be emitted, ascending. */
  readonly touched: readonly number[];
  /** Minutes that start before this were closed. */
  readonly closedTo: number;
  /** Cells that start before these were deleted. */
  readonly panesFrom: number;
  readonly minutesFrom: number;
}

export type Cell = Plan | Pane | Minute;
export type WindowState = State<Cell>;

export const paneCell = (start: number, series: string): string => `pane/${start}/${series}`;
export const minuteCell = (start: number, series: string): string => `minute/${start}/${series}`;
export const planCell = "plan";

export const floorTo = (ms: number, length: number): number => Math.floor(ms / length) * length;

export const planOf = (state: WindowState): Plan | undefined => state.get(planCell) as Plan | undefined;
export const paneOf = (state: WindowState, start: number, series: string): Pane | undefined =>
  state.get(paneCell(start, series)) as Pane | undefined;
export const minuteOf = (state: WindowState, start: number, series: string): Minute | undefined =>
  state.get(minuteCell(start, series)) as Minute | undefined;
