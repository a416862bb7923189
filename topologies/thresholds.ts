/**
 * Judges each measurement by the rules in force and makes episodes: a start when a crossing has lasted, an end when it has been back.
 * Each series (device, channel, metric) is judged alone (clinical.md 14), in the order of event time: what is not later than the last
 * judged sample of its series is not judged, unless that sample lies in the future. Nothing here waits for a timer or a watermark.
 */
import { stage, type Entry, type Out, type State } from "../streams/core/stage.ts";
import { logTime } from "../streams/core/time.ts";
import type { Association, DeviceState, Episode, Measurement, Rule, SubjectEnded } from "../schemas/records.ts";
import { episodes, telemetryQuarantine, type VitalsBody, vitals } from "../schemas/topics.ts";
import { isJudged } from "./thresholds/crossing.ts";
import { endOf, startOf } from "./thresholds/episode.ts";
import { type Advance, advance, end, type Machine } from "./thresholds/machine.ts";
import { inPast, rewound, type Series } from "./thresholds/rewind.ts";
import {
  noRules,
  type Population,
  rulesFor,
  type RuleSets,
  rulesInForce,
  unknownPopulation,
  withRules,
} from "./thresholds/rules-in-force.ts";

interface Left {
  readonly at: number;
  readonly loggedAt: number;
}
/** Each open episode's start has a cell of its own, written once. */
type Cell = Series | Episode | Population | Left;

const writes = { episodes, quarantine: telemetryQuarantine };
type EpisodesOut = Out<typeof writes>;
type Judging = State<Cell>;

const seriesName = (of: { metric: string; device: string; channel: string }): string =>
  `${of.metric}/${of.device}/${of.channel}`;
const seriesCell = (name: string): string => `series/${name}`;
const episodeCell = (ruleId: string, name: string): string => `episode/${ruleId}/${name}`;
const populationCell = (device: string): string => `population/${device}`;
const leftCell = (device: string): string => `left/${device}`;

/** How long it is remembered that a device left: measurements that arrive later than this are too late for anything. */
const leftKeptMs = 600_000;

export const thresholds = stage<VitalsBody, typeof writes, Cell, RuleSets>("thresholds", {
  version: 1,
  reads: vitals,
  writes,
  quarantine: "quarantine",
  shared: {
    empty: noRules,
    kinds: ["rules"],
    apply: (known, body) => (body.kind === "rules" ? withRules(known, body) : known),
  },
  step(state, entry, out, rules) {
    const { key, logTime: at, body } = entry;
    if (body.kind === "measurement") judge(state, entry, body, out, rules);
    else if (body.kind === "association") link(state, key, at, body, out);
    else if (body.kind === "deviceState") learnUnit(state, key, body);
    else if (body.kind === "subjectEnded") leave(state, key, at, body, out);
  },
  due: forgetLeft,
});

const judge = (state: Judging, entry: Entry<VitalsBody>, said: Measurement, out: EpisodesOut, sets: RuleSets): void => {
  const m = inPast(said);
  const name = seriesName(m);
  const known = state.get(seriesCell(name)) as Series | undefined;
  const series = known && rewound(known, m, entry.logTime);
  if (series !== undefined && m.eventTime <= series.judgedAt) return;
  if (hasLeft(state, m)) return;
  const inForce = rulesInForce(sets, entry.logTime);
  const population = (state.get(populationCell(m.device)) as Population | undefined) ?? unknownPopulation;
  const rules = inForce === undefined ? [] : rulesFor(inForce, m.metric, population);
  const tell = teller(state, entry.key, name, out);

  const machines: Machine[] = [];
  for (const machine of series?.machines ?? [])
    if (!rules.some((rule) => isOf(machine, rule))) tell(end(machine, "rule changed"));
  for (const rule of rules) {
    const before = series?.machines.find((machine) => isOf(machine, rule));
    const after = advance(before, rule, m);
    if (after.machine !== undefined) machines.push(after.machine);
    if (after.moves.length > 0) tell(after, (machine) => startOf(machine, rule, inForce?.version ?? 0, m, entry.key));
  }
  const judgedAt = isJudged(m) ? m.eventTime : series?.judgedAt;
  if (judgedAt !== undefined) state.set(seriesCell(name), { judgedAt, machines });
};

const isOf = (machine: Machine, rule: Rule): boolean =>
  machine.ruleId === rule.id && machine.ruleVersion === rule.version;

/** Writes the starts and ends of an advance. Only what was told to start is told to end. */
const teller =
  (state: Judging, subject: string, name: string, out: EpisodesOut) =>
  ({ moves }: Advance, starting?: (machine: Machine) => Episode): void => {
    for (const move of moves) {
      const cell = episodeCell(move.machine.ruleId, name);
      if (move.what === "start" && starting !== undefined) {
        const start = starting(move.machine);
        state.set(cell, start);
        out.emit("episodes", subject, start);
      }
      if (move.what === "end") {
        const start = state.get(cell) as Episode;
        state.delete(cell);
        out.emit("episodes", subject, endOf(start, move.machine, move.ended));
      }
    }
  };

/** A measurement from before its device left; one from after it means that the device is back. */
const hasLeft = (state: Judging, m: Measurement): boolean => {
  const left = state.get(leftCell(m.device)) as Left | undefined;
  if (left === undefined) return false;
  if (m.eventTime <= left.at) return true;
  state.delete(leftCell(m.device));
  return false;
};

const link = (state: Judging, key: string, at: number, association: Association, out: EpisodesOut): void => {
  out.emit("episodes", key, association);
  const over = association.to !== null && association.to <= at;
  if (over) return;
  state.set(populationCell(association.device), { ageBand: association.ageBand, unit: association.unit });
  state.delete(leftCell(association.device));
};

/** The key of a device that nobody is linked to is the device itself; its unit is where it stands. */
const learnUnit = (state: Judging, key: string, { device, unit }: DeviceState): void => {
  const known = state.get(populationCell(device)) as Population | undefined;
  if (key === device && known?.unit !== unit) state.set(populationCell(device), { ageBand: null, unit });
};

const leave = (
  state: Judging,
  key: string,
  at: number,
  { device, at: leftAt }: SubjectEnded,
  out: EpisodesOut,
): void => {
  for (const [cell, value] of state.cells()) {
    const [kind, metric, of, ...channel] = cell.split("/");
    if (kind !== "series" || of !== device) continue;
    const tell = teller(state, key, `${metric}/${device}/${channel.join("/")}`, out);
    for (const machine of (value as Series).machines) tell(end(machine, "subject ended"));
    state.delete(cell);
  }
  state.set(leftCell(device), { at: leftAt, loggedAt: at });
  state.dueAt = logTime(at + leftKeptMs);
};

function forgetLeft(state: Judging, now: number): void {
  for (const [cell, value] of state.cells()) {
    const [kind, device] = cell.split("/");
    if (kind !== "left" || device === undefined) continue;
    const { loggedAt } = value as Left;
    if (loggedAt + leftKeptMs <= now) {
      state.delete(cell);
      state.delete(populationCell(device));
    } else state.dueAt = logTime(loggedAt + leftKeptMs);
  }
}
