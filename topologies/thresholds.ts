/**
 * Judges each measurement by the rules in force and makes episodes: a start when a crossing has lasted, an end when it has been back.
 * Each series (device, channel, metric) is judged alone (clinical.md 14), in the order of event time: what is not later than the last
 * judged sample of its series is not judged, unless that sample lies in the future. Nothing here waits for a timer or a watermark.
 */
import { stage, type Entry, type Out } from "../streams/core/stage.ts";
import type { SensorState, StillCrossing } from "../schemas/alert-records.ts";
import type { Association, DeviceState, Episode, Measurement, Rule, SubjectEnded } from "../schemas/records.ts";
import { episodes, telemetryQuarantine, type VitalsBody, vitals } from "../schemas/topics.ts";
import {
  type Cell,
  episodeCell,
  type Judging,
  type Left,
  leftCell,
  lookNoLaterThan,
  populationCell,
  seriesCell,
  seriesName,
  seriesOf,
} from "./thresholds/cells.ts";
import { isJudged } from "./thresholds/crossing.ts";
import { endOf, startOf } from "./thresholds/episode.ts";
import { type Advance, advance, end, type Machine } from "./thresholds/machine.ts";
import { inPast, rewound, type Series } from "./thresholds/rewind.ts";
import { lookRound, sensorState } from "./thresholds/round.ts";
import {
  noRules,
  type Population,
  rulesFor,
  type RuleSets,
  rulesInForce,
  unknownPopulation,
  withRules,
} from "./thresholds/rules-in-force.ts";
import {
  type Heard,
  isLasting,
  lookAt,
  type Sensor,
  sensorAfter,
  silenceLimitMs,
  stuckAfter,
} from "./thresholds/sensor.ts";
import { isLate, stillWhy } from "./thresholds/still.ts";

const writes = { episodes, quarantine: telemetryQuarantine };
type EpisodesOut = Out<typeof writes>;
/** How long it is remembered that a device left: measurements that arrive later than this are too late for anything. */
const leftKeptMs = 600_000;

export const thresholds = stage<VitalsBody, typeof writes, Cell, RuleSets>("thresholds", {
  // 2: says what the alert circuit must know of devices, series and open episodes
  version: 2,
  migrate: { cells: (_from, _key, cells) => cells as Record<string, Cell> },
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
    else if (body.kind === "deviceState") learnUnit(state, key, body, out);
    else if (body.kind === "deviceAlarm") out.emit("episodes", key, body);
    else if (body.kind === "subjectEnded") leave(state, key, at, body, out);
  },
  due(state, now, key, out) {
    state.dueAt = null;
    lookRound(state, now, key, (said) => out.emit("episodes", key, said));
    forgetLeft(state, now);
  },
});

const judge = (state: Judging, entry: Entry<VitalsBody>, said: Measurement, out: EpisodesOut, sets: RuleSets): void => {
  const m = inPast(said);
  const name = seriesName(m);
  const known = state.get(seriesCell(name)) as Series | undefined;
  const series = known && rewound(known, m, entry.logTime);
  if (series !== undefined && m.eventTime <= series.judgedAt) {
    sayStuck(state, entry, series, m, out);
    return;
  }
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
    const why = stillWhy(before, after.machine, m, entry.logTime);
    if (why !== null) stillCrosses(state, entry.key, episodeCell(rule.id, name), why, m, out);
    if (after.machine !== undefined) machines.push(timely(after, why, isLate(m, entry.logTime)));
    if (after.moves.length > 0) tell(after, (machine) => startOf(machine, rule, inForce?.version ?? 0, m, entry.key));
  }
  const judgedAt = isJudged(m) ? m.eventTime : (series?.judgedAt ?? 0);
  const { heardAt, limitMs, sensor } = hear(state, entry, series, m, out);
  const heard = { judgedAt, machines, heardAt, limitMs };
  state.set(seriesCell(name), sensor === undefined ? heard : { ...heard, sensor });
};

