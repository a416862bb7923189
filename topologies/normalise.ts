/**
 * Gives what devices sent its meaning: who it is from, what was measured in which unit, when, of whom, and whether it is a value at all.
 * Once per raw topic: numerics become measurements, waveforms become chunks. The numerics also say how each device stands and what it alarms.
 */
import type { Problem } from "../streams/core/failure.ts";
import { stage, type Entry, type Out } from "../streams/core/stage.ts";
import type { EventTime, LogTime } from "../streams/core/time.ts";
import type { DecodedMeasurement, DecodedReading } from "../schemas/devices/adapter.ts";
import type { Association, Device } from "../schemas/records/roster.ts";
import type { Measurement, Reading } from "../schemas/records/telemetry.ts";
import { type RawBody, raw, rawWaveforms, telemetryQuarantine, vitals, waveforms } from "../schemas/topics.ts";
import { aheadReason } from "./ahead.ts";
import { alarmsAfter } from "./normalise/alarms.ts";
import { chunksOf } from "./normalise/chunks.ts";
import {
  alarmListsOf,
  alarmsOf,
  associationsOf,
  type Cell,
  type DeviceCells,
  deviceOf,
  learnDevice,
  linkGapOf,
  type OwnTimed,
  type OwnTimedValue,
  presenceOf,
  standingOf,
  withTellings,
} from "./normalise/device.ts";
import { type Associations, keysConcerned, linksBeside, withAssociation } from "./normalise/holder.ts";
import { presenceAfter, revised, type Sign, withInterruption } from "./normalise/interruptions.ts";
import { type Adapters, isPlatformTopic } from "./normalise/intake.ts";
import { measurementsOf, type Refusal } from "./normalise/measurements.ts";
import { counted, expectedSince, heard, refused, type Standing } from "./normalise/standing.ts";
import { alarmOfStranger, endStranger, forgetStranger } from "./normalise/stranger.ts";
import { passTime } from "./normalise/tell.ts";
import { understand, type Understood } from "./normalise/understand.ts";

const vitalsWrites = { vitals, quarantine: telemetryQuarantine };
const waveformWrites = { waveforms, quarantine: telemetryQuarantine };
type VitalsOut = Out<typeof vitalsWrites>;
type WaveformsOut = Out<typeof waveformWrites>;

const rulesPassBy = { empty: null, kinds: ["rules"], apply: (none: null) => none };

/** `telemetry.raw` to `telemetry.vitals`. */
export const normalise = (adapters: Adapters) =>
  stage<RawBody, typeof vitalsWrites, Cell, null>("normalise", {
    // 2: devices' own alarms
    // 3: also those of a device that no roster names, and the graver ones first where there are too many; what interrupts a link
    version: 3,
    migrate: { cells: (_from, _key, cells) => withTellings(cells as Record<string, Cell>) },
    reads: raw,
    writes: vitalsWrites,
    quarantine: "quarantine",
    shared: rulesPassBy,
    step(state, entry, out) {
      const { body, logTime: at, key } = entry;
      if (body.kind === "device") {
        endStranger(state, at, key, out);
        expect(state, body, at);
      } else if (body.kind === "association") associate(state, body, entry, out);
      else if (body.kind === "reading") measure(state, entry, body, adapters, out);
      passTime(state, at, key, out);
    },
    due(state, now, key, out) {
      forgetStranger(state, now, key, out);
      passTime(state, now, key, out);
    },
  });

/** `telemetry.raw.waveforms` to `telemetry.waveforms`. */
export const normaliseWaveforms = (adapters: Adapters) =>
  stage<RawBody, typeof waveformWrites, Cell, null>("normalise-waveforms", {
    version: 1,
    reads: rawWaveforms,
    writes: waveformWrites,
    quarantine: "quarantine",
    shared: rulesPassBy,
    step(state, entry, out) {
      const { body } = entry;
      if (body.kind === "device") learnDevice(state, body);
      else if (body.kind === "association") state.set("associations", withAssociation(associationsOf(state), body));
      else if (body.kind === "reading") chart(state, entry, body, adapters, out);
    },
  });

const expect = (state: DeviceCells, device: Device, at: LogTime): void => {
  if (learnDevice(state, device) && standingOf(state) === undefined) state.set("standing", expectedSince(at));
};

/**
 * The link goes downstream under its own subject, so that whoever judges the measurements has it before them; and under each subject whose
 * measurements may turn out to be another's by it, so that what was offered of them is offered anew (candidates.ts).
 */
