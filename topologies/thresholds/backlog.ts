/**
 * Samples that a device had stored and sends when it is live again: older than what was judged of their series, in a stretch that nobody has
 * judged. They go through machines of their own, in the order in which they come; what crosses in them is an episode that is told as late,
 * whatever is measured now, and is over when the backlog is (clinical.md 7: one delayed item, never silence, and never a page as current).
 *
 * A backlog is taken forwards: of one that comes newest first each sample is judged alone, so that only rules without a duration see anything
 * in it. That is said once (`backlog-backwards`).
 */
import type { Entry } from "../../streams/core/stage.ts";
import type { Measurement } from "../../schemas/records/telemetry.ts";
import type { VitalsBody } from "../../schemas/topics.ts";
import { backlogCell, type Judging, judgedCell, lookNoLaterThan, seriesName } from "./cells.ts";
import { isJudged } from "./crossing.ts";
import { isJudgedAt, isJudgedBetween, type Judged, roomMs, type Stretch, withStretch } from "./judged.ts";
import { advance, type Machine } from "./machine.ts";
import { silenceLimitMs } from "./sensor.ts";
import { lateMs } from "./still.ts";
import { type EpisodesOut, type RulesNow, Teller } from "./telling.ts";

/** A run of a series' backlog that is being judged. */
export interface Backlog {
  /** Event time of its last sample, and of the first since which it has left no room for others. */
  readonly from: number;
  readonly judgedAt: number;
  /** Log time of its last sample. */
  readonly heardAt: number;
  readonly machines: readonly Machine[];
  /** Of its series. */
  readonly roomMs: number;
  /** It comes newest first, which has been said. */
  readonly backwards?: true;
}

/** A backlog of which nothing more came for so long, in ms of log time, is over. */
const overAfterMs = 10_000;

/**
 * Whether a sample that is not later than the last one judged belongs to a backlog: by its age, for what is only out of order is not told
 * apart from what was heard around it; and not where its own stretch was judged live, for then it was lost or comes again.
 */
export const isBacklog = (m: Measurement, judgedFrom: number, judgedAt: number): boolean =>
  m.eventTime < judgedFrom && judgedAt - m.eventTime >= Math.min(lateMs, silenceLimitMs(m) ?? lateMs);

/** Judges a sample of a backlog; one in a stretch that was judged already says nothing. */
export const judgeBacklog = (
  state: Judging,
  { key, logTime: now }: Entry<VitalsBody>,
  m: Measurement,
  rulesNow: RulesNow,
  out: EpisodesOut,
): void => {
  const name = seriesName(m);
  const at = m.eventTime;
  if (!isJudged(m) || isJudgedAt(judgedOf(state, name), at)) return;
  const known = state.get(backlogCell(name)) as Backlog | undefined;
  if (known !== undefined && known.from <= at && at <= known.judgedAt) return;
  const goesOn =
    known !== undefined && at > known.judgedAt && !isJudgedBetween(judgedOf(state, name), known.judgedAt, at);
  if (known !== undefined && !goesOn) closeBacklog(state, key, name, out, "the stored readings go on elsewhere");
  const backwards = known !== undefined && !goesOn && isBackwards(known, at);
  if (backwards && known.backwards !== true)
    out.quarantine({
      reason: "backlog-backwards",
      detail: `${name}: its stored readings come newest first: no duration can be judged in them`,
    });
  const teller = new Teller(state, key, name, out, true);
  const machines = machinesAfter(teller, goesOn ? known.machines : [], m, rulesNow);
  const leavesRoom = goesOn && at - known.judgedAt > roomMs(m);
  if (leavesRoom) rememberJudged(state, name, [known.from, known.judgedAt], known.roomMs);
  const from = goesOn && !leavesRoom ? known.from : at;
  const next: Backlog = { from, judgedAt: at, heardAt: now, machines, roomMs: roomMs(m) };
  state.set(backlogCell(name), backwards ? { ...next, backwards } : next);
  lookNoLaterThan(state, now + overAfterMs);
};

const machinesAfter = (
  teller: Teller,
  before: readonly Machine[],
  m: Measurement,
  { rules, version }: RulesNow,
): readonly Machine[] => {
  teller.endOthers(before, rules);
  return rules.flatMap((rule) => {
    const after = advance(teller.found(before, rule, version, m), rule, m);
    teller.tell(after, rule, version, m);
    return after.machine ?? [];
  });
};

/** One sample after the other, each just before the last. */
const isBackwards = ({ from, judgedAt, roomMs: room }: Backlog, at: number): boolean =>
  from === judgedAt && at < from && from - at <= room;

/** Ends what is open of a series' backlog and remembers its stretch. */
export const closeBacklog = (state: Judging, key: string, name: string, out: EpisodesOut, why: string): void => {
  const known = state.get(backlogCell(name)) as Backlog | undefined;
  if (known === undefined) return;
  const teller = new Teller(state, key, name, out, true);
  for (const machine of known.machines) teller.end(machine, why);
  state.delete(backlogCell(name));
  rememberJudged(state, name, [known.from, known.judgedAt], known.roomMs);
};

/** Closes the backlogs of which nothing more has come by `now`. */
export const closeQuiet = (state: Judging, now: number, key: string, out: EpisodesOut): void => {
  const backlogs = [...state.cells()].filter(([cell]) => cell.startsWith(backlogCell("")));
  for (const [cell, value] of backlogs) {
    const { heardAt } = value as Backlog;
    if (heardAt + overAfterMs > now) lookNoLaterThan(state, heardAt + overAfterMs);
    else closeBacklog(state, key, cell.slice(backlogCell("").length), out, "the stored readings end here");
  }
};

/** That a stretch of a series was judged. */
export const rememberJudged = (state: Judging, name: string, stretch: Stretch, room: number): void =>
  state.set(judgedCell(name), withStretch(judgedOf(state, name), stretch, room));

const judgedOf = (state: Judging, name: string): Judged => (state.get(judgedCell(name)) as Judged | undefined) ?? [];