/** A sample that is not judged, for its time has passed: where there are no others for long, nobody judges the series. */
const sayStuck = (
  state: Judging,
  { key, logTime: now }: Entry<VitalsBody>,
  series: Series,
  m: Measurement,
  out: EpisodesOut,
): void => {
  const sensor = stuckAfter(series, series.judgedAt, now);
  if (sensor === undefined) return;
  state.set(seriesCell(seriesName(m)), { ...series, sensor });
  if (sensor.told) out.emit("episodes", key, sensorState({ ...m, subject: key }, sensor, m.receivedTime));
};

/** When its series was heard, and what that says of its sensor. */
const hear = (
  state: Judging,
  { key, logTime: now }: Entry<VitalsBody>,
  before: Series | undefined,
  m: Measurement,
  out: EpisodesOut,
): Heard => {
  const limitMs = silenceLimitMs(m);
  const sensor = sensorAfter(before, m, now);
  const well = sensor === undefined && before?.sensor === undefined;
  const heard = well ? { heardAt: now, limitMs } : tellSensor(sensor, before, { heardAt: now, limitMs }, key, m, out);
  lookNoLaterThan(state, lookAt(heard));
  return heard;
};

/** Says that a series has become unusable, otherwise unusable, or usable again. */
const tellSensor = (
  sensor: Sensor | undefined,
  before: Series | undefined,
  heard: { readonly heardAt: number; readonly limitMs: number | null },
  subject: string,
  m: Measurement,
  out: EpisodesOut,
): Heard => {
  const { device, channel, metric } = m;
  const told = before?.sensor?.told === true ? before.sensor : undefined;
  const say = (said: Pick<Sensor, "since" | "evidence"> & { readonly state: SensorState["state"] }): void =>
    out.emit("episodes", subject, sensorState({ subject, device, channel, metric }, said, m.receivedTime));
  if (sensor === undefined) {
    if (told !== undefined) say({ state: "usable", since: m.eventTime, evidence: null });
    return heard;
  }
  const lasting = isLasting(sensor, heard.limitMs, heard.heardAt);
  if (lasting && told?.state !== sensor.state) say(sensor);
  return { ...heard, sensor: lasting ? { ...sensor, told: true } : sensor };
};

/** The machine after a start that came late, or the first sample that came in time. */
const timely = ({ machine, moves }: Advance, why: StillCrossing["why"] | null, late: boolean): Machine => {
  const { late: was, ...rest } = machine as Machine;
  const isLateNow = moves.some(({ what }) => what === "start") ? late : was === true && why !== "current";
  return isLateNow ? { ...rest, late: true } : rest;
};

const stillCrosses = (
  state: Judging,
  subject: string,
  cell: string,
  why: StillCrossing["why"],
  { device, value, eventTime: at, receivedTime }: Measurement,
  out: EpisodesOut,
): void => {
  const { identity } = state.get(cell) as Episode;
  const kind = "stillCrossing";
  out.emit("episodes", subject, { kind, episode: identity, subject, device, why, value: value ?? 0, at, receivedTime });
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
const learnUnit = (state: Judging, key: string, standing: DeviceState, out: EpisodesOut): void => {
  out.emit("episodes", key, standing);
  const { device, unit } = standing;
  const known = state.get(populationCell(device)) as Population | undefined;
  if (key === device && known?.unit !== unit) state.set(populationCell(device), { ageBand: null, unit });
};

const leave = (state: Judging, key: string, at: number, ended: SubjectEnded, out: EpisodesOut): void => {
  const { device, at: leftAt } = ended;
  for (const { cell, series, ...source } of seriesOf(state)) {
    if (source.device !== device) continue;
    const tell = teller(state, key, seriesName(source), out);
    for (const machine of series.machines) tell(end(machine, "subject ended"));
    state.delete(cell);
  }
  out.emit("episodes", key, ended);
  state.set(leftCell(device), { at: leftAt, loggedAt: at });
  lookNoLaterThan(state, at + leftKeptMs);
};

const forgetLeft = (state: Judging, now: number): void => {
  for (const [cell, value] of state.cells()) {
    const [kind, device] = cell.split("/");
    if (kind !== "left" || device === undefined) continue;
    const { loggedAt } = value as Left;
    if (loggedAt + leftKeptMs <= now) {
      state.delete(cell);
      state.delete(populationCell(device));
    } else lookNoLaterThan(state, loggedAt + leftKeptMs);
  }
};