const associate = (
  state: DeviceCells,
  association: Association,
  { key, logTime: at }: Entry<RawBody>,
  out: VitalsOut,
): void => {
  const known = associationsOf(state);
  const next = withAssociation(known, association);
  if (next === known) return;
  const before = known.find(({ id }) => id === association.id);
  const told = withInterruption(revised(association, before), presenceOf(state), linkGapOf(state));
  state.set("associations", withInPlace(next, told));
  for (const beside of linksBeside(known, told, at)) out.emit("vitals", told.subject, beside);
  for (const to of keysConcerned(known, told, key, at)) out.emit("vitals", to, told);
};

const withInPlace = (known: Associations, next: Association): Associations =>
  known.map((link) => (link.id === next.id ? next : link));

/** A power cycle or a long gap is told with the links that it interrupts, before what this reading measured (clinical.md 9). */
const interrupt = (state: DeviceCells, { key, logTime: at }: Entry<RawBody>, sign: Sign, out: VitalsOut): void => {
  const before = presenceOf(state);
  const gapMs = linkGapOf(state);
  const presence = presenceAfter(before, sign, gapMs);
  if (presence === before) return;
  state.set("presence", presence);
  if (presence.interruptions === before.interruptions) return;
  for (const link of associationsOf(state)) {
    const marked = withInterruption(link, presence, gapMs);
    if (marked === link) continue;
    const told: Association = { ...marked, telling: link.telling + 1 };
    const known = associationsOf(state);
    state.set("associations", withInPlace(known, told));
    for (const to of keysConcerned(known, told, key, at)) out.emit("vitals", to, told);
  }
};

/**
 * A reading of which nothing was taken says nothing of who is there: rubbish would end links. A value with a time of its own (a cuff's) may be older
 * than the reading that repeats it, and counts only where no value is of now. The broker's retained copy shows a restart if it is news, and
 * nobody's presence.
 */
const signOf = (
  state: DeviceCells,
  { retained }: Reading,
  { boot, measurements }: DecodedReading,
  made: readonly (Measurement | Refusal)[],
): Sign => {
  const taken = made.flatMap((one, i) =>
    "problem" in one ? [] : [{ one, own: measurements[i]?.deviceTime !== undefined }],
  );
  const ofNow = taken.filter(({ own }) => !own);
  const used = (ofNow.length > 0 ? ofNow : taken).map(({ one }) => one);
  const times = used.map(({ eventTime: at }) => at);
  const { measuredAt } = presenceOf(state);
  const isOld = retained && measuredAt !== null && times.some((at) => at <= measuredAt);
  return {
    boot: isOld ? null : boot,
    times,
    usable: retained ? [] : used.filter(isUsable).map(({ eventTime: at }) => at),
  };
};

const measure = (
  state: DeviceCells,
  entry: Entry<RawBody>,
  reading: Reading,
  adapters: Adapters,
  out: VitalsOut,
): void => {
  const understood = understand(state, entry, reading, adapters);
  if ("problem" in understood) {
    out.quarantine(understood.problem);
    if (deviceOf(state) === undefined) alarmOfStranger(state, entry, reading, adapters, out);
    if (!reading.retained) stand(state, (standing) => refused(standing, entry.logTime, understood.problem));
    return;
  }
  const { admission } = understood;
  if (admission !== "new") stand(state, (standing) => counted(standing, admission));
  if (admission === "repeat") return;
  const made = measurementsOf(understood.decoded, understood.context);
  interrupt(state, entry, signOf(state, reading, understood.decoded, made), out);
  const { emitted, usable, problem } = emitMeasurements(state, entry.key, understood.decoded, made, out);
  const informed = emitAlarms(state, entry, reading, understood, out);
  if (reading.retained) return; // the broker spoke, not the device
  stand(state, (standing) =>
    emitted === 0 && !informed && problem !== null
      ? refused(standing, entry.logTime, problem)
      : heard(standing, entry.logTime, usable || informed, understood.decoded.standby === true),
  );
};

