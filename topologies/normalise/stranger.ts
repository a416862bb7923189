/**
 * A device that no roster names: nothing that it measures can be anybody's, but an alarm of it is a person's in some bed. It is paged raw, with
 * the device's name and its own words, to whoever is the last resort for what nobody has placed (clinical.md 4); its readings stay refused
 * (`unknown-device`). Each alarm once, however often it is said; what is not heard of for an hour is forgotten, with its alarms.
 */
import type { Entry, Out } from "../../streams/core/stage.ts";
import { eventTime, type LogTime, logTime } from "../../streams/core/time.ts";
import type { DecodedAlarm, DecodedReading } from "../../schemas/devices/adapter.ts";
import type { Reading } from "../../schemas/records/telemetry.ts";
import type { RawBody, telemetryQuarantine, vitals } from "../../schemas/topics.ts";
import { alarmsAfter, gravestFirst } from "./alarms.ts";
import { alarmListsOf, alarmsOf, type DeviceCells } from "./device.ts";
import { readingIdentity } from "./identity.ts";
import { neverThere } from "./interruptions.ts";
import { type Adapters, readStranger } from "./intake.ts";

export interface Stranger {
  /** Log time at which it last said something of alarms. */
  readonly heardAt: number;
}
type VitalsOut = Out<{ vitals: typeof vitals; quarantine: typeof telemetryQuarantine }>;

const keptMs = 3_600_000;
/** Whoever makes up alarms fills no memory. */
const alarmsMost = 16;
const strangerCell = "stranger";
/** A gap in what it says raises nothing again: nobody expects to hear of it. */
const neverSilent = Number.MAX_SAFE_INTEGER;

/** What a reading of a device that is not in the roster says of alarms, under the device's own name. */
export const alarmOfStranger = (
  state: DeviceCells,
  entry: Entry<RawBody>,
  reading: Reading,
  adapters: Adapters,
  out: VitalsOut,
): void => {
  const { key, logTime: at } = entry;
  const decoded = reading.retained ? undefined : readStranger(key, reading, adapters);
  const before = { known: alarmsOf(state), lists: alarmListsOf(state) };
  if (decoded === undefined || (before.known.length === 0 && alarmsIn(decoded).length === 0)) return;
  const context = {
    device: key,
    identity: readingIdentity(entry, decoded, ""),
    receivedTime: reading.receivedTime,
    clock: undefined,
    clockUncertaintyMs: 0,
    associations: [],
    presence: neverThere,
    pulse: null,
    conflict: false,
  };
  const said = { decoded: raw(decoded, key), context, retained: false, test: false, logTime: at };
  const after = alarmsAfter(before, { ...said, silentAfterMs: neverSilent });
  for (const { key: to, body } of after.told) out.emit("vitals", to, body);
  state.set("alarms", after.known);
  if (after.lists !== undefined) state.set("alarmLists", after.lists);
  state.set(strangerCell, { heardAt: at });
  comeBackAt(state, at + keptMs);
};

/** It has not been heard of for long. */
export const forgetStranger = (state: DeviceCells, now: LogTime, device: string, out: VitalsOut): void => {
  const stranger = state.get(strangerCell) as Stranger | undefined;
  if (stranger === undefined) return;
  if (stranger.heardAt + keptMs > now) comeBackAt(state, stranger.heardAt + keptMs);
  else endStranger(state, now, device, out);
};

/** It is one no longer, or is gone: what was paged of it as a stranger's ends. */
export const endStranger = (state: DeviceCells, now: LogTime, device: string, out: VitalsOut): void => {
  if (state.get(strangerCell) === undefined) return;
  for (const cell of [strangerCell, "alarms", "alarmLists"]) state.delete(cell);
  out.emit("vitals", device, { kind: "subjectEnded", subject: device, device, at: eventTime(now) });
};

const alarmsIn = ({ alarms }: DecodedReading): readonly DecodedAlarm[] => {
  if (alarms === undefined) return [];
  return "all" in alarms ? alarms.all : alarms.changes.filter(({ present }) => present);
};

/** In the device's own words: the adapter that could read it may be another model's. */
const raw = (decoded: DecodedReading, device: string): DecodedReading => {
  const { alarms } = decoded;
  const inItsWords = <A extends DecodedAlarm>(said: readonly A[]): readonly A[] =>
    gravestFirst(said)
      .slice(0, alarmsMost)
      .map((alarm) => ({
        ...alarm,
        event: null,
        text: `${alarm.text || alarm.code} (${device} is not in the roster)`,
      }));
  if (alarms === undefined) return decoded;
  return {
    ...decoded,
    alarms: "all" in alarms ? { all: inItsWords(alarms.all) } : { changes: inItsWords(alarms.changes) },
  };
};

const comeBackAt = (state: DeviceCells, at: number): void => {
  if (state.dueAt === null || at < state.dueAt) state.dueAt = logTime(at);
};
