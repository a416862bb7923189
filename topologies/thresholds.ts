/**
 * Judges each measurement by the rules in force and makes episodes: a start when a crossing has lasted, an end when it has been back.
 * Each series (device, channel, metric) is judged alone (clinical.md 14), in the order of event time: what is not later than the last
 * judged sample of its series is judged beside it where it was stored and nobody has judged its time (thresholds/backlog.ts), and else not.
 * No live sample waits for a timer or a watermark.
 */
import { stage, type Entry } from "../streams/core/stage.ts";
import type { SensorState, StillCrossing } from "../schemas/records/alert.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { DeviceState, Episode, Measurement, SubjectEnded } from "../schemas/records/telemetry.ts";
import { episodes, telemetryQuarantine, type VitalsBody, vitals } from "../schemas/topics.ts";
import { closeBacklog, closeQuiet, isBacklog, judgeBacklog, rememberJudged } from "./thresholds/backlog.ts";
import {
  type Cell,
  episodeCell,
  type Judging,
  judgedCell,
  type Left,
  leftCell,
  lookNoLaterThan,
  populationCell,
  seriesCell,
  seriesName,
  seriesOf,
} from "./thresholds/cells.ts";
import { isJudged } from "./thresholds/crossing.ts";
import { roomMs } from "./thresholds/judged.ts";
import { type Advance, advance, type Machine } from "./thresholds/machine.ts";
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
import { type EpisodesOut, type RulesNow, Teller } from "./thresholds/telling.ts";

const writes = { episodes, quarantine: telemetryQuarantine };
/** How long it is remembered that a device left, and what was judged of it: what it had stored may come as much later. */
const leftKeptMs = 86_400_000;

export const thresholds = stage<VitalsBody, typeof writes, Cell, RuleSets>("thresholds", {
  // 2: says what the alert circuit must know of devices, series and open episodes
  // 3: judges stored readings that come after live ones, and keeps an episode over a new version of its rule
  version: 3,
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
    closeQuiet(state, now, key, out);
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
    if (isBacklog(m, series.from ?? series.judgedAt, series.judgedAt))
      judgeBacklog(state, entry, m, rulesNow(state, m, entry.logTime, sets), out);
    return;
  }
  if (hasLeft(state, m)) {
    if (isLate(m, entry.logTime)) judgeBacklog(state, entry, m, rulesNow(state, m, entry.logTime, sets), out);
    return;
  }
  const machines = judgeLive(state, entry, series, m, rulesNow(state, m, entry.logTime, sets), out);
  const judged = isJudged(m) ? goneOn(state, series, m) : { judgedAt: series?.judgedAt ?? 0, from: series?.from };
  const { heardAt, limitMs, sensor } = hear(state, entry, series, m, out);
  const { judgedAt, from } = judged;
  const heard: Series = { judgedAt, ...(from !== undefined && { from }), machines, heardAt, limitMs };
  state.set(seriesCell(name), sensor === undefined ? heard : { ...heard, sensor });
};

const rulesNow = (state: Judging, { device, metric }: Measurement, at: number, sets: RuleSets): RulesNow => {
  const inForce = rulesInForce(sets, at);
  const population = (state.get(populationCell(device)) as Population | undefined) ?? unknownPopulation;
  return { rules: inForce === undefined ? [] : rulesFor(inForce, metric, population), version: inForce?.version ?? 0 };
};

/** The series' machines after its latest sample, with what that tells. */
const judgeLive = (
  state: Judging,
  { key, logTime: now }: Entry<VitalsBody>,
  series: Series | undefined,
  m: Measurement,
  { rules, version }: RulesNow,
  out: EpisodesOut,
): readonly Machine[] => {
  const name = seriesName(m);
  const known = series?.machines ?? [];
  const teller = new Teller(state, key, name, out, false);
  if (known.length > 0) teller.endOthers(known, rules);
  const machines: Machine[] = [];
  for (const rule of rules) {
    const before = known.length === 0 ? undefined : teller.found(known, rule, version, m);
    const after = advance(before, rule, m);
    const why = stillWhy(before, after.machine, m, now);
    if (why !== null) stillCrosses(state, key, episodeCell(rule.id, name), why, m, out);
    if (after.machine !== undefined) machines.push(timely(after, why, isLate(m, now)));
    if (after.moves.length > 0) teller.tell(after, rule, version, m);
  }
  return machines;
};

/** Up to when the series is judged now, and since when without room for what was stored: a stretch that a gap closes is remembered. */
const goneOn = (state: Judging, series: Series | undefined, m: Measurement): { judgedAt: number; from: number } => {
  const { judgedAt = 0 } = series ?? {};
  if (series === undefined || judgedAt === 0) return { judgedAt: m.eventTime, from: m.eventTime };
  const from = series.from ?? judgedAt;
  if (m.eventTime - judgedAt <= roomMs(m)) return { judgedAt: m.eventTime, from };
  rememberJudged(state, seriesName(m), [from, judgedAt], roomMs(m));
  return { judgedAt: m.eventTime, from: m.eventTime };
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
  // One of another's goes on to whoever must know what the device turned out to measure; here it says nothing.
  if (association.subject !== key) return;
  const over = association.voided || (association.to !== null && association.to <= at);
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
    const name = seriesName(source);
    const teller = new Teller(state, key, name, out, false);
    for (const machine of series.machines) teller.end(machine, subjectEnded);
    closeBacklog(state, key, name, out, subjectEnded);
    const { from, judgedAt } = series;
    if (judgedAt > 0) rememberJudged(state, name, [from ?? judgedAt, judgedAt], 0);
    state.delete(cell);
  }
  out.emit("episodes", key, ended);
  state.set(leftCell(device), { at: leftAt, loggedAt: at });
  lookNoLaterThan(state, at + leftKeptMs);
};

const subjectEnded = "subject ended";

const forgetLeft = (state: Judging, now: number): void => {
  for (const [cell, value] of state.cells()) {
    const [kind, device] = cell.split("/");
    if (kind !== "left" || device === undefined) continue;
    const { loggedAt } = value as Left;
    if (loggedAt + leftKeptMs > now) lookNoLaterThan(state, loggedAt + leftKeptMs);
    else {
      state.delete(cell);
      state.delete(populationCell(device));
      forgetJudged(state, device);
    }
  }
};

/** What was stored of a device that left for so long is beyond telling apart from what was judged. */
const forgetJudged = (state: Judging, device: string): void => {
  for (const [cell] of state.cells()) {
    const [kind, , of] = cell.split("/");
    if (`${kind}/` === judgedCell("") && of === device) state.delete(cell);
  }
};