/** True where alarms are all that is expected of the device, and it was heard of them: what it measures stops nothing (clinical.md 4). */
const emitAlarms = (
  state: DeviceCells,
  { logTime: at }: Entry<RawBody>,
  reading: Reading,
  { decoded, context, adapter }: Understood,
  out: VitalsOut,
): boolean => {
  if (decoded.alarms === undefined) return false;
  const before = { known: alarmsOf(state), lists: alarmListsOf(state) };
  const silentAfterMs = deviceOf(state)?.silentAfterMs ?? 0;
  const { retained } = reading;
  const test = isPlatformTopic(reading.mqttTopic);
  const after = alarmsAfter(before, { decoded, context, retained, test, logTime: at, silentAfterMs });
  for (const problem of after.problems) out.quarantine(problem);
  for (const { key, body } of after.told) out.emit("vitals", key, body);
  if (after.told.length > 0 || after.known.length !== before.known.length) state.set("alarms", after.known);
  if (after.lists !== undefined) state.set("alarmLists", after.lists);
  return adapter.alarmsOnly === true;
};

/** What came of a reading: how many measurements, whether one can be used, and the last thing that was refused. */
const emitMeasurements = (
  state: DeviceCells,
  key: string,
  decoded: DecodedReading,
  made: readonly (Measurement | Refusal)[],
  out: VitalsOut,
): { emitted: number; usable: boolean; problem: Problem | null } => {
  const result = { emitted: 0, usable: false, problem: null as Problem | null };
  const refuse = (problem: Problem, at?: EventTime): void => {
    out.quarantine(problem, at === undefined ? {} : { eventTime: at });
    if (problem.reason === aheadReason) stand(state, (standing) => counted(standing, "ahead"));
    result.problem = problem;
  };
  for (const problem of problemsOf(decoded, "waveforms")) refuse(problem);
  made.forEach((measurement, i) => {
    const said = decoded.measurements[i];
    if (said?.deviceTime !== undefined && !isNews(state, said, measurement)) return;
    if ("problem" in measurement) refuse(measurement.problem, measurement.eventTime);
    else {
      out.emit("vitals", measurement.subject ?? key, measurement);
      result.emitted++;
      result.usable ||= isUsable(measurement);
    }
  });
  return result;
};

const chart = (
  state: DeviceCells,
  entry: Entry<RawBody>,
  reading: Reading,
  adapters: Adapters,
  out: WaveformsOut,
): void => {
  const understood = understand(state, entry, reading, adapters);
  if ("problem" in understood) {
    out.quarantine(understood.problem);
    return;
  }
  const { decoded, context, admission } = understood;
  if (admission === "repeat") return;
  for (const problem of problemsOf(decoded, "measurements")) out.quarantine(problem);
  for (const chunk of chunksOf(decoded, context))
    if (chunk.ok) out.emit("waveforms", chunk.value.subject ?? entry.key, chunk.value);
    else out.quarantine(chunk.problem);
};

/** A device that the roster does not know has no standing and leaves nothing in state: anybody can make up names. */
const stand = (state: DeviceCells, change: (standing: Standing) => Standing): void => {
  const standing = standingOf(state);
  if (standing !== undefined) state.set("standing", change(standing));
};

/** What the adapter refused. Waveforms have a topic of their own, so that one waiting for its acknowledgement blocks no vital (law 7). */
const problemsOf = (decoded: DecodedReading, stray: "measurements" | "waveforms"): readonly Problem[] => {
  const n = decoded[stray].length;
  if (n === 0) return decoded.problems;
  return [
    ...decoded.problems,
    { reason: "wrong-stream", detail: `payload: ${n} ${stray} do not belong on this topic` },
  ];
};

const isUsable = ({ value, validity }: Measurement): boolean =>
  value !== null && (validity === "valid" || validity === "questionable" || validity === "indeterminate");

/**
 * A monitor repeats its last cuff pressure, with the time when it was taken, in every message: that is one measurement, or one refusal.
 * What was refused may still be taken: a time ahead of its reception is so no longer once it has come.
 */
const isNews = (state: DeviceCells, said: DecodedMeasurement, made: Measurement | Refusal): boolean => {
  const series = `${said.channel}/${said.metric}/${made.ordinal}`;
  const known = (state.get("ownTimed") as OwnTimed | undefined) ?? {};
  const last = known[series];
  const copy: OwnTimedValue = { at: finite(said.deviceTime), value: finite(said.value) };
  const refused = "problem" in made;
  if (last?.at === copy.at && last.value === copy.value && (refused || last.refused !== true)) return false;
  state.set("ownTimed", { ...known, [series]: refused ? { ...copy, refused } : copy });
  return true;
};

/** As a cell can hold it. */
const finite = (n: number | null | undefined): number | null =>
  n !== null && n !== undefined && Number.isFinite(n) ? n + 0 : null;
